// SPDX-License-Identifier: Apache-2.0
// furrow/c/piece.h on an archived segment: what is valid, what is rebuilt, and what is refused.
#include <array>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "host/archive/segment_builder.hpp"
#include "host/archive/super_segment.hpp"
#include "tests/unit/capi/capi_support.hpp"
#include "tests/unit/capi/golden_vectors.hpp"

namespace furrow {
namespace {

using test::expect_null_refused;
using test::expect_overlap_refused;
using test::expect_refused;
using test::make_library;
using test::OddBuffer;

constexpr std::uint64_t kSegment = 1000;
constexpr std::uint64_t kFirstPiece = kSegment * FURROW_PIECES_IN_SEGMENT;

/// A segment of random records, the first of the two of super segment 71.
struct Segment {
  SegmentPieces pieces;
  SuperSegmentHeader header;

  static const Segment& instance() {
    static const Segment segment;
    return segment;
  }
  [[nodiscard]] const std::uint8_t* piece(std::size_t position) const {
    return bytes_of(pieces[position]).data();
  }
  [[nodiscard]] const std::uint8_t* header_bytes() const { return bytes_of(header).data(); }

 private:
  Segment() {
    for (std::size_t i = 0; i < kNumRawRecords; ++i) {
      const auto record = vectors::stream(i, kRecordSize);
      std::memcpy(&pieces[i].record, record.data(), record.size());
    }
    const Hash root =
        build_segment(pieces, ShardIndex(5), LocalSegmentIndex(1), ErasureCoding(), {.threads = 2});
    const std::vector<SuperSegmentMember> members = {{ShardIndex(5), LocalSegmentIndex(1), root},
                                                     {ShardIndex(6), LocalSegmentIndex(9), Hash{}}};
    const std::vector<Hash> leaves = super_segment_leaves(members);
    SuperSegmentHeader previous;
    previous.index = 70;
    previous.max_segment_index = kSegment - 1;
    header = next_super_segment(previous, *super_segment_root(leaves), 2, 5000);
    set_super_segment(pieces, SuperSegmentIndex(71), SegmentPosition(0),
                      super_segment_proof(leaves, SegmentPosition(0)));
  }
};

/// A rebuilding from the pieces of the segment; they are made only where a test needs them.
struct Rebuild {
  Rebuild() {
    furrow_rebuild_request_init(&request, sizeof(request));
    request.piece_index = kFirstPiece + 3;
    request.pieces = pieces.data();
    request.piece = piece.data();
    request.threads = 2;
  }
  /// Those at positions from `first` on.
  void give(std::size_t first, std::size_t count) {
    for (std::size_t i = first; i < first + count; ++i) {
      pieces[i] = Segment::instance().piece(i);
    }
  }
  furrow_status run(const test::LibraryHandle& library) {
    return furrow_piece_rebuild(library.get(), &request, &rejected);
  }
  void expect_piece(std::size_t position) {
    EXPECT_EQ(std::memcmp(piece.data(), Segment::instance().piece(position), FURROW_PIECE_SIZE), 0)
        << position;
  }

  std::array<const std::uint8_t*, FURROW_PIECES_IN_SEGMENT> pieces{};
  OddBuffer piece{FURROW_PIECE_SIZE};
  std::size_t rejected = 12345;
  furrow_rebuild_request request{};
};

OddBuffer copy_of_piece(std::size_t position) {
  return OddBuffer(std::span(Segment::instance().piece(position), FURROW_PIECE_SIZE));
}

TEST(CPiece, ValidOnesAreToldFromOthers) {
  const Segment& segment = Segment::instance();
  const auto library = make_library();
  const auto is_valid = [&](OddBuffer& piece, std::uint8_t position, std::uint32_t num_segments) {
    OddBuffer root(segment.header.root.bytes);
    int result = -1;
    EXPECT_EQ(furrow_piece_is_valid(library.get(), piece.data(), position, root.data(),
                                    num_segments, &result),
              FURROW_OK);
    return result;
  };
  OddBuffer header{std::span(segment.header_bytes(), FURROW_SUPER_SEGMENT_HEADER_SIZE)};
  const auto verify = [&](OddBuffer& piece, std::uint64_t index) {
    return furrow_piece_verify(library.get(), piece.data(), index, header.data());
  };
  for (const std::size_t position : {0U, 127U, 128U, 255U}) {
    OddBuffer piece = copy_of_piece(position);
    EXPECT_EQ(verify(piece, kFirstPiece + position), FURROW_OK) << furrow_last_error();
    EXPECT_EQ(is_valid(piece, static_cast<std::uint8_t>(position), 2), 1);
    EXPECT_EQ(is_valid(piece, static_cast<std::uint8_t>(position ^ 1), 2), 0);
    EXPECT_EQ(is_valid(piece, static_cast<std::uint8_t>(position), 0), 0);
    piece.data()[FURROW_PIECE_SIZE - 1] ^= 1;
    EXPECT_EQ(verify(piece, kFirstPiece + position), FURROW_CORRUPT);
    EXPECT_EQ(test::last_error().kind, FURROW_ERROR_PIECE_INVALID);
    EXPECT_EQ(test::last_error().fields, FURROW_HAS_PIECE_INDEX | FURROW_HAS_SEGMENT_INDEX);
    EXPECT_EQ(test::last_error().piece_index, kFirstPiece + position);
    EXPECT_EQ(test::last_error().segment_index, kSegment);
    EXPECT_EQ(is_valid(piece, static_cast<std::uint8_t>(position), 2), 0);
  }
  OddBuffer piece = copy_of_piece(7);
  EXPECT_EQ(verify(piece, kFirstPiece + 7 + FURROW_PIECES_IN_SEGMENT), FURROW_MISMATCH)
      << "of the next segment";
  EXPECT_EQ(test::last_error().kind, FURROW_ERROR_PIECE_INVALID);
  EXPECT_EQ(verify(piece, UINT64_MAX), FURROW_MISMATCH);
  header.data()[8] ^= 1;  // the root
  EXPECT_EQ(verify(piece, kFirstPiece + 7), FURROW_CORRUPT);
  header.data()[0] ^= 1;  // the index
  EXPECT_EQ(verify(piece, kFirstPiece + 7), FURROW_MISMATCH);
}

TEST(CPiece, IsRebuiltFromAnyHalf) {
  const auto library = make_library();
  for (const bool knows_super_segment : {true, false}) {
    Rebuild rebuild;
    if (knows_super_segment) {
      rebuild.request.super_segment_header = Segment::instance().header_bytes();
    }
    rebuild.give(100, kNumRawRecords);
    ASSERT_EQ(rebuild.run(library), FURROW_OK) << furrow_last_error();
    rebuild.expect_piece(3);
    EXPECT_EQ(rebuild.rejected, 0U);

    // Given and asked for; two that are damaged; those at odd addresses are as good.
    rebuild.give(50, 180);
    OddBuffer shifted = copy_of_piece(60);
    rebuild.pieces[60] = shifted.data();
    OddBuffer damaged = copy_of_piece(70);
    damaged.data()[5000] ^= 1;
    rebuild.pieces[70] = damaged.data();
    rebuild.pieces[71] = rebuild.pieces[72];
    rebuild.request.piece_index = kFirstPiece + 60;
    ASSERT_EQ(rebuild.run(library), FURROW_OK) << furrow_last_error();
    rebuild.expect_piece(60);
    EXPECT_EQ(rebuild.rejected, 2U);
    rebuild.request.piece_index = kFirstPiece + 70;
    ASSERT_EQ(furrow_piece_rebuild(library.get(), &rebuild.request, nullptr), FURROW_OK);
    rebuild.expect_piece(70);
  }
}

TEST(CPiece, TooFewValidOnesRebuildNothing) {
  const auto library = make_library();
  OddBuffer damaged = copy_of_piece(127);
  damaged.data()[5000] ^= 1;
  for (const bool knows_super_segment : {true, false}) {
    Rebuild rebuild;
    rebuild.request.piece_index = kFirstPiece + 200;
    if (knows_super_segment) {
      rebuild.request.super_segment_header = Segment::instance().header_bytes();
    }
    const auto expect_unavailable = [&](const char* n_valid) {
      EXPECT_EQ(rebuild.run(library), FURROW_UNAVAILABLE) << furrow_last_error();
      EXPECT_EQ(test::last_error().kind, FURROW_ERROR_NOT_ENOUGH_PIECES);
      EXPECT_EQ(test::last_error().fields, FURROW_HAS_SEGMENT_INDEX);
      EXPECT_EQ(test::last_error().segment_index, kSegment);
      EXPECT_STREQ(test::last_error().expected, "128");
      EXPECT_STREQ(test::last_error().actual, n_valid);
    };
    expect_unavailable("0");
    rebuild.pieces[127] = damaged.data();
    expect_unavailable("0");
    rebuild.give(0, 127);
    expect_unavailable("127");
    EXPECT_TRUE(rebuild.piece.is_untouched());
    EXPECT_EQ(rebuild.rejected, 12345U);
  }
  // What another super segment says of the same pieces.
  Rebuild rebuild;
  rebuild.give(0, 128);
  SuperSegmentHeader other = Segment::instance().header;
  other.root.bytes[0] ^= 1;
  rebuild.request.super_segment_header = bytes_of(other).data();
  EXPECT_EQ(rebuild.run(library), FURROW_UNAVAILABLE);
  EXPECT_NE(std::string(furrow_last_error()).find("the first: piece 256000"), std::string::npos)
      << furrow_last_error();
}

TEST(CPiece, StructAndPointersAreChecked) {
  const auto library = make_library();
  Rebuild rebuild;
  // With nothing to rebuild from, what is taken is FURROW_UNAVAILABLE.
  test::expect_struct_rules(rebuild.request, [&](const furrow_rebuild_request* given) {
    const furrow_status status = furrow_piece_rebuild(library.get(), given, nullptr);
    return status == FURROW_UNAVAILABLE ? FURROW_OK : status;
  });
  const furrow_rebuild_request valid = rebuild.request;
  expect_null_refused(furrow_piece_rebuild(nullptr, &valid, nullptr), "library");
  rebuild.request.pieces = nullptr;
  expect_null_refused(rebuild.run(library), "pieces");
  rebuild.request = valid;
  rebuild.request.piece = nullptr;
  expect_null_refused(rebuild.run(library), "piece");
  rebuild.request = valid;
  rebuild.request.reserved0 = 1;
  expect_refused(rebuild.run(library), "reserved0");
  rebuild.request = valid;
  rebuild.request.threads = UINT32_MAX;
  expect_refused(rebuild.run(library), "4294967295");

  rebuild.request = valid;
  rebuild.pieces[9] = rebuild.piece.data() - 1;
  expect_overlap_refused(rebuild.run(library));
  EXPECT_NE(std::string(furrow_last_error()).find("pieces[9]"), std::string::npos);
  rebuild.pieces[9] = nullptr;
  rebuild.request.super_segment_header = rebuild.piece.data() + 100;
  expect_overlap_refused(rebuild.run(library));
  EXPECT_TRUE(rebuild.piece.is_untouched());

  OddBuffer piece(FURROW_PIECE_SIZE);
  int is_valid = -1;
  auto* const raw = library.get();
  std::uint8_t* const bytes = piece.data();
  expect_null_refused(furrow_piece_verify(nullptr, bytes, 0, bytes), "library");
  expect_null_refused(furrow_piece_verify(raw, nullptr, 0, bytes), "piece");
  expect_null_refused(furrow_piece_verify(raw, bytes, 0, nullptr), "super_segment_header");
  expect_null_refused(furrow_piece_is_valid(nullptr, bytes, 0, bytes, 1, &is_valid), "library");
  expect_null_refused(furrow_piece_is_valid(raw, nullptr, 0, bytes, 1, &is_valid), "piece");
  expect_null_refused(furrow_piece_is_valid(raw, bytes, 0, nullptr, 1, &is_valid),
                      "super_segment_root");
  expect_null_refused(furrow_piece_is_valid(raw, bytes, 0, bytes, 1, nullptr), "is_valid");
  EXPECT_EQ(is_valid, -1);
  EXPECT_EQ(furrow_piece_is_valid(raw, bytes, 0, bytes, UINT32_MAX, &is_valid), FURROW_OK);
  EXPECT_EQ(is_valid, 0) << "rubbish";
  EXPECT_EQ(furrow_piece_verify(raw, bytes, UINT64_MAX, bytes), FURROW_CORRUPT)
      << furrow_last_error();
}

}  // namespace
}  // namespace furrow
