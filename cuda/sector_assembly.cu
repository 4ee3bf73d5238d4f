// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <string>

#include "furrow/errors.hpp"

#include "cuda/hash_many.hpp"
#include "cuda/kernels/sector_layout.cuh"
#include "cuda/runtime/check.hpp"
#include "cuda/sector_assembly.hpp"

namespace furrow::cuda {
namespace {

constexpr unsigned kColumnBlocks = SectorShape::kColumns / (SectorShape::kThreads / 32);
/// Enough to clear a whole region fast, few enough to cost nothing when there is nothing to clear.
constexpr unsigned kClearBlocks = 256;

std::size_t groups_of(std::uint16_t n_pieces) {
  return (std::size_t{n_pieces} + SectorShape::kGroup - 1) / SectorShape::kGroup;
}
std::size_t earlier_size(std::uint16_t n_pieces) {
  return groups_of(n_pieces) * kNumSBuckets;
}
std::size_t before_size(std::uint16_t n_pieces) {
  return std::size_t{n_pieces} * SectorShape::kColumns;
}
/// The sector's own tree is the larger one of the two.
std::size_t tree_bytes(std::uint16_t n_pieces) {
  return hash_scratch_bytes(1, sector_checksum_offset(n_pieces));
}

void check_alignment(const char* what, const void* address, std::size_t alignment) {
  if (reinterpret_cast<std::uintptr_t>(address) % alignment != 0) {
    throw InvalidArgument("sector on the device: expected " + std::string(what) + " aligned to " +
                          std::to_string(alignment) + " bytes, actual address " +
                          std::to_string(reinterpret_cast<std::uintptr_t>(address)));
  }
}

}  // namespace

std::size_t SectorAssembly::device_bytes(std::uint16_t max_pieces) {
  return earlier_size(max_pieces) * sizeof(std::uint16_t) +
         (kNumSBuckets + 1) * sizeof(std::uint32_t) +
         before_size(max_pieces) * sizeof(std::uint16_t) + tree_bytes(max_pieces);
}

SectorAssembly::SectorAssembly(StreamView stream, std::uint16_t max_pieces)
    : stream_(stream),
      max_pieces_(max_pieces),
      earlier_(stream, earlier_size(max_pieces)),
      offsets_(stream, kNumSBuckets + 1),
      before_(stream, before_size(max_pieces)),
      tree_(stream, tree_bytes(max_pieces)) {}

void SectorAssembly::enqueue(const SectorParts& parts) {
  if (parts.n_pieces == 0 || parts.n_pieces > max_pieces_) {
    throw InvalidArgument("sector on the device: expected 1 to " + std::to_string(max_pieces_) +
                          " pieces, actual " + std::to_string(parts.n_pieces));
  }
  check_alignment("bitmaps", parts.d_found_proofs, sizeof(std::uint32_t));
  check_alignment("records", parts.d_records, sizeof(uint4));
  check_alignment("the sector", parts.d_sector, kChunkSize);
  enqueue_counts(parts);
  const std::uint64_t map_bytes = std::uint64_t{parts.n_pieces} * kFoundProofsSize;
  enqueue_copy(parts.d_sector, parts.d_found_proofs, map_bytes);
  enqueue_checksum(parts.d_sector, map_bytes);
  enqueue_chunks(parts);
  enqueue_copy(parts.d_sector + record_metadata_offset(parts.n_pieces), parts.d_metadata,
               std::size_t{parts.n_pieces} * kRecordMetadataSize);
  enqueue_checksum(parts.d_sector, sector_checksum_offset(parts.n_pieces));
}

void SectorAssembly::enqueue_counts(const SectorParts& parts) {
  const auto* const bitmaps = reinterpret_cast<const std::uint32_t*>(parts.d_found_proofs);
  launch(count_s_buckets<>, {.grid = dim3(kColumnBlocks), .block = dim3(SectorShape::kThreads)},
         stream_.get(),
         SectorCountsView{.bitmaps = bitmaps,
                          .n_records = parts.n_pieces,
                          .earlier = earlier_.data(),
                          .sizes = parts.d_s_bucket_sizes});
  launch(sum_s_buckets<>, {.grid = dim3(1), .block = dim3(SectorShape::kScanThreads)},
         stream_.get(), parts.d_s_bucket_sizes, offsets_.data());
  launch(count_chunks_before<>,
         {.grid = dim3(parts.n_pieces), .block = dim3(SectorShape::kThreads)}, stream_.get(),
         bitmaps, parts.n_pieces, before_.data());
}

void SectorAssembly::enqueue_chunks(const SectorParts& parts) {
  const SectorLayoutView view{
      .bitmaps = reinterpret_cast<const std::uint32_t*>(parts.d_found_proofs),
      .earlier = earlier_.data(),
      .offsets = offsets_.data(),
      .before = before_.data(),
      .records = reinterpret_cast<const uint4*>(parts.d_records),
      .chunks = reinterpret_cast<uint4*>(parts.d_sector + record_chunks_offset(parts.n_pieces)),
      .n_records = parts.n_pieces};
  launch(place_chunks<>,
         {.grid = dim3(kColumnBlocks, static_cast<unsigned>(groups_of(parts.n_pieces))),
          .block = dim3(SectorShape::kThreads)},
         stream_.get(), view);
  launch(clear_unused_chunks<>, {.grid = dim3(kClearBlocks), .block = dim3(SectorShape::kThreads)},
         stream_.get(), view);
}

void SectorAssembly::enqueue_copy(std::uint8_t* d_to, const void* d_from, std::size_t n_bytes) {
  check(cudaMemcpyAsync(d_to, d_from, n_bytes, cudaMemcpyDeviceToDevice, stream_.get()),
        "cudaMemcpyAsync");
}

/// Hash of the first `n_bytes` of the sector, right behind them.
void SectorAssembly::enqueue_checksum(std::uint8_t* d_sector, std::uint64_t n_bytes) {
  hash_many(stream_,
            {.n_inputs = 1,
             .d_inputs = d_sector,
             .length = n_bytes,
             .stride = 0,
             .d_hashes = d_sector + n_bytes},
            tree_.data());
}

}  // namespace furrow::cuda
