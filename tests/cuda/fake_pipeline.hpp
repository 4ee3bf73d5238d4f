// SPDX-License-Identifier: Apache-2.0
// A stand-in for the record pipeline: the same memory, copies and launches in small, and an
// "encoding" that takes no time. What is tested with it is all that lies around the pipeline.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "furrow/core/evaluation_seed.hpp"

#include "cuda/batch_pipeline.hpp"
#include "cuda/runtime/check.hpp"
#include "cuda/runtime/device_buffer.hpp"
#include "cuda/runtime/log.hpp"
#include "cuda/simt.cuh"

namespace furrow::cuda {

/// Every byte changes, and differently for each seed and chunk.
FURROW_HD inline void fake_encode_chunk(const std::uint8_t* seed, std::uint32_t index,
                                        std::uint8_t* chunk) {
  for (std::uint32_t i = 0; i < kChunkSize; ++i) {
    chunk[i] = static_cast<std::uint8_t>(3 * chunk[i] + seed[i] + 5 * index);
  }
}

FURROW_HD inline std::uint8_t fake_bitmap_byte(const std::uint8_t* seed, std::uint32_t index) {
  return static_cast<std::uint8_t>(seed[index % kPosSeedSize] ^ index);
}

/// Whether the stand-in says that it had no room for a record.
FURROW_HD inline bool fake_overflows(const std::uint8_t* seed) {
  return seed[0] % 8 == 3;
}

/// What a record becomes, computed on the host.
inline void fake_encode_from_seed(const PosSeed& seed, Record& record, FoundProofs& found_proofs) {
  for (std::uint32_t i = 0; i < kNumChunks; ++i) {
    fake_encode_chunk(seed.data(), i, record[i].data());
  }
  for (std::uint32_t i = 0; i < kFoundProofsSize; ++i) {
    found_proofs.bytes[i] = fake_bitmap_byte(seed.data(), i);
  }
}

inline PosSeed seed_of(const SectorId& sector_id, PieceOffset offset) {
  PosSeed seed;
  core::evaluation_seed(sector_id.data(), offset.value(), seed.data());
  return seed;
}

/// An EncodeOneRecord.
inline EncodeOutcome fake_encode_on_cpu(Network /*network*/, const SectorId& sector_id,
                                        PieceOffset offset, Record& record,
                                        FoundProofs& found_proofs, const MayGoOn& /*go_on*/) {
  fake_encode_from_seed(seed_of(sector_id, offset), record, found_proofs);
  return EncodeOutcome::kComplete;
}

// One block = one record; thread t owns chunks t, t + blockDim.x, ...
__global__ inline void fake_encode(const PosSeed* seeds, Record* records, FoundProofs* found) {
  const std::uint8_t* seed = seeds[blockIdx.x].data();
  for (std::uint32_t i = threadIdx.x; i < kNumChunks; i += blockDim.x) {
    fake_encode_chunk(seed, i, records[blockIdx.x][i].data());
  }
  for (std::uint32_t i = threadIdx.x; i < kFoundProofsSize; i += blockDim.x) {
    found[blockIdx.x].bytes[i] = fake_bitmap_byte(seed, i);
  }
}

__global__ inline void fake_report(const PosSeed* seeds, RecordStatus* status) {
  const bool overflows = fake_overflows(seeds[blockIdx.x].data());
  status[blockIdx.x] = {overflows ? 4U : std::uint32_t{kNumChunks}, overflows ? 9U : 0U};
}

class FakePipeline final : public BatchPipeline {
 public:
  FakePipeline(StreamView stream, std::size_t max_records)
      : stream_(stream),
        d_seeds_(stream, max_records),
        d_records_(stream, max_records),
        d_found_(stream, max_records),
        d_status_(stream, max_records) {}

  static std::uint64_t device_bytes(std::size_t max_records) {
    return max_records *
           (sizeof(PosSeed) + sizeof(Record) + sizeof(FoundProofs) + sizeof(RecordStatus));
  }

  void enqueue(std::size_t n, const PosSeed* seeds, const Record* records_in, Record* records_out,
               FoundProofs* found_out, RecordStatus* status_out, const BatchMarks& marks) override {
    const auto blocks = static_cast<unsigned>(n);
    const cudaStream_t stream = stream_.get();
    check(cudaMemcpyAsync(d_seeds_.data(), seeds, n * sizeof(PosSeed), cudaMemcpyHostToDevice,
                          stream));
    check(cudaMemcpyAsync(d_records_.data(), records_in, n * sizeof(Record), cudaMemcpyHostToDevice,
                          stream));
    marks.uploaded.record(stream_);
    launch(fake_encode, {dim3(blocks), dim3(2)}, stream, d_seeds_.data(), d_records_.data(),
           d_found_.data());
    launch(fake_report, {dim3(blocks), dim3(1)}, stream, d_seeds_.data(), d_status_.data());
    marks.computed.record(stream_);
    check(cudaMemcpyAsync(records_out, d_records_.data(), n * sizeof(Record),
                          cudaMemcpyDeviceToHost, stream));
    check(cudaMemcpyAsync(found_out, d_found_.data(), n * sizeof(FoundProofs),
                          cudaMemcpyDeviceToHost, stream));
    check(cudaMemcpyAsync(status_out, d_status_.data(), n * sizeof(RecordStatus),
                          cudaMemcpyDeviceToHost, stream));
  }

 private:
  StreamView stream_;
  DeviceBuffer<PosSeed> d_seeds_;
  DeviceBuffer<Record> d_records_;
  DeviceBuffer<FoundProofs> d_found_;
  DeviceBuffer<RecordStatus> d_status_;
};

inline BatchPipelines fake_pipelines() {
  return {.device_bytes = FakePipeline::device_bytes,
          .make = [](StreamView stream, std::size_t max_records) {
            return std::make_unique<FakePipeline>(stream, max_records);
          }};
}

/// Collects what the CUDA engine logs while it lives. One at a time.
class LogCapture {
 public:
  LogCapture() {
    instance() = this;
    previous_ = set_cuda_log_sink([](CudaLogLevel level, std::string_view line) {
      const std::lock_guard lock(instance()->mutex_);
      (level == CudaLogLevel::kWarning ? instance()->warnings_ : instance()->debug_)
          .emplace_back(line);
    });
  }
  LogCapture(const LogCapture&) = delete;
  LogCapture& operator=(const LogCapture&) = delete;
  ~LogCapture() { set_cuda_log_sink(previous_); }

  [[nodiscard]] const std::vector<std::string>& warnings() const { return warnings_; }
  [[nodiscard]] const std::vector<std::string>& debug() const { return debug_; }

 private:
  static LogCapture*& instance() {
    static LogCapture* capture = nullptr;
    return capture;
  }
  CudaLogSink previous_;
  std::mutex mutex_;
  std::vector<std::string> warnings_;
  std::vector<std::string> debug_;
};

}  // namespace furrow::cuda
