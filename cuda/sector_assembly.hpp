// SPDX-License-Identifier: Apache-2.0
// Bytes of a sector from its encoded records, all in device memory
// (docs/spec/03-record-encoding-and-sector.md, sections 3 and 4).
#pragma once

#include <cstddef>
#include <cstdint>

#include "furrow/core/sector_layout.hpp"
#include "furrow/piece.hpp"
#include "furrow/types.hpp"

#include "cuda/runtime/device_buffer.hpp"

namespace furrow::cuda {

/// Parts of a sector of `n_pieces` pieces, and what becomes of them. All in device memory; nothing
/// overlaps what is written. Chunk k of record p belongs to the k-th s-bucket of its bitmap, which
/// has at most 32768 bits set.
struct SectorParts {
  std::uint16_t n_pieces;             // at least 1
  const FoundProofs* d_found_proofs;  // [n_pieces], aligned to 4 bytes
  const Record* d_records;            // [n_pieces], encoded, aligned to 16 bytes
  const RecordMetadata* d_metadata;   // [n_pieces]
  std::uint8_t* d_sector;             // sector_size(n_pieces) bytes, aligned to 32
  std::uint16_t* d_s_bucket_sizes;    // [65536]: records that use each s-bucket
};

/// Working memory of assemblies on one stream. Move-only, thread-compatible.
class SectorAssembly {
 public:
  /// Device memory for sectors of up to `max_pieces`: 40 MiB for 1000.
  [[nodiscard]] static std::size_t device_bytes(std::uint16_t max_pieces);

  /// Throws CudaOutOfMemory or CudaError.
  SectorAssembly(StreamView stream, std::uint16_t max_pieces);

  /// Enqueues everything: contents map and its checksum, chunks in the order of s-buckets, record
  /// metadata, sector checksum. Every byte of the sector is written. Throws InvalidArgument for no
  /// pieces, more than max_pieces or a wrong alignment, CudaError when a call fails.
  void enqueue(const SectorParts& parts);

 private:
  void enqueue_counts(const SectorParts& parts);
  void enqueue_chunks(const SectorParts& parts);
  void enqueue_copy(std::uint8_t* d_to, const void* d_from, std::size_t n_bytes);
  void enqueue_checksum(std::uint8_t* d_sector, std::uint64_t n_bytes);

  StreamView stream_;
  std::uint16_t max_pieces_;
  DeviceBuffer<std::uint16_t> earlier_;
  DeviceBuffer<std::uint32_t> offsets_;
  DeviceBuffer<std::uint16_t> before_;
  DeviceBuffer<std::uint8_t> tree_;
};

}  // namespace furrow::cuda
