// SPDX-License-Identifier: Apache-2.0
#include "host/plotting/device_memory.hpp"

namespace furrow {

std::vector<DeviceMemoryPlan> plan_device_memory(std::span<const CudaDeviceInfo> devices,
                                                 const CudaEncoderOptions& options,
                                                 const CudaMemoryPlanner& planner) {
  std::vector<DeviceMemoryPlan> result;
  for (const CudaDeviceInfo& device : devices) {
    CudaEncoderOptions own = options;
    own.device = device.index;
    result.push_back(
        {device.index, device.name, device.free_bytes, planner(std::move(own), device.free_bytes)});
  }
  return result;
}

std::uint64_t pinned_bytes_of(std::span<const DeviceMemoryPlan> devices) {
  std::uint64_t sum = 0;
  for (const DeviceMemoryPlan& device : devices) {
    sum += device.plan.pinned_bytes;
  }
  return sum;
}

}  // namespace furrow
