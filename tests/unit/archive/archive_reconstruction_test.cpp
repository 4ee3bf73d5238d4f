// SPDX-License-Identifier: Apache-2.0
// Pieces and records recovered from any 128 of the 256 pieces of a segment.
#include <algorithm>
#include <cstring>
#include <numeric>
#include <random>

#include <gtest/gtest.h>

#include "host/archive/segment_builder.hpp"
#include "host/archive/segment_reconstruction.hpp"
#include "host/primitives/merkle.hpp"
#include "tests/support/made_up_piece.hpp"
#include "tests/unit/archive/archive_fixture.hpp"

namespace furrow {
namespace {

using test::kTwoThreads;
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

/// 256 slots over the valid pieces without those at `missing`.
std::vector<const Piece*> slots_without(const std::vector<std::size_t>& missing) {
  std::vector<const Piece*> slots;
  for (const Piece& piece : valid_pieces().all()) {
    slots.push_back(&piece);
  }
  for (const std::size_t i : missing) {
    slots[i] = nullptr;
  }
  return slots;
}

std::vector<std::size_t> positions_from(std::size_t first, std::size_t n) {
  std::vector<std::size_t> positions(n);
  std::iota(positions.begin(), positions.end(), first);
  return positions;
}

void expect_whole(const ReconstructedSegment& result) {
  for (std::size_t i = 0; i < kNumPieces; ++i) {
    ASSERT_TRUE(same_piece(result.pieces[i], valid_pieces()[i])) << "position " << i;
  }
}

void expect_sources(const ReconstructedSources& result) {
  for (std::size_t i = 0; i < kNumRawRecords; ++i) {
    ASSERT_EQ(result.records[i], valid_pieces()[i].record) << "position " << i;
  }
}

ReconstructedPieces rebuilt_piece(PieceSlots slots, PiecePosition wanted,
                                  const SegmentIdentity& identity, const ErasureCoding& coding,
                                  const ComputeOptions& options) {
  ReconstructedPieces result = reconstruct_pieces(slots, {{wanted}}, identity, coding, options);
  EXPECT_EQ(result.pieces.size(), 1U);
  return result;
}

TEST(Reconstruction, RandomHalves) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  std::vector<std::size_t> order = positions_from(0, kNumPieces);
  for (int round = 0; round < 2; ++round) {
    std::shuffle(order.begin(), order.end(), random);
    const std::vector<std::size_t> missing(order.begin(), order.begin() + kNumRawRecords);
    const auto slots = slots_without(missing);
    if (round == 0) {
      const auto result = reconstruct_segment(slots, valid_identity(), erasure(), kTwoThreads);
      EXPECT_TRUE(result.rejected.empty());
      expect_whole(result);
    }
    expect_sources(reconstruct_source_records(slots, valid_identity(), erasure(), kTwoThreads));
    for (int i = 0; i < 3; ++i) {
      const std::size_t wanted = missing[random() % missing.size()];
      const auto piece =
          rebuilt_piece(slots, position(wanted), valid_identity(), erasure(), kTwoThreads);
      EXPECT_TRUE(same_piece(*piece.pieces[0], valid_pieces()[wanted])) << "position " << wanted;
    }
  }
}

TEST(Reconstruction, FromParityOnly) {
  const auto slots = slots_without(positions_from(0, kNumRawRecords));
  expect_whole(reconstruct_segment(slots, valid_identity(), erasure(), kTwoThreads));
  expect_sources(reconstruct_source_records(slots, valid_identity(), erasure(), kTwoThreads));
  const auto piece = rebuilt_piece(slots, position(64), valid_identity(), erasure(), kTwoThreads);
  EXPECT_TRUE(same_piece(*piece.pieces[0], valid_pieces()[64]));
}

TEST(Reconstruction, FromSourcesOnly) {
  const auto slots = slots_without(positions_from(kNumRawRecords, kNumRawRecords));
  expect_sources(reconstruct_source_records(slots, valid_identity(), erasure(), kTwoThreads));
  const auto piece = rebuilt_piece(slots, position(255), valid_identity(), erasure(), kTwoThreads);
  EXPECT_TRUE(same_piece(*piece.pieces[0], valid_pieces()[255]));
}

TEST(Reconstruction, OneMissingPieceAndOnePresentPiece) {
  for (const std::size_t wanted : {0U, 127U, 128U, 255U}) {
    const auto slots = slots_without({wanted});
    const auto piece =
        rebuilt_piece(slots, position(wanted), valid_identity(), erasure(), kTwoThreads);
    EXPECT_TRUE(same_piece(*piece.pieces[0], valid_pieces()[wanted])) << "position " << wanted;
  }
  const auto piece =
      rebuilt_piece(slots_without({}), position(5), valid_identity(), erasure(), kTwoThreads);
  EXPECT_TRUE(same_piece(*piece.pieces[0], valid_pieces()[5]));
}

TEST(Reconstruction, WithoutSuperSegmentItsFieldsComeFromAPiece) {
  SegmentIdentity identity = valid_identity();
  identity.super_segment.reset();
  // An honest proof has zeros behind its end; what else stands there is not carried over.
  auto odd = std::make_unique<Piece>(valid_pieces()[255]);
  odd->header.segment_proof[19].bytes.fill(7);
  auto slots = slots_without({3});
  slots[255] = odd.get();
  const auto piece = rebuilt_piece(slots, position(3), identity, erasure(), kTwoThreads);
  EXPECT_TRUE(same_piece(*piece.pieces[0], valid_pieces()[3]));
}

TEST(Reconstruction, BadInputsAreDroppedAndReported) {
  auto bad_record = std::make_unique<Piece>(valid_pieces()[10]);
  bad_record->record[5].bytes[5] ^= 1;
  auto bad_proof = std::make_unique<Piece>(valid_pieces()[130]);
  bad_proof->header.record_proof[0].bytes[0] ^= 1;
  auto slots = slots_without(positions_from(0, 10));
  slots[10] = bad_record.get();
  slots[130] = bad_proof.get();
  slots[131] = &valid_pieces()[132];  // a valid piece in the wrong place
  const auto result = reconstruct_segment(slots, valid_identity(), erasure(), kTwoThreads);
  expect_whole(result);
  ASSERT_EQ(result.rejected.size(), 3U);
  EXPECT_EQ(result.rejected[0].position, position(10));
  EXPECT_EQ(result.rejected[1].position, position(130));
  EXPECT_EQ(result.rejected[2].position, position(131));
  EXPECT_NE(result.rejected[1].reason.find("segment 1000, position 130"), std::string::npos)
      << result.rejected[1].reason;
}

TEST(Reconstruction, TooFewValidPiecesAreNamed) {
  auto slots = slots_without(positions_from(0, 129));
  try {
    reconstruct_source_records(slots, valid_identity(), erasure(), kTwoThreads);
    FAIL() << "127 pieces were enough";
  } catch (const NotEnoughPieces& error) {
    EXPECT_EQ(error.valid(), 127U);
  }
  auto bad = std::make_unique<Piece>(valid_pieces()[7]);
  bad->record[0].bytes[0] ^= 1;
  slots[7] = bad.get();
  try {
    rebuilt_piece(slots, position(0), valid_identity(), erasure(), kTwoThreads);
    FAIL() << "a bad piece was counted";
  } catch (const NotEnoughPieces& error) {
    EXPECT_NE(std::string(error.what()).find("segment 1000, position 7"), std::string::npos)
        << error.what();
  }
}

TEST(Reconstruction, OtherNumbersOfSlotsAreRefused) {
  auto slots = slots_without({});
  slots.pop_back();
  EXPECT_THROW(reconstruct_segment(slots, valid_identity(), erasure()), InvalidArgument);
}

// Somebody archived a parity record that is not the code of the sources. All pieces are valid, but
// what is rebuilt from them cannot be.
TEST(Reconstruction, DishonestParityShowsInTheRoot) {
  SegmentPieces forged;
  std::vector<Hash> roots(kNumPieces);
  for (std::size_t i = 0; i < kNumPieces; ++i) {
    forged[i] = valid_pieces()[i];
    if (i == 140) {
      forged[i].record[99].bytes[0] ^= 1;
    }
    roots[i] = record_root(SimdMode::kBest, forged[i].record, forged[i].header.parity_chunks_root);
  }
  const BalancedMerkleTree tree(SimdMode::kBest, roots);
  for (std::size_t i = 0; i < kNumPieces; ++i) {
    const std::vector<Hash> proof = tree.proof(i);
    std::copy(proof.begin(), proof.end(), forged[i].header.record_proof.begin());
    forged[i].header.segment_root = tree.root();
  }
  SegmentIdentity identity = valid_identity();
  identity.root = tree.root();
  identity.super_segment.reset();
  std::vector<const Piece*> slots(kNumPieces);
  for (std::size_t i = 1; i < 127; ++i) {
    slots[i] = &forged[i];
  }
  slots[140] = &forged[140];
  slots[200] = &forged[200];
  EXPECT_THROW(reconstruct_source_records(slots, identity, erasure(), kTwoThreads),
               SegmentRootMismatch);
  EXPECT_THROW(rebuilt_piece(slots, position(0), identity, erasure(), kTwoThreads),
               SegmentRootMismatch);
}

}  // namespace
}  // namespace furrow
