// SPDX-License-Identifier: Apache-2.0
// `furrow devices --check`: what each device is asked, and what came of it.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "furrow/cuda.hpp"

namespace furrow::cli {

/// What the check says of one device.
struct DeviceCheck {
  enum class Outcome { kPassed, kFailed, kNotSupported };
  Outcome outcome = Outcome::kNotSupported;
  std::string problem;  ///< empty when it passed
};

/// "passed", "failed" or "not supported".
[[nodiscard]] const char* outcome_text(DeviceCheck::Outcome outcome);

/// Lets each supported device prove itself. The devices are told what is free, and why they cannot
/// be used.
std::vector<DeviceCheck> check_devices(CudaDevices& devices,
                                       const std::function<void(CudaDeviceInfo&)>& prove);

/// Throws EncoderError when a device failed, and when there was none to check.
void require_all_passed(const CudaDevices& devices, const std::vector<DeviceCheck>& checks);

}  // namespace furrow::cli
