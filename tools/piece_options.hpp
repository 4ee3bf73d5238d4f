// SPDX-License-Identifier: Apache-2.0
// Where pieces come from: options of commands that plot.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "host/plotter/piece_request.hpp"
#include "tools/command.hpp"

namespace furrow::cli {

/// As the command line says it.
struct PieceArguments {
  std::vector<std::string> sources;
  std::optional<std::string> manifest;
  std::optional<std::string> token_file;
  std::optional<std::string> ca_file;
  std::size_t in_flight = 64;
  unsigned piece_seconds = 120;
};

void add_piece_options(Command command, PieceArguments& arguments, bool is_required);

/// Without a cache. Throws what token_reader throws.
[[nodiscard]] PieceRequest piece_request(const PieceArguments& arguments);

}  // namespace furrow::cli
