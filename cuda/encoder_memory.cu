// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <limits>
#include <string>
#include <utility>

#include "furrow/errors.hpp"

#include "cuda/batch_pipeline.hpp"
#include "cuda/encoder_memory.hpp"
#include "cuda/lane.hpp"

namespace furrow::cuda {
namespace {

constexpr std::size_t kDefaultBatch = 4;
/// Blocks that a grid may have in the direction of records.
constexpr std::size_t kMaxBatch = 65535;
constexpr std::uint64_t kNoLimit = std::numeric_limits<std::uint64_t>::max();
/// Free memory that is left to others, above all to the driver, which takes some when kernels are
/// loaded: a tenth, at most this.
constexpr std::uint64_t kMostHeadroom = std::uint64_t{512} << 20;

std::uint64_t limit_or_none(std::uint64_t limit) {
  return limit == 0 ? kNoLimit : limit;
}

void check_limit(const char* what, int device, std::uint64_t limit, std::uint64_t least) {
  if (limit_or_none(limit) < least) {
    throw InvalidArgument(std::string(what) + " limit: an encoder on CUDA device " +
                          std::to_string(device) + " takes at least " + std::to_string(least) +
                          " bytes, allowed are " + std::to_string(limit));
  }
}

}  // namespace

CudaEncoderOptions with_defaults(CudaEncoderOptions options) {
  if (options.lanes == 0) {
    throw InvalidArgument("CUDA encoder: needs at least 1 lane, actual 0");
  }
  if (options.batch > kMaxBatch) {
    throw InvalidArgument("CUDA encoder: expected at most 65535 records in a batch, actual " +
                          std::to_string(options.batch));
  }
  if (options.batch == 0) {
    options.batch = kDefaultBatch;
  }
  return options;
}

std::optional<LanePlan> plan_lanes(const CudaEncoderOptions& options, const LaneFootprint& lane,
                                   std::uint64_t free_bytes) {
  check_limit("device memory", options.device, options.vram_limit, lane.device_bytes(1));
  check_limit("pinned memory", options.device, options.pinned_limit, lane.pinned_bytes(1));
  return fit_lanes(
      {options.lanes, options.batch}, lane,
      {.device_bytes = std::min(usable_bytes(free_bytes), limit_or_none(options.vram_limit)),
       .pinned_bytes = limit_or_none(options.pinned_limit)});
}

std::uint64_t usable_bytes(std::uint64_t free_bytes) {
  return free_bytes - std::min(free_bytes / 10, kMostHeadroom);
}

}  // namespace furrow::cuda

namespace furrow {

CudaMemoryPlan plan_cuda_memory(CudaEncoderOptions options, std::uint64_t free_bytes) {
  options = cuda::with_defaults(std::move(options));
  const cuda::LaneFootprint lane{.device_bytes = cuda::record_pipelines().device_bytes,
                                 .pinned_bytes = cuda::Lane::staging_bytes};
  const std::optional<cuda::LanePlan> lanes = cuda::plan_lanes(options, lane, free_bytes);
  CudaMemoryPlan plan{.least_device_bytes = lane.device_bytes(1)};
  if (lanes.has_value()) {
    plan.lanes = lanes->lanes;
    plan.batch = lanes->batch;
    plan.device_bytes = lanes->lanes * lane.device_bytes(lanes->batch);
    plan.pinned_bytes = lanes->lanes * lane.pinned_bytes(lanes->batch);
  }
  return plan;
}

}  // namespace furrow
