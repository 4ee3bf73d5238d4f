// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <optional>
#include <utility>

#include "cuda/cuda_records_encoder.hpp"
#include "cuda/encoder_memory.hpp"
#include "cuda/runtime/log.hpp"
#include "cuda/runtime/patience.hpp"
#include "cuda/runtime/retry.hpp"

namespace furrow::cuda {
namespace {

std::string name_of(int device) {
  cudaDeviceProp properties{};
  check(cudaGetDeviceProperties(&properties, device), "cudaGetDeviceProperties");
  return "cuda " + std::to_string(device) + " (" + properties.name + ")";
}

CudaEncoderOptions checked(CudaEncoderOptions options) {
  if (!options.fallback) {
    throw InvalidArgument("CUDA encoder: needs a fallback for records the device cannot encode");
  }
  return with_defaults(std::move(options));
}

/// What to try after lanes of `plan` could not be had: fewer when memory ran short, and the same
/// when something else did that may be there later.
LanePlan plan_after(const CudaError& error, LanePlan plan, unsigned attempts) {
  if (error.status() != cudaErrorMemoryAllocation) {
    before_next_attempt(error, attempts);
    return plan;
  }
  const std::optional<LanePlan> next = smaller(plan);
  if (!next.has_value()) {
    throw;
  }
  return *next;
}

/// What a device that hangs may still use, and what waits for it when it is released.
struct LeftBehind {
  std::vector<std::unique_ptr<Lane>> lanes;
  std::unique_ptr<StagingMemory> staging;
  LeftBehind* before = nullptr;
};

void keep_for_ever(std::unique_ptr<LeftBehind> left) {
  static std::atomic<LeftBehind*> last = nullptr;  // so that it is not taken for a leak
  left->before = last;
  while (!last.compare_exchange_weak(left->before, left.get())) {
  }
  static_cast<void>(left.release());
}

/// Leaves all lanes idle when it goes, unless the device hangs.
struct AbandonLanes {
  std::vector<std::unique_ptr<Lane>>& lanes;
  ~AbandonLanes() {
    for (const std::unique_ptr<Lane>& lane : lanes) {
      lane->abandon();
    }
  }
};

}  // namespace

CudaRecordsEncoder::CudaRecordsEncoder(CudaEncoderOptions options, BatchPipelines pipelines)
    : options_(checked(std::move(options))),
      pipelines_(std::move(pipelines)),
      name_(name_of(options_.device)) {
  LanePlan plan = with_attempts([this] {
    use_device(options_.device);
    return largest_plan();
  });
  for (unsigned attempts = 1;; ++attempts) {
    try {
      make_lanes(plan);
      return;
    } catch (const CudaError& error) {
      plan = plan_after(error, plan, attempts);
    }
  }
}

CudaRecordsEncoder::~CudaRecordsEncoder() = default;

LaneFootprint CudaRecordsEncoder::footprint() const {
  return {.device_bytes = pipelines_.device_bytes, .pinned_bytes = Lane::staging_bytes};
}

LanePlan CudaRecordsEncoder::largest_plan() const {
  const std::uint64_t free_bytes = free_device_bytes();
  const LaneFootprint lane = footprint();
  const std::optional<LanePlan> plan = plan_lanes(options_, lane, free_bytes);
  if (!plan.has_value()) {
    throw CudaOutOfMemory("encoder of one record", std::source_location::current(),
                          "memory of " + device_text(options_.device), lane.device_bytes(1),
                          usable_bytes(free_bytes));
  }
  return *plan;
}

/// Tells the user of this encoder, or of the process.
void CudaRecordsEncoder::warn(const std::string& line) const noexcept {
  if (!options_.on_warning) {
    log(CudaLogLevel::kWarning, line);
    return;
  }
  try {
    options_.on_warning(line);
  } catch (...) {  // NOLINT(bugprone-empty-catch): nothing ends because somebody cannot be told
  }
}

/// All lanes of the plan, or none.
void CudaRecordsEncoder::make_lanes(LanePlan plan) {
  const std::uint64_t lane_bytes = Lane::staging_bytes(plan.batch);
  auto staging = std::make_unique<StagingMemory>(plan.lanes * lane_bytes);
  if (!staging->is_pinned() && !std::exchange(was_pinning_reported_, true)) {
    warn(name_ + " copies through ordinary memory, which is slower: " + staging->problem());
  }
  std::vector<std::unique_ptr<Lane>> lanes;
  for (std::size_t i = 0; i < plan.lanes; ++i) {
    lanes.push_back(std::make_unique<Lane>(options_.device, plan.batch, pipelines_,
                                           staging->bytes().subspan(i * lane_bytes, lane_bytes)));
  }
  release();
  lanes_ = std::move(lanes);
  staging_ = std::move(staging);
  plan_ = plan;
}

void CudaRecordsEncoder::release() {
  lanes_.clear();  // first: they wait for what still uses the staging memory
  staging_.reset();
}

/// Runs `work` until it succeeds, with less memory each time that it runs short. However it ends,
/// no lane has a batch in flight.
template <class Work>
auto CudaRecordsEncoder::guarded(const std::stop_token& stop, const Work& work) {
  if (!loss_.empty()) {
    throw_loss();
  }
  while (true) {
    const Patience patience(options_.patience, stop);
    try {
      use_device(options_.device);
      const AbandonLanes at_the_end{lanes_};
      return work();
    } catch (const CudaError& error) {
      if (patience.has_run_out()) {
        leave_behind();
      }
      recover(error);
    }
  }
}

/// The device hangs.
void CudaRecordsEncoder::leave_behind() {
  is_silent_ = true;
  auto left = std::make_unique<LeftBehind>();
  left->lanes = std::exchange(lanes_, {});
  left->staging = std::move(staging_);
  keep_for_ever(std::move(left));
}

void CudaRecordsEncoder::throw_loss() const {
  if (is_silent_) {
    throw DeviceSilent(name_, loss_);
  }
  throw DeviceLost(name_, loss_);
}

/// Makes smaller lanes when that can help; otherwise the device is lost.
void CudaRecordsEncoder::recover(const CudaError& reason) {
  if (is_silent_) {
    lose_device(reason);
  }
  release();
  std::optional<LanePlan> plan = plan_;
  while (reason.error_class() == ErrorClass::kRetry && (plan = smaller(*plan)).has_value()) {
    try {
      make_lanes(*plan);
      warn(name_ + " goes on with " + std::to_string(plan->lanes) + " batches of " +
           std::to_string(plan->batch) + " records: " + reason.what());
      return;
    } catch (const CudaError& error) {
      if (error.error_class() != ErrorClass::kRetry) {
        lose_device(error);
      }
    }
  }
  lose_device(reason);
}

void CudaRecordsEncoder::lose_device(const CudaError& reason) {
  release();
  loss_ = reason.what();
  throw_loss();
}

EncodeOutcome CudaRecordsEncoder::encode(EncodingJob& job, std::stop_token stop) {
  if (job.network() != Network::kAbundance) {
    throw EncoderError(name_ + " has no kernels for records of " + traits_of(job.network()).name);
  }
  return guarded(stop, [&] { return run(job, stop); });
}

EncodeOutcome CudaRecordsEncoder::run(EncodingJob& job, const std::stop_token& stop) {
  const Lane::EncodeElsewhere elsewhere = [&](PieceOffset offset) {
    return encode_elsewhere(job, offset, stop);
  };
  transfer_.close();  // what a run that failed has left
  const DeviceClock clock(lanes_.front()->stream());
  // Lanes start in the order of the ring, so the next one to start is the oldest in flight.
  std::size_t idle = 0;
  for (std::size_t i = 0; idle < lanes_.size(); i = (i + 1) % lanes_.size()) {
    n_records_ += lanes_[i]->finish(elsewhere, clock, transfer_);
    settle_transfers(clock);
    const bool started = !stop.stop_requested() && lanes_[i]->start(job, clock);
    idle = started ? 0 : idle + 1;
  }
  return stop.stop_requested() ? EncodeOutcome::kCancelled : EncodeOutcome::kComplete;
}

/// Counts up to where the oldest batch in flight began: what is told of it comes later.
void CudaRecordsEncoder::settle_transfers(const DeviceClock& clock) {
  double until = clock.now();
  for (const std::unique_ptr<Lane>& lane : lanes_) {
    until = std::min(until, lane->in_flight_since().value_or(until));
  }
  transfer_.settle(until);
  transfer_seconds_ = transfer_.seconds();
}

EncodeOutcome CudaRecordsEncoder::encode_elsewhere(EncodingJob& job, PieceOffset offset,
                                                   const std::stop_token& stop) {
  const EncodeOutcome outcome = options_.fallback(
      job.network(), job.sector_id(), offset, job.record(offset), job.found_proofs(offset),
      [&] { return !stop.stop_requested() && job.may_go_on(); });
  if (outcome == EncodeOutcome::kComplete) {
    ++n_fallbacks_;
  }
  return outcome;
}

void CudaRecordsEncoder::encode_from_seed(const PosSeed& seed, Record& record,
                                          FoundProofs& found_proofs) {
  const RecordStatus status =
      guarded({}, [&] { return lanes_.front()->encode(seed, record, found_proofs); });
  if (!is_encoded(status)) {
    throw EncoderError(name_ + " cannot encode this record: it found " +
                       std::to_string(status.n_proofs) + " proofs, and had no room for " +
                       std::to_string(status.n_overflows) + " entries");
  }
  ++n_records_;
}

CudaEncoderState CudaRecordsEncoder::state() const {
  return {
      .n_records = n_records_,
      .n_fallbacks = n_fallbacks_,
      .lanes = lanes_.size(),
      .batch = lanes_.empty() ? 0 : plan_.batch,
      .device_bytes = lanes_.size() * pipelines_.device_bytes(plan_.batch),
      .pinned_bytes = staging_ != nullptr && staging_->is_pinned() ? staging_->bytes().size() : 0};
}

}  // namespace furrow::cuda

namespace furrow {

std::unique_ptr<CudaEncoder> make_cuda_records_encoder(CudaEncoderOptions options) {
  const int device = options.device;
  try {
    return std::make_unique<cuda::CudaRecordsEncoder>(std::move(options));
  } catch (const cuda::CudaError& error) {
    throw EncoderError("encoder cuda " + std::to_string(device) + ": " + error.what());
  }
}

}  // namespace furrow
