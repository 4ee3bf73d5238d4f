// SPDX-License-Identifier: Apache-2.0
// Options of commands that plot: how large a farm shall be, and what a new one is like.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "furrow/types.hpp"

#include "host/base/make_directory.hpp"
#include "host/base/observer.hpp"
#include "host/plotter/farm_request.hpp"
#include "tools/command.hpp"

namespace furrow::cli {

/// As the command line says it; farm_request() turns it into what it means.
struct FarmArguments {
  MakeDirectory create = MakeDirectory::kLastOnly;
  std::optional<std::uint64_t> sectors;
  std::optional<std::string> size;
  bool until_covered = false;
  std::optional<std::uint64_t> pieces_in_sector;
  std::optional<unsigned> cache_percentage;
  bool shrink = false;
  std::optional<Hash> genesis_root;
};

/// Adds the options to a command, but for the directory itself. `arguments` must live as long as the
/// command.
void add_farm_options(Command command, FarmArguments& arguments);

/// Throws InvalidArgument for what is no size.
[[nodiscard]] FarmRequest farm_request(const std::filesystem::path& directory,
                                       const FarmArguments& arguments,
                                       const Observer<const std::string&>& on_warning);

/// NewFarmNeedsSize as the command line has it: which options give one.
[[nodiscard]] InvalidArgument new_farm_needs_size();

}  // namespace furrow::cli
