// SPDX-License-Identifier: Apache-2.0
// What the encoder needs of a record pipeline. The seam is here for the tests of the encoder, which
// are about memory, streams and faults and have no use for ten seconds of proof of space.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>

#include "furrow/types.hpp"

#include "cuda/record_status.hpp"
#include "cuda/runtime/event.hpp"
#include "cuda/runtime/stream.hpp"

namespace furrow::cuda {

/// Marks that a batch sets in its stream, for who wants to know when the device got there.
struct BatchMarks {
  Event& uploaded;  ///< all that it needs is on the device
  Event& computed;  ///< all results are there, and none has come back
};

/// Encodes batches of records on the stream that it was made for. Thread-compatible.
class BatchPipeline {
 public:
  BatchPipeline() = default;
  BatchPipeline(const BatchPipeline&) = delete;
  BatchPipeline& operator=(const BatchPipeline&) = delete;
  virtual ~BatchPipeline() = default;
  /// As RecordPipeline::enqueue. `records_in` may be `records_out`: all are read before any is
  /// written.
  virtual void enqueue(std::size_t n, const PosSeed* seeds, const Record* records_in,
                       Record* records_out, FoundProofs* found_out, RecordStatus* status_out,
                       const BatchMarks& marks) = 0;
};

/// How to get pipelines.
struct BatchPipelines {
  /// Device memory of a pipeline for batches of this many records.
  std::function<std::uint64_t(std::size_t max_records)> device_bytes;
  std::function<std::unique_ptr<BatchPipeline>(StreamView stream, std::size_t max_records)> make;
};

/// RecordPipeline.
BatchPipelines record_pipelines();

}  // namespace furrow::cuda
