// SPDX-License-Identifier: Apache-2.0
// Which encoder a user's words stand for.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "furrow/cuda.hpp"
#include "furrow/records_encoder.hpp"

#include "host/base/observer.hpp"
#include "host/plotting/cpu_records_encoder.hpp"
#include "host/plotting/device_query.hpp"
#include "host/plotting/device_trial.hpp"
#include "host/plotting/encoder_pool.hpp"

namespace furrow {

/// A device is needed, and there is none that can be used.
class NoDevice : public EncoderError {
 public:
  using EncoderError::EncoderError;
};

/// How the machine is asked for its devices; tests ask others.
struct DeviceQueries {
  std::function<CudaDevices()> list = [] { return cuda_devices_in_time(); };
  std::function<void(CudaDeviceInfo&)> prove = [](CudaDeviceInfo& device) { prove_device(device); };
};

/// What a user asked for, resolved against what this build and this machine have.
struct EncoderChoice {
  /// CUDA devices to encode on; none means the CPU.
  std::vector<CudaDeviceInfo> devices;
  /// Whether there must be a device: the user said "cuda", or named devices.
  bool needs_device = false;
  /// Whether each of them must work: the user named devices.
  bool needs_all_devices = false;
  /// The CPU encodes in this mode.
  SimdMode mode = SimdMode::kBest;
  /// Why "auto" does without CUDA, for the log; empty when it does not.
  std::string note;
  /// A line for each device that would be used and failed its trial, for whoever is to be warned.
  std::vector<std::string> refused = {};
};

/// Resolves `kind`: "cuda", "cpu", "cpu-scalar" (no SIMD, for comparison), or "auto", which is
/// every supported CUDA device, and the CPU when there is none. `device_ids` are indexes or UUIDs;
/// none means all. Each device has to prove itself (device_trial.hpp); one that does not is left out
/// unless it was named. Throws InvalidArgument, naming what there is, for an unknown kind or device
/// and for devices with "cpu"; NoDevice when "cuda" has no device, EncoderError when one that was named
/// cannot be used, and when a device is needed and the driver does not answer.
EncoderChoice choose_encoder(std::string_view kind, const std::vector<std::string>& device_ids = {},
                             const DeviceQueries& ask = {});

struct EncoderSettings {
  /// The CPU encoder, or the one that stands in when all devices are lost; the mode is that of the
  /// choice.
  CpuRecordsEncoder::Options cpu = {};
  /// Most device memory on each device; 0 means what is free.
  std::uint64_t vram_limit = 0;
  /// Most pinned host memory for each device; 0 means as much as the batches want.
  std::uint64_t pinned_limit = 0;
  /// Records of each sector that are encoded on the CPU once more to verify the devices.
  std::size_t verify_records = 1;
  /// When set, each claim of records waits here first. Must outlive the encoders.
  Gate* gate = nullptr;
  /// When set, called after each record, from any thread, possibly several at once.
  Observer<> on_record_done = {};
  /// When set, gets one line for each device that is not used or is lost. Calls do not overlap.
  Observer<const std::string&> on_warning = {};
  std::function<std::unique_ptr<RecordsEncoder>(CudaEncoderOptions)> make_device_encoder =
      make_cuda_records_encoder;
};

/// Makes the encoders that were chosen: verified devices with the CPU to fall back to, or the CPU.
/// Throws InvalidArgument for bad settings, EncoderError when a device that has to work does not.
std::unique_ptr<EncoderPool> make_encoder_pool(const EncoderChoice& choice,
                                               EncoderSettings settings);

}  // namespace furrow
