// SPDX-License-Identifier: Apache-2.0
#include "tools/engine_options.hpp"

#include <CLI/CLI.hpp>
#include <spdlog/spdlog.h>

#include "tools/cli_support.hpp"

namespace furrow::cli {
namespace {

/// What plotting cannot do without beside a thread that encodes: a sector under way, the writer,
/// the encoder, and those of RocksDB and of the paged store.
constexpr unsigned kThreadsOfPlotting = 8;

std::uint64_t size_or_none(const std::optional<std::string>& text) {
  return text.has_value() ? parse_size(*text) : 0;
}

/// What encoders on devices are made with, but for the device.
CudaEncoderOptions device_limits(const EngineOptions& options) {
  return {.vram_limit = size_or_none(options.vram_limit),
          .pinned_limit = size_or_none(options.pinned_limit)};
}

}  // namespace

void add_engine_options(CLI::App& command, EngineOptions& options) {
  command.add_option("--threads", options.threads,
                     "Threads; 0 means one for each processor that may be used");
  add_simd_option(command);
  command
      .add_option("--encoder", options.encoder,
                  "auto (CUDA devices, the CPU if there are none), cuda, cpu or cpu-scalar")
      ->capture_default_str();
  command
      .add_option("--device", options.devices,
                  "CUDA device to use, by index or UUID; may be given several times; all that "
                  "are supported if not given")
      ->allow_extra_args(false);
  command.add_option(
      "--ram-limit", options.ram_limit,
      "Most memory to use, such as 4GiB; what is free if not given. Fewer sectors are under "
      "way with less");
  command.add_option("--vram-limit", options.vram_limit,
                     "Most memory to use on each device, such as 6GiB; what is free if not given");
  command.add_option("--pinned-limit", options.pinned_limit,
                     "Most pinned host memory for each device, for copies to and from it");
  command
      .add_option("--verify-records", options.verify_records,
                  "Records of each sector that are encoded on the CPU as well, to verify devices")
      ->capture_default_str();
}

EncoderChoice chosen_encoder(const EngineOptions& options) {
  return choose_encoder(options.encoder, options.devices);
}

void say_note(const EncoderChoice& choice) {
  if (!choice.note.empty()) {
    spdlog::info("{}", choice.note);
  }
}

EncoderSettings encoder_settings(const EngineOptions& options, const MemoryPlan& plan) {
  const CudaEncoderOptions limits = device_limits(options);
  return {.cpu = {.threads = plan.settings.threads},
          .vram_limit = limits.vram_limit,
          .pinned_limit = limits.pinned_limit,
          .verify_records = options.verify_records,
          .on_warning = [](const std::string& line) { spdlog::warn("{}", line); }};
}

MemoryPlan memory_plan(const EngineOptions& options, const EncoderChoice& choice,
                       std::uint16_t pieces_in_sector, std::size_t pieces_in_flight) {
  MemorySettings settings = default_memory_settings(
      pieces_in_sector, thread_count(options.threads, kThreadsOfPlotting), choice.devices.size());
  settings.pieces_in_flight = pieces_in_flight;
  std::vector<DeviceMemoryPlan> device_memory =
      plan_device_memory(choice.devices, device_limits(options), pieces_in_sector);
  settings.pinned_bytes = pinned_bytes_of(device_memory);
  MemoryPlan plan = plan_memory_on(
      read_machine_limits(), settings,
      options.ram_limit.has_value() ? std::optional(parse_size(*options.ram_limit)) : std::nullopt);
  plan.device_memory = std::move(device_memory);
  for (const std::string& note : plan.notes) {
    spdlog::warn("{}", note);
  }
  return plan;
}

}  // namespace furrow::cli
