// SPDX-License-Identifier: Apache-2.0
// Asking the driver for devices, without waiting for ever (driver_call.hpp).
#pragma once

#include <chrono>
#include <functional>

#include "furrow/cuda.hpp"

namespace furrow {

/// A driver that has said nothing for this long says nothing any more; it takes some tenths of a
/// second for each card.
inline constexpr std::chrono::seconds kDriverPatience{10};
/// CudaDevices::problem then.
inline constexpr const char* kDriverIsSilent = "the NVIDIA driver does not answer";

/// What `list` gives, or throws, within `patience`; otherwise no devices and kDriverIsSilent. The
/// thread that asked is left behind then, since it cannot be ended. As long as it has not come back
/// nobody asks again: the answer is kDriverIsSilent at once.
CudaDevices cuda_devices_in_time(std::chrono::milliseconds patience = kDriverPatience,
                                 const std::function<CudaDevices()>& list = cuda_devices);

/// All devices with what open_cuda_device says of them: for who wants to know, not to use them. Here,
/// because not every program that links this room has an engine behind furrow/cuda.hpp.
inline CudaDevices opened_cuda_devices() {
  CudaDevices result = cuda_devices();
  for (CudaDeviceInfo& device : result.devices) {
    if (device.is_supported()) {
      open_cuda_device(device);
    }
  }
  return result;
}

}  // namespace furrow
