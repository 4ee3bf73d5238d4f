// SPDX-License-Identifier: Apache-2.0
// Which device a user means.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "furrow/cuda.hpp"

namespace furrow {

/// The device with this index or UUID; enough of a UUID to tell it from the others will do, as in
/// CUDA_VISIBLE_DEVICES. Throws InvalidArgument, naming what there is, when it is none of them or
/// could be several, and EncoderError when Furrow cannot use it.
const CudaDeviceInfo& find_cuda_device(const CudaDevices& devices, std::string_view id);

/// The devices of all `ids`, or every supported one when there are no ids. Throws like
/// find_cuda_device, and InvalidArgument for a device named twice.
std::vector<CudaDeviceInfo> choose_cuda_devices(const CudaDevices& devices,
                                                const std::vector<std::string>& ids);

/// "CUDA device 0 (NAME) cannot be used: WHY".
std::string unusable_text(const CudaDeviceInfo& device);

/// Why choose_cuda_devices finds none without ids: no driver, no device, none supported.
std::string why_no_cuda_device(const CudaDevices& devices);

}  // namespace furrow
