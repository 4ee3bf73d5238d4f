// SPDX-License-Identifier: Apache-2.0
#include "host/plotting/encoder_choice.hpp"

#include <algorithm>
#include <memory>
#include <random>
#include <utility>

#include "host/base/mutex.hpp"
#include "host/plotting/device_choice.hpp"
#include "host/plotting/single_record.hpp"
#include "host/plotting/verified_encoder.hpp"

namespace furrow {
namespace {

/// The devices that can be had, each verified by sample.
std::vector<std::unique_ptr<RecordsEncoder>> make_device_encoders(const EncoderChoice& choice,
                                                                  const EncoderSettings& settings) {
  const EncodeOneRecord single = make_single_record_encoder(choice.mode);
  const std::uint64_t seed = std::random_device{}();
  std::function<void(const std::string&)> warn;
  if (settings.on_warning) {
    warn = settings.on_warning;
  }
  std::vector<std::unique_ptr<RecordsEncoder>> result;
  for (const CudaDeviceInfo& device : choice.devices) {
    try {
      std::unique_ptr<RecordsEncoder> encoder =
          settings.make_device_encoder({.device = device.index,
                                        .vram_limit = settings.vram_limit,
                                        .pinned_limit = settings.pinned_limit,
                                        .on_warning = warn,
                                        .fallback = single});
      if (settings.verify_records != 0) {
        encoder = std::make_unique<VerifiedEncoder>(
            std::move(encoder),
            VerifiedEncoder::Options{
                .records_per_sector = settings.verify_records, .seed = seed, .reference = single});
      }
      result.push_back(std::move(encoder));
    } catch (const EncoderError& error) {
      const bool is_last_hope =
          choice.needs_device && result.empty() && &device == &choice.devices.back();
      if (choice.needs_all_devices || is_last_hope) {
        throw;
      }
      if (settings.on_warning) {
        settings.on_warning(std::string(error.what()) + "; it is not used");
      }
    }
  }
  return result;
}

/// Lets each chosen device prove itself and leaves out what cannot. `listed` is told, so that it
/// says why there is none.
void prove_devices(EncoderChoice& choice, CudaDevices& listed,
                   const std::function<void(CudaDeviceInfo&)>& prove) {
  std::vector<CudaDeviceInfo> proven;
  for (CudaDeviceInfo& device : choice.devices) {
    prove(device);
    if (device.is_supported()) {
      proven.push_back(device);
      continue;
    }
    if (choice.needs_all_devices) {
      throw EncoderError(unusable_text(device));
    }
    choice.refused.push_back(unusable_text(device));
    std::replace_if(
        listed.devices.begin(), listed.devices.end(),
        [&](const CudaDeviceInfo& other) { return other.index == device.index; }, device);
  }
  choice.devices = std::move(proven);
}

}  // namespace

EncoderChoice choose_encoder(std::string_view kind, const std::vector<std::string>& device_ids,
                             const DeviceQueries& ask) {
  EncoderChoice choice;
  if (kind == "cpu" || kind == "cpu-scalar") {
    if (!device_ids.empty()) {
      throw InvalidArgument("encoder " + std::string(kind) + " uses no device, but '" +
                            device_ids.front() + "' is named");
    }
    choice.mode = kind == "cpu" ? SimdMode::kBest : SimdMode::kScalar;
    return choice;
  }
  if (kind != "auto" && kind != "cuda") {
    throw InvalidArgument("unknown encoder '" + std::string(kind) +
                          "': expected auto, cuda, cpu or cpu-scalar");
  }
  CudaDevices devices = ask.list();
  choice.needs_all_devices = !device_ids.empty();
  choice.needs_device = kind == "cuda" || choice.needs_all_devices;
  if (choice.needs_device && devices.problem == kDriverIsSilent) {
    throw NoDevice("encoder cuda: " + devices.problem);
  }
  choice.devices = choose_cuda_devices(devices, device_ids);
  prove_devices(choice, devices, ask.prove);
  if (choice.devices.empty()) {
    const std::string why = why_no_cuda_device(devices);
    if (choice.needs_device) {
      throw NoDevice("encoder cuda: " + why);
    }
    choice.note = "encoding on the CPU: " + why;
  }
  return choice;
}

std::unique_ptr<EncoderPool> make_encoder_pool(const EncoderChoice& choice,
                                               EncoderSettings settings) {
  settings.cpu.mode = choice.mode;
  if (settings.on_warning) {  // of the pool and of each device
    settings.on_warning = [warn = settings.on_warning,
                           mutex = std::make_shared<Mutex>()](const std::string& line) {
      const Lock lock(*mutex);
      warn(line);
    };
  }
  EncoderPool::Options options{.encoders = make_device_encoders(choice, settings),
                               .gate = settings.gate,
                               .on_record_done = std::move(settings.on_record_done),
                               .on_warning = std::move(settings.on_warning)};
  if (options.encoders.empty()) {
    options.encoders.push_back(std::make_unique<CpuRecordsEncoder>(settings.cpu));
  } else {
    options.make_fallback = [cpu = settings.cpu] {
      return std::make_unique<CpuRecordsEncoder>(cpu);
    };
  }
  return std::make_unique<EncoderPool>(std::move(options));
}

}  // namespace furrow
