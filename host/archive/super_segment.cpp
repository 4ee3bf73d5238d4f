// SPDX-License-Identifier: Apache-2.0
#include "host/archive/super_segment.hpp"

#include <algorithm>
#include <string>

#include "host/primitives/merkle.hpp"

namespace furrow {

std::vector<Hash> super_segment_leaves(std::span<const SuperSegmentMember> members) {
  std::vector<Hash> leaves;
  leaves.reserve(members.size());
  for (const SuperSegmentMember& member : members) {
    const auto position = static_cast<std::uint32_t>(leaves.size());
    leaves.push_back(ShardSegmentRootWithPosition{member.shard.value(), position,
                                                  member.index.value(), member.root}
                         .hash());
  }
  return leaves;
}

std::optional<Hash> super_segment_root(std::span<const Hash> leaves) {
  if (leaves.size() > kMaxSegmentsInSuperSegment) {
    return std::nullopt;
  }
  return unbalanced_merkle_root(leaves);
}

SegmentProof super_segment_proof(std::span<const Hash> leaves, SegmentPosition position) {
  SegmentProof proof{};
  const std::vector<Hash> siblings = unbalanced_merkle_proof(leaves, position.value());
  std::copy(siblings.begin(), siblings.end(), proof.begin());
  return proof;
}

std::span<const Hash> used_part(const SegmentProof& proof) {
  const auto end = std::find(proof.begin(), proof.end(), Hash{});
  return {proof.begin(), end};
}

SuperSegmentHeader genesis_super_segment(const Hash& super_segment_root) {
  SuperSegmentHeader header;
  header.root = super_segment_root;
  header.target_beacon_chain_block_number = 1;
  header.num_segments = 1;
  return header;
}

SuperSegmentHeader next_super_segment(const SuperSegmentHeader& previous,
                                      const Hash& super_segment_root, std::uint32_t num_segments,
                                      std::uint64_t target_beacon_chain_block_number) {
  if (num_segments == 0 || num_segments > kMaxSegmentsInSuperSegment) {
    throw InvalidArgument("super segment: expected 1 to " +
                          std::to_string(kMaxSegmentsInSuperSegment) + " segments, actual " +
                          std::to_string(num_segments));
  }
  SuperSegmentHeader header;
  header.index = previous.index.value() + 1;
  header.root = super_segment_root;
  header.prev_super_segment_header_hash = previous.hash();
  header.max_segment_index = previous.max_segment_index.value() + num_segments;
  header.target_beacon_chain_block_number = target_beacon_chain_block_number;
  header.num_segments = num_segments;
  return header;
}

SegmentIndex segment_index_in(const SuperSegmentHeader& header, SegmentPosition position) {
  return SegmentIndex(header.max_segment_index.value() - header.num_segments.value() + 1 +
                      position.value());
}

void set_super_segment(SegmentPieces& pieces, SuperSegmentIndex index, SegmentPosition position,
                       const SegmentProof& proof) {
  for (Piece& piece : pieces.all()) {
    piece.header.super_segment_index = index.value();
    piece.header.segment_position = position.value();
    piece.header.segment_proof = proof;
  }
}

SuperSegmentHeader lone_super_segment(ShardIndex shard, const SegmentHeader& segment,
                                      const std::optional<SuperSegmentHeader>& previous) {
  // A tree of one leaf has that leaf as its root.
  const SuperSegmentMember member{shard, LocalSegmentIndex(segment.index.value()), segment.root};
  const Hash root = super_segment_leaves({&member, 1}).front();
  return previous ? next_super_segment(*previous, root, 1, segment.index.value() + 1)
                  : genesis_super_segment(root);
}

}  // namespace furrow
