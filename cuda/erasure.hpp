// SPDX-License-Identifier: Apache-2.0
// Parity chunks of records on the device (docs/spec/04-erasure-coding.md, section 5).
#pragma once

#include <cstddef>
#include <cstdint>

#include "furrow/core/params.hpp"

#include "cuda/runtime/device_buffer.hpp"

namespace furrow::cuda {

/// What multiplication in the transform looks up, one for each device. Read-only once made, so any
/// number of streams of that device may use it at the same time.
class ErasureTable {
 public:
  /// Device memory of one table: 1 MiB.
  static constexpr std::size_t kDeviceBytes = std::size_t{1} << 20;

  /// Computes the table on the host (milliseconds) and waits until it is on the device. Throws
  /// CudaOutOfMemory or CudaError.
  explicit ErasureTable(StreamView stream);
  [[nodiscard]] const std::uint32_t* data() const noexcept { return products_.data(); }

 private:
  DeviceBuffer<std::uint32_t> products_;
};

/// Source and parity chunks of `n_records` records in device memory. Every address and stride is a
/// multiple of 4 bytes (of 32 for full speed); source and parity do not overlap.
struct ErasureBatch {
  std::size_t n_records;
  const std::uint8_t* d_source;               // [n_records][2^log_chunks][32] bytes
  std::uint8_t* d_parity;                     // the same shape; also the working memory
  std::uint64_t source_stride = kRecordSize;  // bytes from one record to the next
  std::uint64_t parity_stride = kRecordSize;
  unsigned log_chunks = 15;  // 5 and 10 are there for tests
};

/// Enqueues the computation of all parity chunks. Needs no memory beside the parity. Throws
/// InvalidArgument for a batch that breaks the rules above, CudaError when a launch fails.
void extend_records(StreamView stream, const ErasureTable& table, const ErasureBatch& batch);

}  // namespace furrow::cuda
