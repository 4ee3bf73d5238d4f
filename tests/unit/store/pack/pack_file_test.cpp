// SPDX-License-Identifier: Apache-2.0
// Piece packs as files: written, read, gone on with (docs/formats/piece-pack.md).
#include <algorithm>
#include <atomic>
#include <filesystem>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "host/base/hex.hpp"
#include "host/primitives/piece_element.hpp"
#include "host/store/pack_check.hpp"
#include "tests/support/temp_directory.hpp"
#include "tests/unit/store/pack/pack_fixture.hpp"

namespace furrow {
namespace {

using test::Bytes;
using test::packed;
using test::TempDirectory;

class PackFile : public ::testing::Test {
 protected:
  [[nodiscard]] std::filesystem::path file() const { return directory_.path() / "a.pack"; }
  [[nodiscard]] bool is_there() const { return std::filesystem::exists(file()); }

 private:
  TempDirectory directory_;
};

TEST_F(PackFile, GivesBackWhatWentIn) {
  test::make_sample_pack(file());
  const PiecePack pack = PiecePack::open(file());
  EXPECT_EQ(test::read_all(pack), test::sample_as_chunks());
  EXPECT_TRUE(pack.contains(900));
  EXPECT_FALSE(pack.contains(3));
  EXPECT_THROW(static_cast<void>(pack.read(3)), ChunkNotInPack);

  const PackReport report = verify_pack(file());
  EXPECT_TRUE(report.broken.empty());
  EXPECT_TRUE(report.is_finished);
  EXPECT_EQ(report.intact_frames, 6U);
}

TEST_F(PackFile, CountsWhatItHolds) {
  test::make_sample_pack(file());
  const PackStatistics statistics = PiecePack::open(file()).statistics();
  EXPECT_EQ(statistics.chunks, 6U);
  EXPECT_EQ(statistics.references, 2U);
  EXPECT_EQ(statistics.raw_frames, 3U);
  EXPECT_EQ(statistics.zstd_frames, 1U);
  EXPECT_EQ(statistics.original_size, 2233U);
  EXPECT_EQ(statistics.unique_size, 1133U);
  EXPECT_EQ(statistics.stored_size, 133 + packed(7, test::periodic_bytes(1, 1000)).stored.size());
  EXPECT_EQ(PiecePack::open(file()).file_size(),
            32 + 6 * 88 + statistics.stored_size + 8 + 6 * 88 + 48);
}

// The format, byte by byte, written down apart from the code.
TEST_F(PackFile, HasTheBytesOfItsFormat) {
  {
    const auto writer = PiecePackWriter::create(file());
    writer->append(packed(0x0102030405060708, {'a', 'b', 'c'}));
    writer->append(packed(9, {'a', 'b', 'c'}));
    writer->finish();
  }
  const Bytes bytes = read_whole_file(file());
  const std::string abc = "6437b3ac38465133ffb63b75273a8db548c558465d79db03fd359c6cd5bd9d85";
  const auto at = [&](std::size_t offset, std::size_t size) {
    return to_hex(std::span(bytes).subspan(offset, size));
  };
  const auto hash_of = [&](std::initializer_list<std::pair<std::size_t, std::size_t>> parts) {
    Blake3Hasher hasher;
    for (const auto& [offset, size] : parts) {
      hasher.update(std::span(bytes).subspan(offset, size));
    }
    return to_hex(hasher.finalize().bytes);
  };
  ASSERT_EQ(bytes.size(), 32U + 88 + 3 + 88 + 8 + 2 * 88 + 48);
  EXPECT_EQ(at(0, 16),
            to_hex(Bytes{'F', 'R', 'W', 'P', 'A', 'C', 'K', '\n', 1, 0, 0, 0, 0, 0, 0, 0}));
  EXPECT_EQ(at(16, 16), hash_of({{0, 16}}).substr(0, 32));
  // The chunk.
  EXPECT_EQ(at(32, 24),
            "46524d45"
            "00"
            "000000"
            "0807060504030201"
            "03000000"
            "03000000");
  EXPECT_EQ(at(56, 32), abc);
  EXPECT_EQ(at(88, 32), hash_of({{32, 56}, {120, 3}}));
  EXPECT_EQ(at(120, 3), "616263");
  // The reference.
  EXPECT_EQ(at(123, 24),
            "46524d45"
            "02"
            "000000"
            "0900000000000000"
            "00000000"
            "03000000");
  EXPECT_EQ(at(147, 32), abc);
  EXPECT_EQ(at(179, 32), hash_of({{123, 56}}));
  // The end.
  EXPECT_EQ(at(211, 8), to_hex(Bytes{'F', 'R', 'W', 'T', 'A', 'B', 'L', 'E'}));
  EXPECT_EQ(at(219, 88), at(32, 88));
  EXPECT_EQ(at(307, 88), at(123, 88));
  EXPECT_EQ(at(395, 8), "0200000000000000");
  EXPECT_EQ(at(403, 32), hash_of({{219, 176}, {395, 8}}));
  EXPECT_EQ(at(435, 8), to_hex(Bytes{'F', 'R', 'W', 'P', 'K', 'E', 'N', 'D'}));
}

TEST_F(PackFile, AnEmptyPackIsAPack) {
  EXPECT_EQ(PiecePackWriter::create(file())->finish().chunks, 0U);
  EXPECT_TRUE(test::read_all(PiecePack::open(file())).empty());
  EXPECT_TRUE(verify_pack(file()).broken.empty());
}

// P8.
TEST_F(PackFile, EachContentIsStoredOnce) {
  const Bytes data = test::random_bytes(1, 500);
  {
    const auto writer = PiecePackWriter::create(file());
    EXPECT_EQ(writer->append(packed(0, data)), AppendOutcome::kStored);
    for (std::uint64_t key = 1; key < 100; ++key) {
      EXPECT_EQ(writer->append(packed(key, data)), AppendOutcome::kReferenced);
    }
    EXPECT_EQ(writer->append(packed(50, data)), AppendOutcome::kPresent);
    EXPECT_EQ(writer->append(packed(0, data)), AppendOutcome::kPresent);
    EXPECT_EQ(writer->finish().raw_frames, 1U);
  }
  const PiecePack pack = PiecePack::open(file());
  EXPECT_EQ(pack.statistics().references, 99U);
  for (std::uint64_t key = 0; key < 100; ++key) {
    EXPECT_EQ(pack.read(key), data);
  }
}

TEST_F(PackFile, OneKeyHasOneContent) {
  const auto writer = PiecePackWriter::create(file());
  writer->append(packed(4, {1, 2}));
  writer->append(packed(5, {3}));
  EXPECT_THROW(writer->append(packed(4, {1, 3})), PackKeyConflict);
  EXPECT_THROW(writer->append(packed(4, {3})), PackKeyConflict);
  writer->append(packed(6, {1, 3}));
  writer->finish();
  EXPECT_EQ(test::read_all(PiecePack::open(file())),
            (test::Chunks{{4, {1, 2}}, {5, {3}}, {6, {1, 3}}}));
}

TEST_F(PackFile, ChunksThatContradictThemselvesAreRefused) {
  const auto writer = PiecePackWriter::create(file());
  const PackedChunk good = packed(1, test::random_bytes(1, 100));
  writer->append(good);
  const auto refuses = [&](auto change) {
    PackedChunk chunk = good;
    chunk.key = 2;
    change(chunk);
    EXPECT_THROW(writer->append(chunk), InvalidArgument);
  };
  refuses([](PackedChunk& chunk) { chunk.codec = PackCodec::kReference; });
  refuses([](PackedChunk& chunk) { chunk.codec = PackCodec::kZstd; });
  refuses([](PackedChunk& chunk) { chunk.original_size = 99; });
  refuses([](PackedChunk& chunk) {
    chunk.original_size = kMaxPackChunkSize + 1;
    chunk.stored.resize(kMaxPackChunkSize + 1);
  });
  refuses([](PackedChunk& chunk) {  // the hash of another chunk
    chunk.original_size = 99;
    chunk.stored.pop_back();
  });
  EXPECT_EQ(writer->finish().chunks, 1U);
  EXPECT_TRUE(verify_pack(file()).broken.empty());
}

TEST_F(PackFile, AnExistingFileIsNotTouched) {
  test::make_sample_pack(file());
  EXPECT_THROW(PiecePackWriter::create(file()), IoError);
  EXPECT_TRUE(verify_pack(file()).broken.empty());
}

TEST_F(PackFile, OfAWriterThatDoesNotFinishNothingIsLeft) {
  {
    const auto writer = PiecePackWriter::create(file());
    test::write_sample(*writer);
    EXPECT_TRUE(is_there());
    EXPECT_THROW(PiecePack::open(file()), UnfinishedPack);
  }
  EXPECT_FALSE(is_there());
}

TEST_F(PackFile, AFinishedWriterTakesNothingMore) {
  const auto writer = PiecePackWriter::create(file());
  writer->finish();
  EXPECT_THROW(writer->append(packed(1, {1})), InvalidArgument);
  EXPECT_THROW(writer->finish(), InvalidArgument);
  EXPECT_TRUE(is_there());
}

TEST_F(PackFile, AnUnfinishedPackIsGoneOnWith) {
  for (std::size_t n = 0; n <= test::sample_chunks().size(); ++n) {
    SCOPED_TRACE(n);
    test::make_unfinished_sample_pack(file(), n);
    EXPECT_THROW(PiecePack::open(file()), UnfinishedPack);
    const PackReport report = verify_pack(file());
    EXPECT_FALSE(report.is_finished);
    EXPECT_EQ(report.intact_frames, n);
    EXPECT_EQ(report.broken.size(), 1U);
    {
      const auto [writer, recovery] = PiecePackWriter::reopen(file());
      EXPECT_EQ(recovery.file, file());
      EXPECT_EQ(recovery.frames_kept, n);
      EXPECT_EQ(recovery.bytes_cut, 0U);
      EXPECT_FALSE(recovery.reason.has_value());
      test::write_sample(*writer);  // what is there already is known
      writer->finish();
    }
    // The same bytes as if nothing had happened.
    const Bytes bytes = read_whole_file(file());
    std::filesystem::remove(file());
    test::make_sample_pack(file());
    EXPECT_EQ(read_whole_file(file()), bytes);
    std::filesystem::remove(file());
  }
}

TEST_F(PackFile, AReopenedPackThatIsNotFinishedKeepsTheFramesItHad) {
  test::make_unfinished_sample_pack(file(), 3);
  const Bytes before = read_whole_file(file());
  {
    const auto reopened = PiecePackWriter::reopen(file());
    test::write_sample(*reopened.writer);
    EXPECT_GT(std::filesystem::file_size(file()), before.size());
  }
  EXPECT_EQ(read_whole_file(file()), before);
}

TEST_F(PackFile, AFinishedPackIsNotReopened) {
  test::make_sample_pack(file());
  const Bytes before = read_whole_file(file());
  EXPECT_THROW(PiecePackWriter::reopen(file()), PackIsFinished);
  EXPECT_EQ(read_whole_file(file()), before);
}

TEST_F(PackFile, AnAbsentFileIsNotReopened) {
  EXPECT_THROW(PiecePackWriter::reopen(file()), IoError);
  EXPECT_FALSE(is_there());
  EXPECT_THROW(PiecePack::open(file()), IoError);
  EXPECT_THROW(verify_pack(file()), IoError);
}

// The second writer must not even cut the file of the first one.
TEST_F(PackFile, OnlyOneWriterHasAPack) {
  const auto writer = PiecePackWriter::create(file());
  test::write_sample(*writer);
  EXPECT_THROW(PiecePackWriter::reopen(file()), PackInUse);
  writer->finish();
  EXPECT_EQ(test::read_all(PiecePack::open(file())), test::sample_as_chunks());
}

TEST_F(PackFile, ThePipelineFillsItTheSameWithAnyNumberOfWorkers) {
  std::vector<RawChunk> chunks;
  for (std::uint64_t key = 0; key < 300; ++key) {
    const std::uint64_t content = key % 90;
    chunks.push_back({.key = key,
                      .data = content % 2 == 0 ? test::periodic_bytes(content, 500 + content)
                                               : test::random_bytes(content, 500 + content)});
  }
  Bytes expected;
  for (const unsigned workers : {1U, 2U, 5U, 64U}) {
    SCOPED_TRACE(workers);
    test::ListSource source(chunks);
    const auto writer = PiecePackWriter::create(file());
    pack_chunks(source, ZstdCompressor(), {.num_workers = workers, .max_chunks_in_flight = 8},
                [&](const PackedChunk& chunk) { writer->append(chunk); });
    EXPECT_EQ(writer->finish().references, 210U);
    const Bytes bytes = read_whole_file(file());
    if (expected.empty()) {
      expected = bytes;
    }
    EXPECT_EQ(bytes, expected);
    std::filesystem::remove(file());
  }
}

TEST_F(PackFile, AFailedRunOfThePipelineLeavesNoFile) {
  class Failing : public ChunkSource {
   public:
    std::optional<RawChunk> next() override {
      if (n_ == 20) {
        throw MalformedData("no more");
      }
      return RawChunk{.key = n_, .data = test::random_bytes(n_++, 100)};
    }

   private:
    std::uint64_t n_ = 0;
  } source;
  const auto run = [&] {
    const auto writer = PiecePackWriter::create(file());
    pack_chunks(source, ZstdCompressor(), {.num_workers = 2},
                [&](const PackedChunk& chunk) { writer->append(chunk); });
    writer->finish();
  };
  EXPECT_THROW(run(), MalformedData);
  EXPECT_FALSE(is_there());
}

// What the pipeline is for: pieces of a segment, of which the parity ones do not shrink.
TEST_F(PackFile, TakesPieceElements) {
  constexpr std::uint64_t kPieces = 4;
  const auto element = [](std::uint64_t index) {
    auto result = std::make_unique<PieceElement>();
    const Bytes bytes = index % 2 == 0 ? test::periodic_bytes(index, kPieceSize)
                                       : test::random_bytes(index, kPieceSize);
    std::copy(bytes.begin(), bytes.end(), mutable_bytes_of(result->piece).begin());
    result->piece_index = index;
    result->seal();
    const auto all = bytes_of(*result);
    return Bytes(all.begin(), all.end());
  };
  std::vector<RawChunk> chunks;
  for (std::uint64_t i = 0; i < kPieces; ++i) {
    chunks.push_back({.key = i, .data = element(i), .compressible = i % 2 == 0});
  }
  PackConfig config{.num_workers = 2, .max_chunks_in_flight = 2};
  config.verify = [](const RawChunk& chunk) {
    auto copy = std::make_unique<PieceElement>();
    std::copy(chunk.data.begin(), chunk.data.end(), mutable_bytes_of(*copy).begin());
    copy->verify_checksum("piece");
  };
  test::ListSource source(std::move(chunks));
  const auto writer = PiecePackWriter::create(file());
  pack_chunks(source, ZstdCompressor(), config,
              [&](const PackedChunk& chunk) { writer->append(chunk); });
  writer->finish();
  const PiecePack pack = PiecePack::open(file());
  EXPECT_EQ(pack.statistics().raw_frames, 2U);
  EXPECT_LT(pack.statistics().stored_size, 2 * kPieceElementSize + 20000);
  for (std::uint64_t i = 0; i < kPieces; ++i) {
    EXPECT_EQ(pack.read(i), element(i));
  }
}

TEST_F(PackFile, IsReadBySeveralThreads) {
  test::make_sample_pack(file());
  const PiecePack pack = PiecePack::open(file());
  std::vector<std::jthread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int round = 0; round < 20; ++round) {
        EXPECT_EQ(test::read_all(pack), test::sample_as_chunks());
      }
    });
  }
}

TEST_F(PackFile, VerifyingReportsProgressAndObeysAStop) {
  test::make_sample_pack(file());
  std::stop_source stop;
  std::uint64_t done = 0;
  const PackReport report = verify_pack(
      file(),
      [&](const PackProgress& progress) {
        EXPECT_GT(progress.bytes_done, done);
        EXPECT_EQ(progress.bytes_total, std::filesystem::file_size(file()));
        done = progress.bytes_done;
        stop.request_stop();
      },
      stop.get_token());
  EXPECT_TRUE(report.stopped);
  EXPECT_EQ(report.intact_frames, 1U);

  test::make_unfinished_sample_pack(file().parent_path() / "b.pack", 3);
  EXPECT_TRUE(verify_pack(file().parent_path() / "b.pack", {}, stop.get_token()).stopped);
}

}  // namespace
}  // namespace furrow
