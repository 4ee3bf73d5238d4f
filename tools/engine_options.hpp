// SPDX-License-Identifier: Apache-2.0
// What encodes, and with how much memory: the options that `furrow plot` and `furrow plan` share.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "host/plotting/encoder_choice.hpp"
#include "host/plotting/memory_plan.hpp"

namespace CLI {
class App;
}

namespace furrow::cli {

struct EngineOptions {
  unsigned threads = 0;
  std::string encoder = "auto";
  std::vector<std::string> devices;
  std::optional<std::string> ram_limit;
  std::optional<std::string> vram_limit;
  std::optional<std::string> pinned_limit;
  std::size_t verify_records = 1;
};

/// Adds the options to a command. `options` must live as long as the command.
void add_engine_options(CLI::App& command, EngineOptions& options);

/// What the options stand for on this machine. Throws what choose_encoder throws.
EncoderChoice chosen_encoder(const EngineOptions& options);
/// Says in the log why there are no devices. For a command that begins to work: one that fails says
/// one line, which is its error.
void say_note(const EncoderChoice& choice);

/// Settings for the encoders as the plan wants them. Throws InvalidArgument for a bad size.
EncoderSettings encoder_settings(const EngineOptions& options, const MemoryPlan& plan);

/// The plan for sectors of that many pieces, on the host and on devices, within the limits that
/// were given and those of the machine; what the user should know of these goes to the log. Throws
/// InvalidArgument for a bad size and when a limit is too low.
MemoryPlan memory_plan(const EngineOptions& options, const EncoderChoice& choice,
                       std::uint16_t pieces_in_sector, std::size_t pieces_in_flight);

}  // namespace furrow::cli
