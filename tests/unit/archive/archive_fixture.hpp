// SPDX-License-Identifier: Apache-2.0
// Things that several tests of archiving need and that take long to make.
#pragma once

#include <cstdint>
#include <vector>

#include "host/archive/archiver.hpp"
#include "host/archive/piece_validation.hpp"

namespace furrow::test {

inline constexpr ComputeOptions kTwoThreads{2, SimdMode::kBest};

/// Bytes with a period coprime to every size in a segment, so that swapped parts show; `salt` tells
/// blocks apart.
std::vector<std::uint8_t> periodic_block(std::size_t size, unsigned salt);

/// The three blocks of the worked example of docs/spec/05-archiving-and-pieces.md, section 4.3.
inline constexpr std::size_t kExampleBlockSizes[3] = {67'108'864, 89'478'484, 268'435'456};
inline constexpr std::uint32_t kExampleShard = 1029;

/// The example's segments 0 to 2, and segment 3 with what waited, which close() gave. Made once.
const std::vector<ArchivedSegment>& example_segments();

/// Segment 1 of the example as the only member of a super segment. Global index:
/// kExampleGlobalIndex.
const SegmentPieces& valid_pieces();
const SuperSegmentHeader& valid_super_segment();
inline constexpr std::uint64_t kExampleGlobalIndex = 1000;
SegmentIdentity valid_identity();

}  // namespace furrow::test
