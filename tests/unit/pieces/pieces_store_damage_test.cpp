// SPDX-License-Identifier: Apache-2.0
// StorePieceGetter over stores with damaged, exchanged and forged packs.
#include <algorithm>
#include <cstring>
#include <random>

#include <gtest/gtest.h>

#include "host/crypto/blake3.hpp"
#include "host/pieces/recovering_piece_getter.hpp"
#include "host/pieces/source_errors.hpp"
#include "host/store/piece_pack_writer.hpp"
#include "tests/support/made_up_piece.hpp"
#include "tests/unit/pieces/pieces_store_fixture.hpp"

namespace furrow {
namespace {

namespace fs = std::filesystem;
using test::expect_failed;
using test::get;
using test::is_not_found;

class DamagedStore : public test::StoreCopy {
 protected:
  /// Frame of a piece with a change to the piece, hash and checksum made right: as a forger would.
  template <class Change>
  void forge(std::size_t position, Change change) const {
    const PackEntry& entry = entries_[position];
    ASSERT_EQ(entry.header.codec(), PackCodec::kRaw);
    const auto bytes = read(entry.stored_offset(), kPieceSize);
    auto piece = std::make_unique<Piece>();
    std::memcpy(piece.get(), bytes.data(), bytes.size());
    change(*piece);
    write(entry.offset,
          bytes_of(PackFrameHeader::make(position, PackCodec::kRaw, kPieceSize,
                                         blake3(bytes_of(*piece)), bytes_of(*piece))));
    write(entry.stored_offset(), bytes_of(*piece));
  }
};

// A byte in each field of the frame, in each region of the piece, and some elsewhere.
TEST_F(DamagedStore, FlippedBytesOfAFrameAreNoticedAndThePieceRecovered) {
  const auto getter = open();
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  for (const std::size_t position : {0U, 201U}) {  // compressed, raw
    const PackEntry& entry = entries_[position];
    const std::uint64_t size = entry.end() - entry.offset;
    std::vector<std::uint64_t> places = {0, 4, 5, 8, 15, 16, 20, 24, 55, 56, 87, 88, size - 1};
    for (int i = 0; i < 12; ++i) {
      places.push_back(random() % size);
    }
    for (const std::uint64_t place : places) {
      const unsigned bit = random() % 8;
      SCOPED_TRACE("piece " + std::to_string(position) + ", bit " + std::to_string(bit) +
                   " of byte " + std::to_string(place));
      flip(pack_, entry.offset + place, bit);
      expect_failed<Error>(get(*getter, position), pack_.native());
      if (place >= kPackFrameHeaderSize) {
        expect_failed<ChecksumMismatch>(get(*getter, position),
                                        "frame of chunk " + std::to_string(position) + " ");
      }
      EXPECT_NE(get(*getter, position + 1).piece, nullptr);
      flip(pack_, entry.offset + place, bit);
    }
  }
  const Piece sound = *get(*getter, 201).piece;
  flip(pack_, entries_[201].offset + 5000);
  RecoveringPieceGetter recovering(
      *getter, ErasureCoding(),
      {.identity =
           [&](SegmentIndex segment) { return getter->manifest().segment_identity(segment); },
       .retry_delays = {.max_attempts = 1},
       .compute = test::kTwoThreads});
  const PiecePtr recovered = get(recovering, 201).piece;
  ASSERT_NE(recovered, nullptr);
  EXPECT_TRUE(test::same_piece(*recovered, sound));
  EXPECT_TRUE(warnings_.empty());
}

TEST_F(DamagedStore, DamageOfASharedFrameIsThatOfAllItsPieces) {
  const Hash padding = entries_[kNumRawRecords - 1].header.hash;
  std::vector<std::size_t> others;
  std::uint64_t stored_at = 0;
  for (std::size_t i = 0; i < kNumPieces; ++i) {
    if (entries_[i].header.hash != padding) {
      others.push_back(i);
    } else if (entries_[i].header.codec() != PackCodec::kReference) {
      stored_at = entries_[i].stored_offset();
    }
  }
  ASSERT_LE(others.size(), kNumPieces - 64);  // half of the source pieces at least
  flip(pack_, stored_at + 10);
  EXPECT_EQ(right_pieces(*open()), others);
  remove_index();
  EXPECT_EQ(right_pieces(*open()), others);
}

TEST_F(DamagedStore, ExchangedFramesAreNoticed) {
  const std::size_t size = kPackFrameHeaderSize + kPieceSize;
  const auto ninth = read(entries_[209].offset, size);
  write(entries_[209].offset, read(entries_[210].offset, size));
  write(entries_[210].offset, ninth);
  for (const bool has_index : {true, false}) {
    const auto getter = open();
    expect_failed<WrongPieceInFrame>(get(*getter, 209), "actual piece index 210");
    expect_failed<WrongPieceInFrame>(get(*getter, 210), "actual piece index 209");
    EXPECT_EQ(right_pieces(*getter).size(), kNumPieces - 2);
    if (has_index) {
      remove_index();
    }
  }
}

TEST_F(DamagedStore, ForgedFramesWithGoodChecksumsAreNoticed) {
  forge(209, [](Piece& piece) { piece.record[7].bytes[0] ^= 1; });
  forge(210, [](Piece& piece) { piece.header.super_segment_index = 1; });
  forge(211, [](Piece& piece) { piece.header.segment_proof[0].bytes[0] = 1; });
  const auto getter = open();
  expect_failed<InvalidRecordProof>(get(*getter, 209), "position 209");
  expect_failed<MisplacedPiece>(get(*getter, 210), "super segment index");
  expect_failed<InvalidSegmentProof>(get(*getter, 211), "position 211");
  EXPECT_NE(get(*getter, 212).piece, nullptr);
}

TEST_F(DamagedStore, DamageOutsideOfTheFramesCostsNoPiece) {
  const std::uint64_t size = fs::file_size(pack_);
  for (const std::uint64_t offset :
       {std::uint64_t{0}, std::uint64_t{8}, std::uint64_t{31}, entries_.back().end(),
        entries_.back().end() + 100, size - 48, size - 1}) {
    SCOPED_TRACE("byte " + std::to_string(offset));
    flip(pack_, offset);
    const auto getter = open();
    EXPECT_TRUE(gives_all(*getter));
    ASSERT_EQ(getter->check_files().size(), 1U);
    EXPECT_NE(getter->check_files()[0].message.find(pack_.native()), std::string::npos);
    flip(pack_, offset);
  }
  EXPECT_TRUE(open()->check_files().empty());
  EXPECT_TRUE(warnings_.empty());

  // Without the index the frames are read one after the other.
  remove_index();
  for (const std::uint64_t offset : {entries_.back().end() + 100, size - 1}) {
    SCOPED_TRACE("byte " + std::to_string(offset) + ", no index");
    flip(pack_, offset);
    EXPECT_TRUE(gives_all(*open()));
    flip(pack_, offset);
  }
}

TEST_F(DamagedStore, CutPacksGiveWhatIsLeft) {
  const fs::path whole = directory_.path() / "whole";
  fs::copy_file(pack_, whole);
  for (const bool has_index : {true, false}) {
    for (const std::uint64_t size :
         {entries_[200].end(), entries_[200].end() - 1, entries_[200].stored_offset(),
          entries_[200].offset + 1, entries_[0].end(), std::uint64_t{33}, std::uint64_t{1},
          std::uint64_t{0}}) {
      SCOPED_TRACE(std::to_string(size) + " bytes" + (has_index ? "" : ", no index"));
      fs::copy_file(whole, pack_, fs::copy_options::overwrite_existing);
      fs::resize_file(pack_, size);
      const auto getter = open();
      const std::vector<std::size_t> right = right_pieces(*getter);
      std::vector<std::size_t> expected;
      for (std::size_t i = 0; i < kNumPieces; ++i) {
        const PackEntry& entry = *std::ranges::find_if(entries_, [&](const PackEntry& stored) {
          return stored.header.hash == entries_[i].header.hash;
        });
        // A piece that shares a frame is found by the index, or by its own, empty frame.
        if (entry.end() <= size && (has_index || entries_[i].end() <= size)) {
          expected.push_back(i);
        }
      }
      EXPECT_EQ(right, expected);
      expect_failed<Error>(get(*getter, 255), pack_.native());
      ASSERT_EQ(getter->check_files().size(), 1U);
      EXPECT_NE(getter->check_files()[0].message.find(pack_.native()), std::string::npos);
    }
    fs::copy_file(whole, pack_, fs::copy_options::overwrite_existing);
    if (has_index) {
      remove_index();
    }
  }
}

TEST_F(DamagedStore, MissingAndUnreadablePacks) {
  for (const bool has_index : {true, false}) {
    fs::rename(pack_, directory_.path() / "kept");
    {
      const auto getter = open();
      EXPECT_TRUE(is_not_found(get(*getter, 3)));
      EXPECT_TRUE(is_not_found(get(*getter, 4)));
      ASSERT_EQ(missing_.size(), has_index ? 1U : 2U) << "said once, by each getter";
      EXPECT_NE(missing_.back().find(pack_.native()), std::string::npos) << missing_.back();
      ASSERT_EQ(getter->check_files().size(), 1U);
      EXPECT_NE(getter->check_files()[0].message.find("missing"), std::string::npos);
    }
    fs::create_directory(pack_);  // something that cannot be read
    expect_failed<Error>(get(*open(), 3), pack_.native());
    EXPECT_EQ(open()->check_files().size(), 1U);
    fs::remove(pack_);
    fs::rename(directory_.path() / "kept", pack_);
    EXPECT_NE(get(*open(), 3).piece, nullptr);
    if (has_index) {
      remove_index();
    }
  }
}

TEST_F(DamagedStore, AStoreThatIsRemovedIsGone) {
  // Each of its pieces was "not found", as if somebody had never had it.
  const auto getter = open();
  EXPECT_NE(get(*getter, 3).piece, nullptr);
  fs::remove_all(store_);
  expect_failed<StoreGone>(get(*getter, 3), store_.native());
  EXPECT_TRUE(missing_.empty());
}

TEST_F(DamagedStore, ExchangedPacksAreNoticed) {
  const fs::path file = directory_.path() / "big";
  test::write_file(file, test::periodic_block(kSegmentSize + 100, 3));
  store_ = directory_.path() / "two";
  archive_files({{file}}, store_, test::two_threads());
  pack_ = store_ / "segment-0000000000.pack";
  index_ = store_ / "index";
  const fs::path second = store_ / "segment-0000000001.pack";
  fs::rename(pack_, directory_.path() / "first");
  fs::rename(second, pack_);
  fs::rename(directory_.path() / "first", second);
  for (const bool has_index : {true, false}) {
    const auto getter = open();
    for (const std::uint64_t i : {0, 5, 255}) {
      expect_failed<PieceNotInPack>(get(*getter, i), pack_.native());
      expect_failed<PieceNotInPack>(get(*getter, kNumPieces + i), second.native());
    }
    EXPECT_EQ(getter->check_files().size(), 2U);
    if (has_index) {
      remove_index();
    }
  }
}

/// A pack that somebody else wrote, soundly.
void replace_pack(const fs::path& pack, std::vector<std::pair<std::uint64_t, std::size_t>> chunks) {
  fs::remove(pack);
  const auto writer = PiecePackWriter::create(pack);
  for (const auto& [key, size] : chunks) {
    PackedChunk chunk;
    chunk.key = key;
    chunk.stored.assign(size, static_cast<std::uint8_t>(key + 1));
    chunk.original_size = static_cast<std::uint32_t>(size);
    chunk.hash = blake3(chunk.stored);
    writer->append(chunk);
  }
  writer->finish();
}

TEST_F(DamagedStore, PacksWithOtherChunksAreNoticed) {
  replace_pack(pack_, {{9, 100}, {10, kPieceSize + 1}, {11, kPieceSize}, {400, kPieceSize}});
  for (const bool has_index : {true, false}) {
    const auto getter = open();
    expect_failed<InvalidBytesLength>(get(*getter, 9), "chunk 9 ");
    expect_failed<InvalidBytesLength>(get(*getter, 10), "chunk 10 ");
    expect_failed<InvalidPiece>(get(*getter, 11), "position 11");
    expect_failed<PieceNotInPack>(get(*getter, 12), "piece 12 ");
    EXPECT_TRUE(is_not_found(get(*getter, 400)));
    ASSERT_EQ(getter->check_files().size(), 1U);
    EXPECT_NE(getter->check_files()[0].message.find("piece 0 "), std::string::npos);
    if (has_index) {
      remove_index();
    }
  }
}

}  // namespace
}  // namespace furrow
