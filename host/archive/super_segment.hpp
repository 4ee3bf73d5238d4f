// SPDX-License-Identifier: Apache-2.0
// Super segments: the beacon chain's collections of segments, whose roots a piece is verified
// against (docs/spec/05-archiving-and-pieces.md, section 8).
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "host/archive/segment_builder.hpp"
#include "host/primitives/segment_header.hpp"

namespace furrow {

/// Proof of a segment as it stands in a piece: unused elements at the end are zero.
using SegmentProof = std::array<Hash, kSegmentProofHashes>;

/// A segment as a member of a super segment; its place in a list is its position.
struct SuperSegmentMember {
  ShardIndex shard;
  LocalSegmentIndex index;
  Hash root;
};

/// Leaves of the tree, in position order.
std::vector<Hash> super_segment_leaves(std::span<const SuperSegmentMember> members);
/// None without leaves and with more than kMaxSegmentsInSuperSegment.
std::optional<Hash> super_segment_root(std::span<const Hash> leaves);
/// Pre: position < leaves.size() <= kMaxSegmentsInSuperSegment.
SegmentProof super_segment_proof(std::span<const Hash> leaves, SegmentPosition position);

/// The elements that count: those before the first zero one.
std::span<const Hash> used_part(const SegmentProof& proof);

/// The first super segment: one segment, the genesis segment of the beacon chain.
SuperSegmentHeader genesis_super_segment(const Hash& super_segment_root);
/// The super segment behind `previous`. Throws InvalidArgument when num_segments is 0 or above
/// kMaxSegmentsInSuperSegment.
SuperSegmentHeader next_super_segment(const SuperSegmentHeader& previous,
                                      const Hash& super_segment_root, std::uint32_t num_segments,
                                      std::uint64_t target_beacon_chain_block_number);

/// Global index of the segment at `position`.
SegmentIndex segment_index_in(const SuperSegmentHeader& header, SegmentPosition position);

/// Fills in the fields of the super segment in all pieces, which makes them valid.
void set_super_segment(SegmentPieces& pieces, SuperSegmentIndex index, SegmentPosition position,
                       const SegmentProof& proof);

/// The rule of Furrow's own archives, which know no beacon chain: every segment is a super segment
/// of its own with the same index, made for the beacon chain block behind that number. `previous`
/// is none for segment 0.
SuperSegmentHeader lone_super_segment(ShardIndex shard, const SegmentHeader& segment,
                                      const std::optional<SuperSegmentHeader>& previous);

}  // namespace furrow
