// SPDX-License-Identifier: Apache-2.0
#include "host/plotting/device_choice.hpp"

#include <algorithm>
#include <cstdlib>
#include <optional>

namespace furrow {
namespace {

std::string list_of(const CudaDevices& devices) {
  std::string result;
  for (const CudaDeviceInfo& device : devices.devices) {
    result += (result.empty() ? "" : ", ") + std::to_string(device.index) + " (" + device.uuid +
              ", " + device.name + ")";
  }
  if (result.empty()) {
    return "there are none: " + devices.problem;
  }
  const char* const visible = std::getenv("CUDA_VISIBLE_DEVICES");
  return "there are " + result +
         (visible != nullptr ? "; CUDA_VISIBLE_DEVICES is '" + std::string(visible) + "'" : "");
}

/// What follows "GPU-" or "MIG-"; none when `id` begins with neither.
std::optional<std::string_view> digits_of(std::string_view id) {
  constexpr std::size_t kPrefix = 4;
  return id.starts_with("GPU-") || id.starts_with("MIG-") ? std::optional(id.substr(kPrefix))
                                                          : std::nullopt;
}

/// The driver gives a part of a card (MIG) a UUID of its own, which nvidia-smi shows as "MIG-..."
/// and the runtime without any prefix, so that we take it for a card's: only the digits tell.
bool is_meant(const CudaDeviceInfo& device, std::string_view id) {
  const std::optional<std::string_view> wanted = digits_of(id);
  return wanted.has_value() ? digits_of(device.uuid).value_or("").starts_with(*wanted)
                            : std::to_string(device.index) == id;
}

}  // namespace

const CudaDeviceInfo& find_cuda_device(const CudaDevices& devices, std::string_view id) {
  const CudaDeviceInfo* found = nullptr;
  for (const CudaDeviceInfo& device : devices.devices) {
    if (is_meant(device, id)) {
      if (found != nullptr) {
        throw InvalidArgument("CUDA device '" + std::string(id) + "' could be several; " +
                              list_of(devices));
      }
      found = &device;
    }
  }
  if (found == nullptr) {
    throw InvalidArgument("no CUDA device '" + std::string(id) + "'; " + list_of(devices));
  }
  if (!found->is_supported()) {
    throw EncoderError(unusable_text(*found));
  }
  return *found;
}

std::vector<CudaDeviceInfo> choose_cuda_devices(const CudaDevices& devices,
                                                const std::vector<std::string>& ids) {
  std::vector<CudaDeviceInfo> result;
  if (ids.empty()) {
    std::copy_if(devices.devices.begin(), devices.devices.end(), std::back_inserter(result),
                 [](const CudaDeviceInfo& device) { return device.is_supported(); });
    return result;
  }
  for (const std::string& id : ids) {
    const CudaDeviceInfo& device = find_cuda_device(devices, id);
    if (std::any_of(result.begin(), result.end(),
                    [&](const CudaDeviceInfo& other) { return other.index == device.index; })) {
      throw InvalidArgument("CUDA device '" + id + "' is named twice; it is device " +
                            std::to_string(device.index));
    }
    result.push_back(device);
  }
  return result;
}

std::string unusable_text(const CudaDeviceInfo& device) {
  return "CUDA device " + std::to_string(device.index) + " (" + device.name +
         ") cannot be used: " + device.unsupported_reason;
}

std::string why_no_cuda_device(const CudaDevices& devices) {
  if (devices.devices.empty()) {
    return devices.problem;
  }
  std::string result = "no CUDA device can be used: ";
  for (const CudaDeviceInfo& device : devices.devices) {
    result += (&device == &devices.devices.front() ? "" : "; ") + std::to_string(device.index) +
              " (" + device.name + "): " + device.unsupported_reason;
  }
  return result;
}

}  // namespace furrow
