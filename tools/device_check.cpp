// SPDX-License-Identifier: Apache-2.0
#include "tools/device_check.hpp"

#include <algorithm>

#include "host/plotting/device_choice.hpp"

namespace furrow::cli {

const char* outcome_text(DeviceCheck::Outcome outcome) {
  switch (outcome) {
    case DeviceCheck::Outcome::kPassed:
      return "passed";
    case DeviceCheck::Outcome::kFailed:
      return "failed";
    case DeviceCheck::Outcome::kNotSupported:
      break;
  }
  return "not supported";
}

std::vector<DeviceCheck> check_devices(CudaDevices& devices,
                                       const std::function<void(CudaDeviceInfo&)>& prove) {
  std::vector<DeviceCheck> checks;
  for (CudaDeviceInfo& device : devices.devices) {
    DeviceCheck check;
    if (device.is_supported()) {
      prove(device);
      check.outcome =
          device.is_supported() ? DeviceCheck::Outcome::kPassed : DeviceCheck::Outcome::kFailed;
    }
    check.problem = device.unsupported_reason;
    checks.push_back(std::move(check));
  }
  return checks;
}

void require_all_passed(const CudaDevices& devices, const std::vector<DeviceCheck>& checks) {
  const auto n_with = [&](DeviceCheck::Outcome outcome) {
    return std::count_if(checks.begin(), checks.end(),
                         [&](const DeviceCheck& check) { return check.outcome == outcome; });
  };
  const auto n_failed = n_with(DeviceCheck::Outcome::kFailed);
  const auto n_checked = n_failed + n_with(DeviceCheck::Outcome::kPassed);
  if (n_checked == 0) {
    throw EncoderError("no device can be checked: " + why_no_cuda_device(devices));
  }
  if (n_failed != 0) {
    throw EncoderError(std::to_string(n_failed) + " of " + std::to_string(n_checked) +
                       " CUDA devices failed the check");
  }
}

}  // namespace furrow::cli
