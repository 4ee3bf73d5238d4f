// SPDX-License-Identifier: Apache-2.0
// What encodes, and with how much memory: what a user may say of it, and what follows from that on
// this machine.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "host/base/observer.hpp"
#include "host/plotting/encoder_choice.hpp"
#include "host/plotting/memory_plan.hpp"

namespace furrow {

struct EngineRequest {
  /// As choose_encoder takes it: auto, cuda, cpu or cpu-scalar.
  std::string encoder = "auto";
  /// Indexes or UUIDs of CUDA devices; all that are supported when empty.
  std::vector<std::string> devices = {};
  /// That compute on the CPU; 0 means one for each processor that may be used.
  unsigned threads = 0;
  /// Bytes of the host's memory; without it what the machine has left.
  std::optional<std::uint64_t> ram_limit = {};
  /// Bytes of each device; 0 means what is free.
  std::uint64_t vram_limit = 0;
  /// Bytes of pinned memory for each device; 0 means as much as the batches want.
  std::uint64_t pinned_limit = 0;
  /// Of each sector, encoded on the CPU once more to verify devices.
  std::size_t verify_records = 1;
};

/// The memory of plotting sectors of that many pieces, on the host and on devices, within the
/// limits of the request and those of the machine; what the user should know of these goes to
/// `on_warning`. Throws what choose_thread_count throws, and InvalidArgument when a limit is too
/// low.
[[nodiscard]] MemoryPlan plan_engine_memory(const EngineRequest& request,
                                            const EncoderChoice& choice,
                                            std::uint16_t pieces_in_sector,
                                            std::size_t pieces_in_flight,
                                            const Observer<const std::string&>& on_warning);

/// Settings for the encoders as the plan wants them; the gate is still to be set.
[[nodiscard]] EncoderSettings encoder_settings(const EngineRequest& request, const MemoryPlan& plan,
                                               const Observer<const std::string&>& on_warning);

/// As many records as are encoded at a time: one on each thread, or all batches of the devices.
[[nodiscard]] std::size_t records_at_a_time(const MemoryPlan& plan);

}  // namespace furrow
