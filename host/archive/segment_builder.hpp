// SPDX-License-Identifier: Apache-2.0
// From 128 MiB of encoded segment to its 256 pieces (docs/spec/05-archiving-and-pieces.md, sections
// 5 to 7 and 9).
#pragma once

#include <cstdint>
#include <span>

#include "host/archive/segment_pieces.hpp"
#include "host/base/parallel_for.hpp"
#include "host/erasure/erasure_coding.hpp"
#include "host/primitives/segment_header.hpp"

namespace furrow {

/// A segment with its pieces. The fields of the super segment stay zero until it exists
/// (host/archive/super_segment.hpp); before that no piece is valid.
struct ArchivedSegment {
  SegmentHeader header;
  SegmentPieces pieces;
};

/// What binds a record to the root of its segment (section 6).
struct RecordCommitment {
  Hash parity_chunks_root;
  Hash record_root;
};

/// Root over the 65536 chunks of a record whose parity chunks have the given root.
Hash record_root(SimdMode mode, const Record& record, const Hash& parity_chunks_root);

/// Computes the parity chunks of a record and its roots.
RecordCommitment commit_record(SimdMode mode, const ErasureCoding& erasure, const Record& record);

/// Writes bytes one after another into the source records of `pieces`. Thread-compatible.
class SourceRecordsWriter {
 public:
  explicit SourceRecordsWriter(SegmentPieces& pieces) : pieces_(pieces) {}

  /// Pre: bytes.size() <= room().
  void put(std::span<const std::uint8_t> bytes);
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] std::size_t room() const { return kSegmentSize - size_; }

 private:
  SegmentPieces& pieces_;
  std::size_t size_ = 0;
};

/// Completes pieces whose 128 source records are filled in: parity records, and in every header the
/// shard index, local segment index, segment root, root of the parity chunks and record proof.
/// Returns the segment root. The bytes do not depend on `options`.
Hash build_segment(SegmentPieces& pieces, ShardIndex shard, LocalSegmentIndex index,
                   const ErasureCoding& erasure, const ComputeOptions& options);

/// Bytes of every shard that one step of segment-wide erasure coding works on: whole 64-byte
/// blocks, so that steps are independent, and few enough that all 256 slices stay in the cache.
inline constexpr std::size_t kErasureSliceSize = 8192;
static_assert(kErasureSliceSize % 64 == 0 && kRecordSize % kErasureSliceSize == 0);

}  // namespace furrow
