// SPDX-License-Identifier: Apache-2.0
#include "tools/farm_options.hpp"

#include <memory>
#include <string_view>

#include <fmt/format.h>

#include "host/base/byte_size.hpp"
#include "host/farm/space.hpp"
#include "host/store/paged_store/rocksdb_backend.hpp"
#include "tools/create_option.hpp"
#include "tools/genesis_root_option.hpp"

namespace furrow::cli {
namespace {

/// "100GiB", "all", or "all-20GB".
FarmSize space_of(std::string_view text) {
  constexpr std::string_view kAll = "all";
  if (!text.starts_with(kAll)) {
    return SpaceInAll{parse_size(text)};
  }
  const std::string_view rest = text.substr(kAll.size());
  if (!rest.empty() && !rest.starts_with('-')) {
    throw InvalidArgument(
        fmt::format("--size '{}': expected a size, all, or all-SIZE, such as all-20GB", text));
  }
  return SpaceThatLeaves{rest.empty() ? 0 : parse_size(rest.substr(1))};
}

FarmSize size_of(const FarmArguments& arguments) {
  if (arguments.until_covered) {
    return UntilCovered{};
  }
  if (arguments.sectors.has_value()) {
    return SectorsInAll{static_cast<std::uint16_t>(*arguments.sectors)};  // in range, as checked
  }
  return arguments.size.has_value() ? space_of(*arguments.size) : FarmSize(SizeAsItIs{});
}

}  // namespace

void add_farm_options(Command command, FarmArguments& arguments) {
  add_create_option(command, arguments.create);
  const Option sectors = command.add_option(
      "--sectors", arguments.sectors, "Sectors that the farm shall have in all; more are kept");
  sectors.in_range(std::uint64_t{1}, std::uint64_t{kMaxSectors});
  const Option size = command.add_option(
      "--size", arguments.size,
      "Space for the farm instead, such as 100GiB, or all-20GB for what leaves 20 GB of the disk "
      "free; all of it is plotted");
  const Option covered =
      command.add_flag("--until-covered", arguments.until_covered,
                       "As many sectors as rebuild the whole history from the farm alone");
  sectors.excludes(size).excludes(covered);
  size.excludes(covered);
  command
      .add_option("--pieces-in-sector", arguments.pieces_in_sector,
                  "1 to 1000, fixed when the farm is created; 1000 if not given")
      .in_range(std::uint64_t{1}, std::uint64_t{kMaxPiecesInSector});
  command
      .add_option("--cache-percentage", arguments.cache_percentage,
                  fmt::format("Share of the space for the piece cache of a farmer, 0 (for farms in "
                              "a cluster) to 99; if not given, that of the farm, and {} for a new "
                              "one",
                              kDefaultCachePercentage))
      .in_range(std::uint64_t{0}, std::uint64_t{99});
  command.add_flag("--shrink", arguments.shrink,
                   "Drop plotted sectors, the last ones first, when size, sectors or share leave "
                   "no room for them");
  add_genesis_root_option(command, arguments.genesis_root);
}

FarmRequest farm_request(const std::filesystem::path& directory, const FarmArguments& arguments,
                         const Observer<const std::string&>& on_warning) {
  FarmRequest request = {
      .directory = directory,
      .make_directory = arguments.create,
      .size = size_of(arguments),
      .cache_percentage = arguments.cache_percentage,
      .may_drop_sectors = arguments.shrink,
      .state_backend =
          [](const std::filesystem::path& state) { return open_rocksdb_backend(state); },
      .on_warning = on_warning,
      .genesis_root = arguments.genesis_root};
  if (arguments.pieces_in_sector.has_value()) {
    request.pieces_in_sector = static_cast<std::uint16_t>(*arguments.pieces_in_sector);
  }
  return request;
}

InvalidArgument new_farm_needs_size() {
  return InvalidArgument("a new farm needs a size: --sectors, --size or --until-covered");
}

}  // namespace furrow::cli
