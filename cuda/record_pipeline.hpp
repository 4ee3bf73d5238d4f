// SPDX-License-Identifier: Apache-2.0
// A batch of records from source to encoded form on one stream: device memory and order of
// launches.
//
//   host     seeds, records                              encoded records, bitmaps, status
//                   │                                                   ▲
//   device          ▼                                                   │
//     clear ► tables 1 to 7 ► choose proofs ► erasure extend ► encode chunks
//
// Nothing but seeds, records and bitmaps crosses the bus. Memory of one record, K = 20:
//
//   tables, links, targets      84.1 MiB
//   source, parity, encoded      3   MiB
//   bitmap, list of s-buckets   72   KiB
#pragma once

#include <cstddef>
#include <cstdint>

#include "furrow/types.hpp"

#include "cuda/batch_pipeline.hpp"
#include "cuda/erasure.hpp"
#include "cuda/record_status.hpp"
#include "cuda/runtime/device_buffer.hpp"
#include "cuda/runtime/stream.hpp"

namespace furrow::cuda {

/// Thread-compatible. The stream must outlive it. `K` is the network's except where a device proves
/// itself (kTrialK) and in tests; its definitions are in record_pipeline.cuh.
template <unsigned K>
class RecordPipelineOf {
 public:
  /// Device memory that a pipeline for batches of `max_records` allocates.
  static std::size_t device_bytes(std::size_t max_records);

  /// Throws CudaOutOfMemory or CudaError; InvalidArgument for 0 or more than 65535 records.
  RecordPipelineOf(StreamView stream, std::size_t max_records);

  /// Enqueues the encoding of `n` records, at most max_records. All pointers are to host memory
  /// that must stay as it is until the stream gets there: `seeds` [n], `records_in` [n],
  /// `records_out` [n], `found_out` [n], `status_out` [n]. The caller has to wait only when it is
  /// not pinned. Record i is encoded only when status_out[i] says so (record_status.hpp);
  /// records_out[i] is undefined otherwise. Sets `marks` unless it is null. Throws CudaError.
  void enqueue(std::size_t n, const PosSeed* seeds, const Record* records_in, Record* records_out,
               FoundProofs* found_out, RecordStatus* status_out, const BatchMarks* marks = nullptr);

  /// Enqueues that no result of an earlier use of this memory, be it the right one, is left in it.
  /// Throws CudaError.
  void forget_results();

  [[nodiscard]] std::size_t max_records() const noexcept { return max_records_; }

 private:
  StreamView stream_;
  std::size_t max_records_;
  ErasureTable erasure_;
  DeviceBuffer<std::byte> d_tables_;
  DeviceBuffer<PosSeed> d_seeds_;
  DeviceBuffer<Record> d_source_;
  DeviceBuffer<Record> d_parity_;
  DeviceBuffer<Record> d_encoded_;
  DeviceBuffer<FoundProofs> d_found_;
  DeviceBuffer<std::uint16_t> d_used_;
  DeviceBuffer<RecordStatus> d_status_;
};

using RecordPipeline = RecordPipelineOf<kPosK>;

/// K of the record by which a device proves itself. The harness, which takes ten seconds for a
/// record of the network's K, takes the least K that gives proofs enough.
#if defined(__CUDACC__)
inline constexpr unsigned kTrialK = kPosK;
#else
inline constexpr unsigned kTrialK = 16;
#endif

}  // namespace furrow::cuda
