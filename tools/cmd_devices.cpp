// SPDX-License-Identifier: Apache-2.0
#include <memory>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "furrow/cuda.hpp"

#include "host/base/byte_size.hpp"
#include "host/base/simd_mode.hpp"
#include "host/plotting/device_query.hpp"
#include "host/plotting/device_trial.hpp"
#include "tools/commands.hpp"
#include "tools/device_check.hpp"
#include "tools/json_text.hpp"
#include "tools/standard_output.hpp"

namespace furrow::cli {
namespace {

/// "13.0"; "none" for 0.
std::string version_text(int version) {
  return version == 0 ? "none" : fmt::format("{}.{}", version / 1000, version % 1000 / 10);
}

/// `checks` is empty when nothing was checked.
void print_json(const CudaDevices& devices, const std::vector<DeviceCheck>& checks) {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (std::size_t i = 0; i < devices.devices.size(); ++i) {
    const CudaDeviceInfo& device = devices.devices[i];
    list.push_back(
        {{"index", device.index},
         {"uuid", device.uuid},
         {"pci_id", device.pci_id},
         {"name", device.name},
         {"compute_capability", fmt::format("{}.{}", device.compute_major, device.compute_minor)},
         {"multiprocessors", device.n_multiprocessors},
         {"clock_mhz", device.clock_khz / 1000},
         {"memory_clock_mhz", device.memory_clock_khz / 1000},
         {"memory_total_bytes", device.total_bytes},
         {"memory_free_bytes", device.free_bytes},
         {"supported", device.is_supported()},
         {"unsupported_reason", device.unsupported_reason}});
    if (!checks.empty()) {
      list.back()["check"] = outcome_text(checks[i].outcome);
    }
  }
  const nlohmann::ordered_json result = {{"built_with_cuda", devices.is_built_in},
                                         {"driver_version", version_text(devices.driver_version)},
                                         {"runtime_version", version_text(devices.runtime_version)},
                                         {"problem", devices.problem},
                                         {"cpu_instruction_sets", simd_targets()},
                                         {"devices", list}};
  print_result("{}\n", json_line(result));
}

/// A line for each device.
void print_checks(const CudaDevices& devices, const std::vector<DeviceCheck>& checks) {
  for (std::size_t i = 0; i < checks.size(); ++i) {
    print_result("device {}: {}: {}{}\n", devices.devices[i].index, devices.devices[i].name,
                 outcome_text(checks[i].outcome),
                 checks[i].problem.empty() ? "" : ": " + checks[i].problem);
  }
}

void print_text(const CudaDevices& devices) {
  if (devices.is_built_in) {
    print_result("CUDA driver {}, runtime {}\n", version_text(devices.driver_version),
                 version_text(devices.runtime_version));
  }
  for (const CudaDeviceInfo& device : devices.devices) {
    print_result(
        "device {}: {}\n"
        "  UUID {}, PCI {}\n"
        "  compute capability {}.{}, {} SMs at up to {} MHz, memory at up to {} MHz\n"
        "  memory {}, {} free\n"
        "  {}\n",
        device.index, device.name, device.uuid, device.pci_id, device.compute_major,
        device.compute_minor, device.n_multiprocessors, device.clock_khz / 1000,
        device.memory_clock_khz / 1000, size_text(device.total_bytes), size_text(device.free_bytes),
        device.is_supported() ? "supported" : "not supported: " + device.unsupported_reason);
  }
  if (devices.devices.empty()) {
    print_result("no CUDA devices: {}\n", devices.problem);
  }
  print_result("CPU instruction sets, fastest first: {}\n", fmt::join(simd_targets(), ", "));
}

void list_devices(bool json) {
  const CudaDevices devices = cuda_devices_in_time(kDriverPatience, opened_cuda_devices);
  if (json) {
    print_json(devices, {});
  } else {
    print_text(devices);
  }
}

void check_and_print(bool json) {
  CudaDevices devices = cuda_devices_in_time();
  const std::vector<DeviceCheck> checks =
      check_devices(devices, [](CudaDeviceInfo& device) { prove_device(device); });
  if (json) {
    print_json(devices, checks);
  } else {
    print_checks(devices, checks);
  }
  require_all_passed(devices, checks);
}

struct DevicesArguments {
  bool json = false;
  bool check = false;
};

}  // namespace

void add_devices_command(Command app) {
  const auto arguments = std::make_shared<DevicesArguments>();
  const Command command = app.add_command(
      "devices",
      "List the CUDA devices, say which can be used, and name the instruction sets of the CPU");
  command.add_flag(
      "--check", arguments->check,
      "Let each device encode a record whose encoded form is known, as it has to before "
      "it is used");
  command.add_flag("--json", arguments->json, "Print JSON and nothing else");
  command.run([arguments] {
    arguments->check ? check_and_print(arguments->json) : list_devices(arguments->json);
  });
}

}  // namespace furrow::cli
