// SPDX-License-Identifier: Apache-2.0
// A device proves itself before it is used: it encodes a record whose encoded form is known.
#pragma once

#include <chrono>
#include <functional>
#include <memory>

#include "furrow/cuda.hpp"

namespace furrow {

/// What a device may take for its first record. It takes some tenths of a second, but a driver that
/// has no code for the device compiles it first.
inline constexpr std::chrono::seconds kTrialPatience{60};

/// try_cuda_device, or what a test has in its place.
using TryCudaDevice = std::function<CudaTrial(int device, const PosSeed& seed, Record& record,
                                              FoundProofs& found_proofs)>;

/// Tries a device that is supported so far: sets the free memory, or the reason why it is not used:
/// it fails, encodes nothing, encodes wrongly, or does not come to an end. Its thread is left
/// behind then (driver_call.hpp).
void prove_device(CudaDeviceInfo& device, const TryCudaDevice& try_device = try_cuda_device,
                  std::chrono::milliseconds patience = kTrialPatience);

}  // namespace furrow
