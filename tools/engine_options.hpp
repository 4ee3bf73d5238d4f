// SPDX-License-Identifier: Apache-2.0
// What encodes, and with how much memory: options of commands that plot.
#pragma once

#include <optional>
#include <string>

#include "host/plotter/engine_request.hpp"
#include "tools/command.hpp"

namespace furrow::cli {

/// As the command line says it.
struct EngineArguments {
  EngineRequest engine;
  std::optional<std::string> ram_limit;
  std::optional<std::string> vram_limit;
  std::optional<std::string> pinned_limit;
};

void add_engine_options(Command command, EngineArguments& arguments);

/// Throws InvalidArgument for what is no size.
[[nodiscard]] EngineRequest engine_request(const EngineArguments& arguments);

}  // namespace furrow::cli
