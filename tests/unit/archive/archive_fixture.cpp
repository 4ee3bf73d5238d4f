// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/archive/archive_fixture.hpp"

#include <algorithm>
#include <cstring>

#include "host/archive/super_segment.hpp"

namespace furrow::test {

std::vector<std::uint8_t> periodic_block(std::size_t size, unsigned salt) {
  std::vector<std::uint8_t> block(size);
  std::uint64_t state = salt;
  std::uint8_t period[251];
  for (std::uint8_t& byte : period) {
    state = state * 6364136223846793005U + 1442695040888963407U;
    byte = static_cast<std::uint8_t>(state >> 56);
  }
  for (std::size_t i = 0; i < size; i += sizeof period) {
    std::memcpy(block.data() + i, period, std::min(sizeof period, size - i));
  }
  return block;
}

const std::vector<ArchivedSegment>& example_segments() {
  static const std::vector<ArchivedSegment> segments = [] {
    Archiver archiver(ShardIndex(kExampleShard), kTwoThreads);
    std::vector<ArchivedSegment> result;
    for (unsigned i = 0; i < 3; ++i) {
      for (ArchivedSegment& segment :
           archiver.add_block(periodic_block(kExampleBlockSizes[i], i)).segments) {
        result.push_back(std::move(segment));
      }
    }
    for (ArchivedSegment& segment : archiver.close()) {
      result.push_back(std::move(segment));
    }
    return result;
  }();
  return segments;
}

namespace {

struct ValidSegment {
  SegmentPieces pieces;
  SuperSegmentHeader header;
};

const ValidSegment& valid_segment() {
  static const ValidSegment valid = [] {
    ValidSegment result;
    const ArchivedSegment& segment = example_segments().at(1);
    std::copy(segment.pieces.all().begin(), segment.pieces.all().end(),
              result.pieces.all().begin());
    const SuperSegmentMember member{ShardIndex(kExampleShard), LocalSegmentIndex(1),
                                    segment.header.root};
    const std::vector<Hash> leaves = super_segment_leaves({&member, 1});
    SuperSegmentHeader previous;
    previous.index = 70;
    previous.max_segment_index = kExampleGlobalIndex - 1;
    result.header = next_super_segment(previous, *super_segment_root(leaves), 1, 5000);
    set_super_segment(result.pieces, SuperSegmentIndex(71), SegmentPosition(0),
                      super_segment_proof(leaves, SegmentPosition(0)));
    return result;
  }();
  return valid;
}

}  // namespace

const SegmentPieces& valid_pieces() {
  return valid_segment().pieces;
}
const SuperSegmentHeader& valid_super_segment() {
  return valid_segment().header;
}

SegmentIdentity valid_identity() {
  return {SegmentIndex(kExampleGlobalIndex), ShardIndex(kExampleShard), LocalSegmentIndex(1),
          example_segments().at(1).header.root, valid_super_segment()};
}

}  // namespace furrow::test
