// SPDX-License-Identifier: Apache-2.0
// Whole segments: the worked example, validity of pieces, blocks read back.
#include <algorithm>
#include <random>

#include <gtest/gtest.h>

#include "host/archive/block_reader.hpp"
#include "host/archive/piece_validation.hpp"
#include "host/archive/super_segment.hpp"
#include "host/crypto/blake3.hpp"
#include "tests/support/made_up_piece.hpp"
#include "tests/unit/archive/archive_fixture.hpp"

namespace furrow {
namespace {

using test::example_segments;
using test::kExampleGlobalIndex;
using test::kExampleShard;
using test::same_piece;
using test::valid_identity;
using test::valid_pieces;

PiecePosition position(std::size_t i) {
  return PiecePosition(static_cast<std::uint8_t>(i));
}

const ErasureCoding& erasure() {
  static const ErasureCoding coding;
  return coding;
}

std::vector<std::uint8_t> source_bytes(const ArchivedSegment& segment) {
  std::vector<std::uint8_t> bytes;
  bytes.reserve(kSegmentSize);
  for (std::size_t i = 0; i < kNumRawRecords; ++i) {
    const auto record = bytes_of(segment.pieces[i].record);
    bytes.insert(bytes.end(), record.begin(), record.end());
  }
  return bytes;
}

TEST(WorkedExample, HeadersOfItsSegments) {
  const std::vector<ArchivedSegment>& segments = example_segments();
  ASSERT_EQ(segments.size(), 4U);
  const std::pair<std::uint64_t, std::uint32_t> last_blocks[] = {
      {1, 67'108'854}, {2, 111'848'003}, {2, 246'065'641}, {2, 0}};
  Hash previous;
  for (std::size_t i = 0; i < segments.size(); ++i) {
    const SegmentHeader& header = segments[i].header;
    EXPECT_EQ(header.index.value(), i);
    EXPECT_EQ(header.last_archived_block.number.value(), last_blocks[i].first) << i;
    EXPECT_EQ(header.last_archived_block.partial_bytes.value(), last_blocks[i].second) << i;
    EXPECT_EQ(header.prev_segment_header_hash, previous);
    previous = header.hash();
  }
}

TEST(WorkedExample, ClosedSegmentEndsWithZeroPadding) {
  const std::vector<std::uint8_t> bytes = source_bytes(example_segments()[3]);
  const std::size_t rest = test::kExampleBlockSizes[2] - 246'065'641;
  const std::size_t end = 85 + 5 + rest;
  EXPECT_NE(bytes[end - 1], 0);
  EXPECT_TRUE(std::all_of(bytes.begin() + static_cast<std::ptrdiff_t>(end), bytes.end(),
                          [](std::uint8_t byte) { return byte == 0; }));
}

// The last block lies in three segments.
TEST(WorkedExample, BlocksComeBackFromEveryStart) {
  std::vector<std::vector<std::uint8_t>> segments;
  for (const ArchivedSegment& segment : example_segments()) {
    segments.push_back(source_bytes(segment));
  }
  std::vector<Hash> hashes;
  for (unsigned i = 0; i < 3; ++i) {
    hashes.push_back(blake3(test::periodic_block(test::kExampleBlockSizes[i], i)));
  }
  // Blocks 1 and 2 begin in segments 0 and 1.
  const std::vector<std::vector<std::uint64_t>> expected = {{0, 1, 2}, {2}, {}, {}};
  for (std::size_t start = 0; start < segments.size(); ++start) {
    SCOPED_TRACE("from segment " + std::to_string(start));
    std::vector<std::uint64_t> numbers;
    BlockReader reader([&](BlockNumber number, std::span<const std::uint8_t> block) {
      numbers.push_back(number.value());
      EXPECT_EQ(block.size(), test::kExampleBlockSizes[number.value()]);
      EXPECT_EQ(blake3(block), hashes.at(number.value()));
    });
    for (std::size_t i = start; i < segments.size(); ++i) {
      reader.add_segment(segments[i]);
    }
    reader.finish(example_segments()[3].header);
    EXPECT_EQ(numbers, expected[start]);
  }
}

TEST(WorkedExample, ThreadsDoNotChangeTheBytes) {
  SegmentPieces pieces;
  const SegmentPieces& expected = example_segments()[0].pieces;
  for (std::size_t i = 0; i < kNumRawRecords; ++i) {
    pieces[i].record = expected[i].record;
  }
  build_segment(pieces, ShardIndex(kExampleShard), LocalSegmentIndex(0), erasure(),
                {3, SimdMode::kBest});
  for (std::size_t i = 0; i < kNumPieces; ++i) {
    ASSERT_TRUE(same_piece(pieces[i], expected[i])) << "position " << i;
  }
}

/// Super segments of n segments with segment 1 of the example at `place`.
struct Placed {
  Placed(std::uint32_t n, std::uint32_t place) {
    std::vector<SuperSegmentMember> members;
    for (std::uint32_t i = 0; i < n; ++i) {
      Hash root;
      root.bytes.fill(static_cast<std::uint8_t>(i + 1));
      members.push_back({ShardIndex(i), LocalSegmentIndex(50 + i), root});
    }
    members[place] = {ShardIndex(kExampleShard), LocalSegmentIndex(1),
                      example_segments()[1].header.root};
    const std::vector<Hash> leaves = super_segment_leaves(members);
    SuperSegmentHeader previous;
    previous.max_segment_index = kExampleGlobalIndex - place - 1;
    header = next_super_segment(previous, *super_segment_root(leaves), n, 9);
    proof = super_segment_proof(leaves, SegmentPosition(place));
  }
  [[nodiscard]] std::unique_ptr<Piece> piece(std::size_t i) const {
    auto result = std::make_unique<Piece>(example_segments()[1].pieces[i]);
    result->header.super_segment_index = header.index;
    result->header.segment_position = position_in_super_segment();
    result->header.segment_proof = proof;
    return result;
  }
  [[nodiscard]] std::uint32_t position_in_super_segment() const {
    return static_cast<std::uint32_t>(kExampleGlobalIndex -
                                      segment_index_in(header, SegmentPosition(0)).value());
  }
  SuperSegmentHeader header;
  SegmentProof proof;
};

TEST(PieceValidation, EveryPieceIsValidInSuperSegmentsOfAnySize) {
  for (const auto& [n, place] : {std::pair{1U, 0U}, {2U, 1U}, {3U, 2U}, {5U, 4U}}) {
    const Placed placed(n, place);
    ASSERT_EQ(placed.position_in_super_segment(), place);
    for (std::size_t i = 0; i < kNumPieces; ++i) {
      const auto piece = placed.piece(i);
      EXPECT_TRUE(is_valid_piece(SimdMode::kBest, *piece, placed.header.root, n, position(i)))
          << "position " << i << ", segment " << place << " of " << n;
    }
  }
  const PiecePtr without = std::make_unique<Piece>(example_segments()[1].pieces[0]);
  const Placed placed(2, 1);
  EXPECT_FALSE(is_valid_piece(SimdMode::kBest, *without, placed.header.root, 2, position(0)));
}

// Segment 4 of 5 has a proof of one element, segment 0 one of three.
TEST(PieceValidation, EveryFlippedHeaderByteIsNoticed) {
  for (const std::uint32_t place : {4U, 0U}) {
    const Placed placed(5, place);
    const std::size_t n_used = used_part(placed.proof).size();
    ASSERT_EQ(n_used, place == 4 ? 1U : 3U);
    // The element behind the proof ends it; a flipped byte there makes the proof longer.
    const std::size_t first_ignored = 56 + 32 * (n_used + 1);
    const auto piece = placed.piece(77);
    const std::span<std::uint8_t> bytes = mutable_bytes_of(*piece);
    // The tail of the proof is 17 hashes; for the second place a few bytes of it are enough.
    for (std::size_t i = 0; i < kPieceHeaderSize; i += place == 0 && i >= 24 ? 11 : 1) {
      bytes[i] ^= 0x10;
      const bool is_covered = !(i >= 12 && i < 20) && !(i >= first_ignored && i < 696);
      ASSERT_EQ(is_valid_piece(SimdMode::kBest, *piece, placed.header.root, 5, position(77)),
                !is_covered)
          << "byte " << i;
      bytes[i] ^= 0x10;
    }
  }
}

TEST(PieceValidation, FlippedRecordBytesAreNoticed) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  auto piece = std::make_unique<Piece>(valid_pieces()[200]);
  const std::span<std::uint8_t> bytes = mutable_bytes_of(*piece);
  std::vector<std::size_t> places = {kPieceHeaderSize, kPieceSize - 1};
  for (int i = 0; i < 60; ++i) {
    places.push_back(kPieceHeaderSize + random() % kRecordSize);
  }
  for (const std::size_t i : places) {
    bytes[i] ^= 1;
    EXPECT_THROW(verify_piece_of_segment(SimdMode::kBest, *piece, position(200), valid_identity()),
                 InvalidRecordProof)
        << "byte " << i;
    bytes[i] ^= 1;
  }
  EXPECT_NO_THROW(
      verify_piece_of_segment(SimdMode::kBest, *piece, position(200), valid_identity()));
}

TEST(PieceValidation, StrictCheckSaysWhatIsWrong) {
  const Placed placed(5, 3);
  const PieceIndex index = piece_index_at(SegmentIndex(kExampleGlobalIndex), position(9));
  const auto verify = [&](const Piece& piece, PieceIndex as) {
    verify_piece(SimdMode::kBest, piece, as, placed.header);
  };
  const auto piece = placed.piece(9);
  EXPECT_NO_THROW(verify(*piece, index));
  // Another position of the segment, the same position of another segment.
  EXPECT_THROW(verify(*piece, PieceIndex(index.value() + 1)), InvalidRecordProof);
  EXPECT_THROW(verify(*piece, PieceIndex(index.value() + kNumPieces)), MisplacedPiece);

  Piece& damaged = *piece;
  damaged.header.super_segment_index = 5;
  EXPECT_THROW(verify(damaged, index), MisplacedPiece);
  damaged = *placed.piece(9);
  damaged.header.segment_proof[0].bytes[0] ^= 1;
  EXPECT_THROW(verify(damaged, index), InvalidSegmentProof);
  damaged = *placed.piece(9);
  damaged.header.record_proof[7].bytes[31] ^= 1;
  try {
    verify(damaged, index);
    FAIL() << "a wrong record proof was accepted";
  } catch (const InvalidRecordProof& error) {
    EXPECT_NE(std::string(error.what()).find("segment 1000, position 9"), std::string::npos)
        << error.what();
    EXPECT_EQ(error.kind(), ErrorKind::kCorrupt);
  }
}

TEST(PieceValidation, KnownSegmentIsCheckedFieldByField) {
  SegmentIdentity identity = valid_identity();
  const auto verify = [&](const SegmentIdentity& as) {
    return verify_piece_of_segment(SimdMode::kBest, valid_pieces()[3], position(3), as);
  };
  EXPECT_EQ(verify(identity), record_root(SimdMode::kBest, valid_pieces()[3].record,
                                          valid_pieces()[3].header.parity_chunks_root));
  identity.super_segment.reset();
  EXPECT_NO_THROW(verify(identity));
  SegmentIdentity other = identity;
  other.shard = ShardIndex(0);
  EXPECT_THROW(verify(other), MisplacedPiece);
  other = identity;
  other.local_index = LocalSegmentIndex(2);
  EXPECT_THROW(verify(other), MisplacedPiece);
  other = identity;
  other.root.bytes[0] ^= 1;
  EXPECT_THROW(verify(other), MisplacedPiece);
}

}  // namespace
}  // namespace furrow
