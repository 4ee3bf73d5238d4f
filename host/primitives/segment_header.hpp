// SPDX-License-Identifier: Apache-2.0
// Headers of segments and super segments (docs/spec/05-archiving-and-pieces.md, sections 7 and 8).
// The memory image of each is its wire format.
#pragma once

#include <cstdint>

#include "furrow/piece.hpp"

#include "host/crypto/blake3.hpp"

namespace furrow {

/// How far history was archived when a segment was closed.
struct LastArchivedBlock {
  LittleEndian<std::uint64_t> number;
  /// Archived bytes of that block; 0 means all of it.
  LittleEndian<std::uint32_t> partial_bytes;
  bool operator==(const LastArchivedBlock&) const = default;
};

/// 84 bytes; headers of a shard form a chain.
struct SegmentHeader {
  LittleEndian<std::uint64_t> index;  ///< local segment index
  Hash root;
  Hash prev_segment_header_hash;
  LastArchivedBlock last_archived_block;
  bool operator==(const SegmentHeader&) const = default;
  [[nodiscard]] Hash hash() const { return blake3(bytes_of(*this)); }
};
static_assert(sizeof(SegmentHeader) == 84 && alignof(SegmentHeader) == 1);

/// 92 bytes.
struct SuperSegmentHeader {
  LittleEndian<std::uint64_t> index;
  Hash root;
  Hash prev_super_segment_header_hash;
  LittleEndian<std::uint64_t> max_segment_index;  ///< largest global segment index in it
  LittleEndian<std::uint64_t> target_beacon_chain_block_number;
  LittleEndian<std::uint32_t> num_segments;
  bool operator==(const SuperSegmentHeader&) const = default;
  [[nodiscard]] Hash hash() const { return blake3(bytes_of(*this)); }
};
static_assert(sizeof(SuperSegmentHeader) == 92 && alignof(SuperSegmentHeader) == 1);

/// 48 bytes whose hash is a leaf of the tree of a super segment. The order of the fields is not
/// that of the piece header.
struct ShardSegmentRootWithPosition {
  LittleEndian<std::uint32_t> shard_index;
  LittleEndian<std::uint32_t> segment_position;
  LittleEndian<std::uint64_t> local_segment_index;
  Hash segment_root;
  bool operator==(const ShardSegmentRootWithPosition&) const = default;
  [[nodiscard]] Hash hash() const { return blake3(bytes_of(*this)); }
};
static_assert(sizeof(ShardSegmentRootWithPosition) == 48);

}  // namespace furrow
