// SPDX-License-Identifier: Apache-2.0
#include "host/archive/segment_builder.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>

#include "host/primitives/merkle.hpp"

namespace furrow {
namespace {

void extend_segment(SegmentPieces& pieces, const ErasureCoding& erasure, unsigned threads) {
  parallel_for(kRecordSize / kErasureSliceSize, threads, [&](std::size_t slice) {
    std::array<std::span<const std::uint8_t>, kNumRawRecords> source;
    std::array<std::span<std::uint8_t>, kNumRawRecords> parity;
    for (std::size_t i = 0; i < kNumRawRecords; ++i) {
      source[i] = bytes_of(pieces[i].record).subspan(slice * kErasureSliceSize, kErasureSliceSize);
      parity[i] = mutable_bytes_of(pieces[kNumRawRecords + i].record)
                      .subspan(slice * kErasureSliceSize, kErasureSliceSize);
    }
    erasure.extend(source, parity);
  });
}

}  // namespace

Hash record_root(SimdMode mode, const Record& record, const Hash& parity_chunks_root) {
  return merkle_node(balanced_merkle_root(mode, bytes_of(record)), parity_chunks_root);
}

RecordCommitment commit_record(SimdMode mode, const ErasureCoding& erasure, const Record& record) {
  const auto parity_chunks = std::make_unique<Record>();
  erasure.extend_record(record, *parity_chunks);
  const Hash parity_chunks_root = balanced_merkle_root(mode, bytes_of(*parity_chunks));
  return {parity_chunks_root, record_root(mode, record, parity_chunks_root)};
}

void SourceRecordsWriter::put(std::span<const std::uint8_t> bytes) {
  while (!bytes.empty()) {
    const std::size_t offset = size_ % kRecordSize;
    const std::size_t n = std::min(bytes.size(), kRecordSize - offset);
    std::memcpy(mutable_bytes_of(pieces_[size_ / kRecordSize].record).data() + offset, bytes.data(),
                n);
    bytes = bytes.subspan(n);
    size_ += n;
  }
}

Hash build_segment(SegmentPieces& pieces, ShardIndex shard, LocalSegmentIndex index,
                   const ErasureCoding& erasure, const ComputeOptions& options) {
  extend_segment(pieces, erasure, options.threads);

  std::vector<Hash> record_roots(kNumPieces);
  parallel_for(kNumPieces, options.threads, [&](std::size_t position) {
    Piece& piece = pieces[position];
    const RecordCommitment commitment = commit_record(options.simd_mode, erasure, piece.record);
    piece.header.parity_chunks_root = commitment.parity_chunks_root;
    record_roots[position] = commitment.record_root;
  });

  const BalancedMerkleTree tree(options.simd_mode, record_roots);
  for (std::size_t position = 0; position < kNumPieces; ++position) {
    PieceHeader& header = pieces[position].header;
    header.shard_index = shard.value();
    header.local_segment_index = index.value();
    header.segment_root = tree.root();
    const std::vector<Hash> proof = tree.proof(position);
    std::copy(proof.begin(), proof.end(), header.record_proof.begin());
  }
  return tree.root();
}

}  // namespace furrow
