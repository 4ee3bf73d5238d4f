#include <algorithm>
#include <limits>
#include <optional>
#include <utility>

#include "cuda/cuda_records_encoder.hpp"
#include "cuda/device_sector.hpp"
#include "cuda/runtime/log.hpp"

namespace furrow::cuda {
namespace {

constexpr std::size_t kDefaultBatch = 4;
/// Blocks that a grid may have in the direction of records.
constexpr std::size_t kMaxBatch = 65535;
constexpr std::uint64_t kNoLimit = std::numeric_limits<std::uint64_t>::max();
/// Free memory that is left to others, above all to the driver, which takes some when kernels are
/// loaded: a tenth, at most this.
constexpr std::uint64_t kMostHeadroom = std::uint64_t{512} << 20;

std::string name_of(int device) {
  cudaDeviceProp properties{};
  check(cudaGetDeviceProperties(&properties, device), "cudaGetDeviceProperties");
  return "cuda " + std::to_string(device) + " (" + properties.name + ")";
}

std::uint64_t free_device_bytes() {
  std::size_t free_bytes = 0;
  std::size_t total_bytes = 0;
  check(cudaMemGetInfo(&free_bytes, &total_bytes), "cudaMemGetInfo");
  return free_bytes;
}

std::uint64_t limit_or_none(std::uint64_t limit) {
  return limit == 0 ? kNoLimit : limit;
}

CudaEncoderOptions checked(CudaEncoderOptions options) {
  if (options.lanes == 0) {
    throw InvalidArgument("CUDA encoder: needs at least 1 lane, actual 0");
  }
  if (options.batch > kMaxBatch) {
    throw InvalidArgument("CUDA encoder: expected at most 65535 records in a batch, actual " +
                          std::to_string(options.batch));
  }
  if (!options.fallback) {
    throw InvalidArgument("CUDA encoder: needs a fallback for records the device cannot encode");
  }
  if (options.batch == 0) {
    options.batch = kDefaultBatch;
  }
  return options;
}

/// Leaves all lanes idle when it goes.
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
  use_device(options_.device);
  LanePlan plan = largest_plan();
  while (true) {
    try {
      make_lanes(plan);
      return;
    } catch (const CudaOutOfMemory&) {
      const std::optional<LanePlan> next = smaller(plan);
      if (!next.has_value()) {
        throw;
      }
      plan = *next;
    }
  }
}

CudaRecordsEncoder::~CudaRecordsEncoder() = default;

LaneFootprint CudaRecordsEncoder::footprint() const {
  return {.device_bytes = pipelines_.device_bytes, .pinned_bytes = Lane::pinned_bytes};
}

LanePlan CudaRecordsEncoder::largest_plan() const {
  const std::uint64_t free_bytes = free_device_bytes();
  const std::uint64_t usable = free_bytes - std::min(free_bytes / 10, kMostHeadroom);
  const LaneBudget budget{.device_bytes = std::min(usable, limit_or_none(options_.vram_limit)),
                          .pinned_bytes = limit_or_none(options_.pinned_limit)};
  const LaneFootprint lane = footprint();
  const std::optional<LanePlan> plan = fit_lanes({options_.lanes, options_.batch}, lane, budget);
  if (plan.has_value()) {
    return *plan;
  }
  const std::source_location here = std::source_location::current();
  if (lane.pinned_bytes(1) > budget.pinned_bytes) {
    throw CudaOutOfMemory("encoder of one record", here, "pinned host memory within the limit",
                          lane.pinned_bytes(1), budget.pinned_bytes);
  }
  throw CudaOutOfMemory(
      "encoder of one record", here,
      "memory of " + device_text(options_.device) +
          (options_.vram_limit != 0 && options_.vram_limit < usable ? " within the limit" : ""),
      pipelines_.device_bytes(1), budget.device_bytes);
}

/// All lanes of the plan, or none.
void CudaRecordsEncoder::make_lanes(LanePlan plan) {
  std::vector<std::unique_ptr<Lane>> lanes;
  for (std::size_t i = 0; i < plan.lanes; ++i) {
    lanes.push_back(std::make_unique<Lane>(options_.device, plan.batch, pipelines_));
  }
  lanes_ = std::move(lanes);
  plan_ = plan;
}

/// Runs `work` until it succeeds, with less memory each time that it runs short. However it ends,
/// no lane has a batch in flight.
template <class Work>
auto CudaRecordsEncoder::guarded(const Work& work) {
  if (!loss_.empty()) {
    throw DeviceLost(name_, loss_);
  }
  while (true) {
    try {
      use_device(options_.device);
      const AbandonLanes at_the_end{lanes_};
      return work();
    } catch (const CudaError& error) {
      recover(error);
    }
  }
}

/// Makes smaller lanes when that can help; otherwise the device is lost.
void CudaRecordsEncoder::recover(const CudaError& reason) {
  lanes_.clear();
  std::optional<LanePlan> plan = plan_;
  while (reason.error_class() == ErrorClass::kRetry && (plan = smaller(*plan)).has_value()) {
    try {
      make_lanes(*plan);
      log(CudaLogLevel::kWarning, name_ + " goes on with " + std::to_string(plan->lanes) +
                                      " batches of " + std::to_string(plan->batch) +
                                      " records: " + reason.what());
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
  lanes_.clear();
  loss_ = reason.what();
  throw DeviceLost(name_, loss_);
}

EncodeOutcome CudaRecordsEncoder::encode(EncodingJob& job, std::stop_token stop) {
  return guarded([&] { return run(job, stop); });
}

EncodeOutcome CudaRecordsEncoder::run(EncodingJob& job, const std::stop_token& stop) {
  const Lane::EncodeElsewhere elsewhere = [&](PieceOffset offset) {
    encode_elsewhere(job, offset);
  };
  // Lanes start in the order of the ring, so the next one to start is the oldest in flight.
  std::size_t idle = 0;
  for (std::size_t i = 0; idle < lanes_.size(); i = (i + 1) % lanes_.size()) {
    n_records_ += lanes_[i]->finish(elsewhere);
    const bool started = !stop.stop_requested() && lanes_[i]->start(job);
    idle = started ? 0 : idle + 1;
  }
  return stop.stop_requested() ? EncodeOutcome::kCancelled : EncodeOutcome::kComplete;
}

void CudaRecordsEncoder::encode_elsewhere(EncodingJob& job, PieceOffset offset) {
  options_.fallback(job.sector_id(), offset, job.record(offset), job.found_proofs(offset));
  ++n_fallbacks_;
}

void CudaRecordsEncoder::encode_from_seed(const PosSeed& seed, Record& record,
                                          FoundProofs& found_proofs) {
  const RecordStatus status =
      guarded([&] { return lanes_.front()->encode(seed, record, found_proofs); });
  if (!is_encoded(status)) {
    throw EncoderError(name_ + " cannot encode this record: it found " +
                       std::to_string(status.n_proofs) + " proofs, and had no room for " +
                       std::to_string(status.n_overflows) + " entries");
  }
  ++n_records_;
}

bool CudaRecordsEncoder::has_room_for_sector(std::size_t n_pieces) const {
  if (n_pieces > std::numeric_limits<std::uint16_t>::max()) {
    return false;
  }
  const CudaEncoderState held = state();
  const std::uint64_t wanted = device_sector_bytes(static_cast<std::uint16_t>(n_pieces));
  return held.device_bytes + wanted <= limit_or_none(options_.vram_limit) &&
         held.pinned_bytes + kDeviceSectorPinnedBytes <= limit_or_none(options_.pinned_limit) &&
         wanted <= free_device_bytes();
}

bool CudaRecordsEncoder::assemble_sector(const SectorContents& contents,
                                         std::span<std::uint8_t> sector) {
  if (!loss_.empty()) {
    return false;
  }
  try {
    use_device(options_.device);
    if (!has_room_for_sector(contents.records.size())) {
      return false;
    }
    const Stream stream(options_.device);
    lay_out_sector(stream, contents, sector);
    return true;
  } catch (const CudaError& error) {
    if (error.error_class() == ErrorClass::kDeviceLost) {
      lanes_.clear();
      loss_ = error.what();
    }
    log(CudaLogLevel::kWarning, name_ + " did not lay out a sector: " + error.what());
    return false;
  }
}

CudaEncoderState CudaRecordsEncoder::state() const {
  return {.n_records = n_records_,
          .n_fallbacks = n_fallbacks_,
          .lanes = lanes_.size(),
          .batch = lanes_.empty() ? 0 : plan_.batch,
          .device_bytes = lanes_.size() * pipelines_.device_bytes(plan_.batch),
          .pinned_bytes = lanes_.size() * Lane::pinned_bytes(plan_.batch)};
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
