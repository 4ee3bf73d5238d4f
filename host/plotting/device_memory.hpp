// SPDX-License-Identifier: Apache-2.0
// How much memory encoders take on their devices.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "furrow/cuda.hpp"

namespace furrow {

/// What an encoder takes on one device, as far as can be told before it is made.
struct DeviceMemoryPlan {
  int index = 0;
  std::string name;
  std::uint64_t free_bytes = 0;
  CudaMemoryPlan plan;
};

/// plan_cuda_memory, or what a test has in its place.
using CudaMemoryPlanner =
    std::function<CudaMemoryPlan(CudaEncoderOptions options, std::uint64_t free_bytes)>;

/// What encoders with `options` take on each of these devices. Throws like plan_cuda_memory.
std::vector<DeviceMemoryPlan> plan_device_memory(
    std::span<const CudaDeviceInfo> devices, const CudaEncoderOptions& options,
    const CudaMemoryPlanner& planner = plan_cuda_memory);

/// Pinned memory of the host that all of them take together.
[[nodiscard]] std::uint64_t pinned_bytes_of(std::span<const DeviceMemoryPlan> devices);

}  // namespace furrow
