// SPDX-License-Identifier: Apache-2.0
// The options of `furrow plot`, all of which `furrow plan` has as well, and what they ask for.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "furrow/types.hpp"

#include "host/base/make_directory.hpp"
#include "host/plotter/plot_observer.hpp"
#include "host/plotter/plot_request.hpp"
#include "tools/command.hpp"
#include "tools/engine_options.hpp"
#include "tools/piece_options.hpp"

namespace furrow::cli {

/// As the command line says it; plot_request() turns it into what it means.
struct PlotOptions {
  std::string farm;
  MakeDirectory create = MakeDirectory::kLastOnly;  ///< of farm and cache
  std::optional<std::uint64_t> sectors;
  std::optional<std::string> size;
  bool until_covered = false;
  std::optional<std::uint64_t> pieces_in_sector;
  std::optional<unsigned> cache_percentage;
  bool shrink = false;
  std::optional<Hash> genesis_root;

  PieceArguments pieces;
  std::optional<std::string> cache;
  std::string cache_size = "10GiB";

  EngineArguments engine;

  std::string progress = "auto";
  bool json = false;
};

/// A plan makes nothing, so that a farm and its pieces may be left open.
enum class PlotOptionsFor { kPlotting, kPlanning };

/// Adds the options to a command. `options` must live as long as the command.
void add_plot_options(Command command, PlotOptions& options, PlotOptionsFor purpose);

/// Throws InvalidArgument for what is no size, and what token_reader throws.
[[nodiscard]] PlotRequest plot_request(const PlotOptions& options);

/// Warnings and notes go to the log.
[[nodiscard]] PlotObserver logging_observer();

}  // namespace furrow::cli
