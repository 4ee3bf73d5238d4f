// SPDX-License-Identifier: Apache-2.0
#include "furrow/c/memory.h"

#include <string>
#include <utility>
#include <vector>

#include "furrow/c/sector.h"

#include "host/base/machine_limits.hpp"
#include "host/base/thread_count.hpp"
#include "host/capi/encoder.hpp"
#include "host/capi/last_error.hpp"
#include "host/capi/structs.hpp"
#include "host/plotting/device_memory.hpp"
#include "host/plotting/encoder_choice.hpp"
#include "host/plotting/memory_plan.hpp"

namespace furrow::capi {
namespace {

furrow_memory_plan plan(const furrow_memory_request& request) {
  const MachineLimits machine = read_machine_limits();
  check_thread_count(request.threads, machine);
  if (request.pieces_in_sector > FURROW_MAX_PIECES_IN_SECTOR) {
    refuse("furrow_memory_request: pieces_in_sector",
           "at most " + std::to_string(FURROW_MAX_PIECES_IN_SECTOR), request.pieces_in_sector);
  }
  std::vector<CudaDeviceInfo> devices;
  if (request.device_count != 0) {
    devices = choose_encoder("cuda", device_ids(request.devices, request.device_count)).devices;
  }
  const std::vector<DeviceMemoryPlan> device_memory = plan_device_memory(
      devices,
      {.vram_limit = request.device_memory_limit, .pinned_limit = request.pinned_memory_limit});
  MemorySettings settings = default_memory_settings(
      static_cast<std::uint16_t>(request.pieces_in_sector),
      request.threads != 0 ? request.threads : machine.processors, devices.size());
  settings.pinned_bytes = pinned_bytes_of(device_memory);
  if (request.sectors_in_memory != 0) {
    settings.sectors_in_memory = request.sectors_in_memory;
  }
  if (request.output_buffers != 0) {
    settings.output_buffers = request.output_buffers;
  }
  using Use = MemoryPlan::Use;
  const MemoryPlan planned = plan_memory(settings);
  furrow_memory_plan result{};
  result.encoder_bytes = planned.bytes_for(Use::kEncoding);
  result.device_host_bytes = planned.bytes_for(Use::kDevices);
  result.host_bytes = result.encoder_bytes + result.device_host_bytes;
  if (request.pieces_in_sector != 0) {
    result.sector_bytes = planned.bytes_for(Use::kSectors);
    result.host_bytes += result.sector_bytes + planned.bytes_for(Use::kPieces);
    result.sectors_in_memory = static_cast<std::uint32_t>(settings.sectors_in_memory);
    result.output_buffers = static_cast<std::uint32_t>(settings.output_buffers);
  }
  for (const DeviceMemoryPlan& device : device_memory) {
    result.device_bytes += device.plan.device_bytes;
  }
  return result;
}

}  // namespace
}  // namespace furrow::capi

using furrow::capi::Call;
using furrow::capi::guarded;

extern "C" {

void furrow_memory_request_init(furrow_memory_request* request, size_t size) {
  furrow::capi::init_struct(request, size, furrow_memory_request{});
}

furrow_status furrow_memory_plan_get(furrow_library* library, const furrow_memory_request* request,
                                     furrow_memory_plan* plan) {
  return guarded([&] {
    const Call call(library, "library");
    furrow::capi::check_pointer(plan, "plan");
    furrow::capi::write_struct(
        plan, "furrow_memory_plan",
        furrow::capi::plan(furrow::capi::read_struct(request, "furrow_memory_request")));
    return FURROW_OK;
  });
}

}  // extern "C"
