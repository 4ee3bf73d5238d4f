// SPDX-License-Identifier: Apache-2.0
// RecordsEncoder on one CUDA device: lanes in a ring, so that copies and the work of one batch hide
// behind the work of the others.
//
//   lane 0  | start |      on the device      | finish | start | ...
//   lane 1          | start |      on the device      | finish | ...
//   lane 2                  | start |      on the device      | finish | ...
//
// One thread of the host starts and finishes; it sleeps while the oldest lane is not done.
#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "furrow/cuda.hpp"

#include "cuda/batch_pipeline.hpp"
#include "cuda/lane.hpp"
#include "cuda/lane_plan.hpp"
#include "cuda/runtime/check.hpp"
#include "cuda/runtime/device_clock.hpp"
#include "cuda/runtime/staging_memory.hpp"
#include "cuda/transfer_time.hpp"

namespace furrow::cuda {

/// Thread-compatible, and not bound to the thread that made it.
class CudaRecordsEncoder final : public CudaEncoder {
 public:
  /// Takes the memory of all lanes: the largest plan that fits limits and free memory, and smaller
  /// ones for as long as allocations fail; what else may succeed later is tried again. Throws InvalidArgument for bad options, limits below one
  /// record among them, CudaOutOfMemory when there is no room for one record, CudaError.
  explicit CudaRecordsEncoder(CudaEncoderOptions options,
                              BatchPipelines pipelines = record_pipelines());
  ~CudaRecordsEncoder() override;

  /// Goes on with less when memory runs short; any other failure of the device is DeviceLost, from
  /// then on, and DeviceSilent when it hangs: also when it does not finish the batches in flight
  /// within half a second of a stop request.
  EncodeOutcome encode(EncodingJob& job, std::stop_token stop) override;
  void encode_from_seed(const PosSeed& seed, Record& record, FoundProofs& found_proofs) override;
  [[nodiscard]] std::chrono::duration<double> transfer_time() const override {
    return std::chrono::duration<double>(transfer_seconds_);
  }
  [[nodiscard]] std::string name() const override { return name_; }
  [[nodiscard]] CudaEncoderState state() const override;

 private:
  [[nodiscard]] LaneFootprint footprint() const;
  [[nodiscard]] LanePlan largest_plan() const;
  void warn(const std::string& line) const noexcept;
  void make_lanes(LanePlan plan);
  void release();
  void recover(const CudaError& reason);
  void leave_behind();
  [[noreturn]] void throw_loss() const;
  EncodeOutcome run(EncodingJob& job, const std::stop_token& stop);
  void settle_transfers(const DeviceClock& clock);
  EncodeOutcome encode_elsewhere(EncodingJob& job, PieceOffset offset, const std::stop_token& stop);
  [[noreturn]] void lose_device(const CudaError& reason);
  template <class Work>
  auto guarded(const std::stop_token& stop, const Work& work);

  CudaEncoderOptions options_;
  BatchPipelines pipelines_;
  std::string name_;
  LanePlan plan_;
  std::unique_ptr<StagingMemory> staging_;  ///< of all lanes, one after the other
  std::vector<std::unique_ptr<Lane>> lanes_;
  TransferTime transfer_;
  std::atomic<double> transfer_seconds_ = 0;  ///< of transfer_, for other threads
  bool was_pinning_reported_ = false;
  std::string loss_;        ///< why the device is lost; empty when it is not
  bool is_silent_ = false;  ///< it is lost because it hangs
  std::uint64_t n_records_ = 0;
  std::uint64_t n_fallbacks_ = 0;
};

}  // namespace furrow::cuda
