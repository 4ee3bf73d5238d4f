// SPDX-License-Identifier: Apache-2.0
#include "host/plotter/engine_request.hpp"

#include <utility>

#include "host/base/machine_limits.hpp"
#include "host/base/thread_count.hpp"

namespace furrow {
namespace {

/// What plotting cannot do without beside a thread that encodes: a sector under way, the writer,
/// the encoder, and those of RocksDB and of the paged store.
constexpr unsigned kThreadsOfPlotting = 8;

void tell(const std::vector<std::string>& notes, const Observer<const std::string&>& on_warning) {
  for (const std::string& note : notes) {
    on_warning(note);
  }
}

}  // namespace

MemoryPlan plan_engine_memory(const EngineRequest& request, const EncoderChoice& choice,
                              std::uint16_t pieces_in_sector, std::size_t pieces_in_flight,
                              const Observer<const std::string&>& on_warning) {
  const ThreadCount threads = choose_thread_count(request.threads, kThreadsOfPlotting);
  tell(threads.notes, on_warning);
  MemorySettings settings =
      default_memory_settings(pieces_in_sector, threads.threads, choice.devices.size());
  settings.pieces_in_flight = pieces_in_flight;
  std::vector<DeviceMemoryPlan> device_memory = plan_device_memory(
      choice.devices, {.vram_limit = request.vram_limit, .pinned_limit = request.pinned_limit});
  settings.pinned_bytes = pinned_bytes_of(device_memory);
  MemoryPlan plan = plan_memory_on(read_machine_limits(), settings, request.ram_limit);
  plan.device_memory = std::move(device_memory);
  tell(plan.notes, on_warning);
  return plan;
}

EncoderSettings encoder_settings(const EngineRequest& request, const MemoryPlan& plan,
                                 const Observer<const std::string&>& on_warning) {
  return {.cpu = {.threads = plan.settings.threads},
          .vram_limit = request.vram_limit,
          .pinned_limit = request.pinned_limit,
          .verify_records = request.verify_records,
          .on_warning = on_warning};
}

std::size_t records_at_a_time(const MemoryPlan& plan) {
  std::size_t n = 0;
  for (const DeviceMemoryPlan& device : plan.device_memory) {
    n += device.plan.lanes * device.plan.batch;
  }
  return n != 0 ? n : plan.settings.threads;
}

}  // namespace furrow
