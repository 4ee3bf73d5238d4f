// SPDX-License-Identifier: Apache-2.0
// Damaged packs: whatever is changed or cut off, nobody gets wrong bytes, and nothing is cut off
// that is whole (docs/formats/piece-pack.md).
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "host/store/pack_check.hpp"
#include "tests/support/made_up_farm.hpp"
#include "tests/support/temp_directory.hpp"
#include "tests/unit/store/pack/pack_fixture.hpp"

namespace furrow {
namespace {

using test::Bytes;
using test::flip_byte;

/// A copy of the sample pack for each experiment.
class PackCorruption : public ::testing::Test {
 protected:
  void SetUp() override {
    test::make_sample_pack(file);
    intact = read_whole_file(file);
    frames_end = PiecePack::open(file).table().entries().back().end();
  }
  void restore() const { set_bytes(intact); }
  void set_bytes(const Bytes& bytes) const {
    std::filesystem::remove(file);
    File::create_new(file).write_at(0, bytes);
  }
  /// Sets a trailer and a table over the frames of `bytes`, so that only their rules can tell.
  void set_sealed(Bytes frames, const std::vector<PackFrameHeader>& headers) const {
    std::vector<PackEntry> entries;
    frames.insert(frames.end(), kPackTableMagic.begin(), kPackTableMagic.end());
    for (const PackFrameHeader& header : headers) {
      entries.push_back({header, 0});
      frames.insert(frames.end(), bytes_of(header).begin(), bytes_of(header).end());
    }
    const PackTrailer trailer = PackTrailer::make(entries);
    frames.insert(frames.end(), bytes_of(trailer).begin(), bytes_of(trailer).end());
    set_bytes(frames);
  }

  /// Each chunk is right or refused; how many are right, or none when the pack cannot be opened.
  [[nodiscard]] std::optional<std::size_t> right_chunks() const {
    try {
      const PiecePack pack = PiecePack::open(file);
      std::size_t n_right = 0;
      for (const auto& [key, data] : test::sample_chunks()) {
        try {
          EXPECT_EQ(pack.read(key), data) << "wrong bytes of chunk " << key;
          ++n_right;
        } catch (const Error& error) {
          EXPECT_NE(error.kind(), ErrorKind::kInternal) << error.what();
        }
      }
      return n_right;
    } catch (const Error& error) {
      EXPECT_NE(std::string(error.what()).find(file.native()), std::string::npos) << error.what();
      return std::nullopt;
    }
  }

  /// Goes on with the pack to its end; what is kept are the first chunks of the sample.
  void expect_reopens_with(std::size_t n_frames, std::uint64_t bytes_cut) const {
    {
      const auto [writer, recovery] = PiecePackWriter::reopen(file);
      EXPECT_EQ(recovery.frames_kept, n_frames);
      EXPECT_EQ(recovery.bytes_cut, bytes_cut);
      EXPECT_EQ(recovery.reason.has_value(), bytes_cut > 0);
      EXPECT_NE(recovery.message().find(file.native()), std::string::npos);
      EXPECT_EQ(writer->statistics().chunks, n_frames);
      test::write_sample(*writer);
      writer->finish();
    }
    EXPECT_EQ(read_whole_file(file), intact);
  }

 private:
  test::TempDirectory directory_;

 protected:
  std::filesystem::path file = directory_.path() / "a.pack";
  Bytes intact;
  std::uint64_t frames_end = 0;
};

TEST_F(PackCorruption, EveryFlippedByteIsNoticed) {
  std::size_t n_opened = 0;
  for (std::uint64_t i = 0; i < intact.size(); ++i) {
    SCOPED_TRACE("byte " + std::to_string(i));
    restore();
    flip_byte(file, i);
    const std::optional<std::size_t> n_right = right_chunks();
    EXPECT_EQ(n_right.has_value(), i >= kPackHeaderSize && i < frames_end);
    if (n_right) {
      ++n_opened;
      // A damaged reference is noticed by who verifies; the chunk itself is there.
      EXPECT_GE(*n_right, test::sample_chunks().size() - 2);
    }
    if (i >= kPackHeaderSize) {
      const PackReport report = verify_pack(file);
      EXPECT_EQ(report.broken.empty(), false);
      EXPECT_EQ(report.is_finished, i < frames_end);
      EXPECT_GE(report.intact_frames, test::sample_chunks().size() - 1);
    } else {
      EXPECT_THROW(verify_pack(file), Error);
    }
    if (HasFailure()) {
      return;
    }
  }
  EXPECT_EQ(n_opened, frames_end - kPackHeaderSize);
}

TEST_F(PackCorruption, EveryFlippedBitOfTheVersionIsNoticed) {
  for (unsigned bit = 0; bit < 32; ++bit) {
    Bytes bytes = intact;
    bytes[8 + bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
    set_bytes(bytes);
    EXPECT_THROW(PiecePack::open(file), NotAPiecePack);
  }
}

TEST_F(PackCorruption, AnotherVersionIsNamed) {
  Bytes bytes = intact;
  bytes[8] = 2;
  const Hash checksum = blake3(std::span(bytes).first(16));
  std::copy_n(checksum.begin(), 16, bytes.begin() + 16);
  set_bytes(bytes);
  EXPECT_THROW(PiecePack::open(file), UnsupportedPackVersion);
  EXPECT_THROW(PiecePackWriter::reopen(file), UnsupportedPackVersion);
  EXPECT_THROW(verify_pack(file), UnsupportedPackVersion);
  EXPECT_EQ(read_whole_file(file), bytes);
}

// A damaged end is cut and written again; damaged frames of a finished pack are never cut.
TEST_F(PackCorruption, ReopeningAfterAFlippedByteLosesNothing) {
  for (std::uint64_t i = 0; i < intact.size(); ++i) {
    SCOPED_TRACE("byte " + std::to_string(i));
    restore();
    flip_byte(file, i);
    const Bytes damaged = read_whole_file(file);
    if (i < kPackHeaderSize) {
      EXPECT_THROW(PiecePackWriter::reopen(file), NotAPiecePack);
      EXPECT_EQ(read_whole_file(file), damaged);
    } else if (i < frames_end) {
      EXPECT_THROW(PiecePackWriter::reopen(file), PackIsFinished);
      EXPECT_EQ(read_whole_file(file), damaged);
    } else {
      expect_reopens_with(test::sample_chunks().size(), intact.size() - frames_end);
    }
    if (HasFailure()) {
      return;
    }
  }
}

TEST_F(PackCorruption, APackWithADamagedFrameAndADamagedTableIsNotCut) {
  flip_byte(file, kPackHeaderSize + 200);
  flip_byte(file, frames_end + 20);
  const Bytes damaged = read_whole_file(file);
  EXPECT_THROW(PiecePackWriter::reopen(file), DamagedPack);
  EXPECT_EQ(read_whole_file(file), damaged);
}

TEST_F(PackCorruption, TruncatedAnywhereItIsUnfinished) {
  const std::vector<PackEntry> entries = [&] {
    const PiecePack pack = PiecePack::open(file);
    const auto all = pack.table().entries();
    return std::vector(all.begin(), all.end());
  }();
  for (std::uint64_t size = 0; size < intact.size(); ++size) {
    SCOPED_TRACE("cut to " + std::to_string(size));
    restore();
    std::filesystem::resize_file(file, size);
    if (size < kPackHeaderSize) {
      EXPECT_THROW(PiecePack::open(file), NotAPiecePack);
      expect_reopens_with(0, size);
      continue;
    }
    EXPECT_THROW(PiecePack::open(file), UnfinishedPack);
    std::size_t n_whole = 0;
    std::uint64_t end = kPackHeaderSize;
    while (n_whole < entries.size() && entries[n_whole].end() <= size) {
      end = entries[n_whole++].end();
    }
    const PackReport report = verify_pack(file);
    EXPECT_FALSE(report.is_finished);
    EXPECT_EQ(report.intact_frames, n_whole);
    EXPECT_FALSE(report.broken.empty());
    expect_reopens_with(n_whole, size - end);
    if (HasFailure()) {
      return;
    }
  }
}

TEST_F(PackCorruption, BytesBehindTheEndMakeItUnfinishedAndAreCut) {
  Bytes longer = intact;
  longer.push_back(0);
  set_bytes(longer);
  EXPECT_THROW(PiecePack::open(file), UnfinishedPack);
  expect_reopens_with(test::sample_chunks().size(), longer.size() - frames_end);
}

TEST_F(PackCorruption, AnotherKindOfFileIsLeftAlone) {
  for (const Bytes& bytes :
       {Bytes{'x'}, Bytes(31, 0), Bytes(5000, 0), test::random_bytes(1, 5000)}) {
    set_bytes(bytes);
    EXPECT_THROW(PiecePack::open(file), NotAPiecePack);
    EXPECT_THROW(PiecePackWriter::reopen(file), NotAPiecePack);
    EXPECT_THROW(verify_pack(file), NotAPiecePack);
    EXPECT_EQ(read_whole_file(file), bytes);
  }
}

/// What a writer of another mind could seal with right checksums.
class PackForgery : public PackCorruption {
 protected:
  static PackFrameHeader header(std::uint64_t key, PackCodec codec, std::uint32_t original_size,
                                const Bytes& data, const Bytes& stored) {
    return PackFrameHeader::make(key, codec, original_size, blake3(data), stored);
  }
  void add(const PackFrameHeader& frame, const Bytes& stored) {
    bytes_.insert(bytes_.end(), bytes_of(frame).begin(), bytes_of(frame).end());
    bytes_.insert(bytes_.end(), stored.begin(), stored.end());
    headers_.push_back(frame);
  }
  /// The pack is refused as a whole, and by those who read it frame by frame at the last frame.
  template <class Refusal>
  void expect_refused() {
    set_sealed(bytes_, headers_);
    EXPECT_THROW(PiecePack::open(file), Refusal);
    EXPECT_EQ(verify_pack(file).intact_frames, headers_.size() - 1);
    EXPECT_THROW(PiecePackWriter::reopen(file), DamagedPack);
    set_bytes(bytes_);
    EXPECT_EQ(PiecePackWriter::reopen(file).recovery.frames_kept, headers_.size() - 1);
  }
  /// The pack opens, but this chunk is refused.
  template <class Refusal>
  void expect_chunk_refused(std::uint64_t key) {
    set_sealed(bytes_, headers_);
    const PiecePack pack = PiecePack::open(file);
    EXPECT_THROW(static_cast<void>(pack.read(key)), Refusal);
    EXPECT_EQ(verify_pack(file).broken.size(), 1U);
  }

  std::vector<PackFrameHeader> headers_;
  Bytes bytes_ = [] {
    const PackHeader header = PackHeader::make();
    return Bytes(bytes_of(header).begin(), bytes_of(header).end());
  }();
  const Bytes abc = {'a', 'b', 'c'};
};

TEST_F(PackForgery, AReferenceToNothing) {
  add(header(1, PackCodec::kReference, 3, abc, {}), {});
  expect_refused<DamagedPack>();
}

TEST_F(PackForgery, AReferenceOfAnotherSize) {
  add(header(1, PackCodec::kRaw, 3, abc, abc), abc);
  add(header(2, PackCodec::kReference, 4, abc, {}), {});
  expect_refused<DamagedPack>();
}

TEST_F(PackForgery, AKeyTwice) {
  add(header(1, PackCodec::kRaw, 3, abc, abc), abc);
  add(header(1, PackCodec::kReference, 3, abc, {}), {});
  expect_refused<DamagedPack>();
}

TEST_F(PackForgery, AContentTwice) {
  add(header(1, PackCodec::kRaw, 3, abc, abc), abc);
  add(header(2, PackCodec::kRaw, 3, abc, abc), abc);
  expect_refused<DamagedPack>();
}

TEST_F(PackForgery, AnUnknownCodec) {
  add(header(1, static_cast<PackCodec>(3), 3, abc, abc), abc);
  expect_refused<DamagedPack>();
}

TEST_F(PackForgery, SizesThatDoNotFitTheCodec) {
  add(header(1, PackCodec::kRaw, 2, abc, abc), abc);
  expect_refused<DamagedPack>();
}

TEST_F(PackForgery, AZstdFrameThatIsNotShorter) {
  add(header(1, PackCodec::kZstd, 3, abc, abc), abc);
  expect_refused<DamagedPack>();
}

TEST_F(PackForgery, AChunkBeyondAllMeasure) {
  add(header(1, PackCodec::kZstd, 0xFFFFFFFF, abc, abc), abc);
  expect_refused<DamagedPack>();
}

TEST_F(PackForgery, ReservedBytes) {
  PackFrameHeader frame = header(1, PackCodec::kRaw, 3, abc, abc);
  frame.reserved[1] = 1;
  frame.checksum = frame.checksum_with(abc);
  add(frame, abc);
  expect_refused<DamagedPack>();
}

TEST_F(PackForgery, AZstdFrameOfMoreBytesThanItIsSaidToHave) {
  const Bytes large(1 << 20, 7);
  const Bytes stored = *ZstdCompressor().compress(large);
  add(header(1, PackCodec::kZstd, 1000, large, stored), stored);
  expect_chunk_refused<MalformedData>(1);
}

TEST_F(PackForgery, AZstdFrameOfFewerBytes) {
  const Bytes data = test::periodic_bytes(1, 1000);
  const Bytes stored = *ZstdCompressor().compress(data);
  add(header(1, PackCodec::kZstd, kMaxPackChunkSize, data, stored), stored);
  expect_chunk_refused<MalformedData>(1);
}

TEST_F(PackForgery, NoZstdFrameAtAll) {
  add(header(1, PackCodec::kZstd, 1000, abc, abc), abc);
  expect_chunk_refused<MalformedData>(1);
}

TEST_F(PackForgery, BytesOfAnotherHash) {
  add(header(1, PackCodec::kRaw, 3, Bytes{'a', 'b', 'd'}, abc), abc);
  expect_chunk_refused<ChecksumMismatch>(1);
}

TEST_F(PackForgery, ATableThatIsNotThatOfTheFrames) {
  add(header(1, PackCodec::kRaw, 3, abc, abc), abc);
  headers_[0] = header(2, PackCodec::kRaw, 3, abc, abc);
  expect_chunk_refused<DamagedPack>(2);
}

TEST_F(PackForgery, ATableWithAFrameTooFew) {
  add(header(1, PackCodec::kRaw, 3, abc, abc), abc);
  set_sealed(bytes_, {});
  EXPECT_THROW(PiecePack::open(file), DamagedPack);
}

TEST_F(PackForgery, ATableWithAFrameTooMany) {
  add(header(1, PackCodec::kRaw, 3, abc, abc), abc);
  headers_.push_back(header(2, PackCodec::kReference, 3, abc, {}));
  set_sealed(bytes_, headers_);
  EXPECT_THROW(PiecePack::open(file), DamagedPack);
}

TEST_F(PackForgery, MoreFramesThanAFileCanHave) {
  for (const std::uint64_t n :
       {std::uint64_t{1}, std::uint64_t{1} << 32, ~std::uint64_t{0}, ~std::uint64_t{0} / 88 + 1}) {
    set_sealed(bytes_, {});
    PackTrailer trailer = PackTrailer::make({});
    trailer.n_frames = n;
    test::overwrite(file, std::filesystem::file_size(file) - kPackTrailerSize, bytes_of(trailer));
    EXPECT_THROW(PiecePack::open(file), DamagedPack) << n;
  }
}

}  // namespace
}  // namespace furrow
