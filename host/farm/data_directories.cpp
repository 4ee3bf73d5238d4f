// SPDX-License-Identifier: Apache-2.0
#include "host/farm/data_directories.hpp"

#include <string>
#include <system_error>

#include "host/archive/store_layout.hpp"
#include "host/base/nesting.hpp"
#include "host/farm/farm_create.hpp"
#include "host/farm/farm_options.hpp"
#include "host/pieces/piece_cache.hpp"

namespace furrow {
namespace {

namespace fs = std::filesystem;

/// Unlike is_name_taken no error: whoever cannot look into a directory cannot write there either.
bool is_seen(const fs::path& path) {
  std::error_code unreadable;
  return fs::exists(fs::symlink_status(path, unreadable));
}

std::optional<DataKind> kind_of(const fs::path& directory) {
  if (is_seen(directory / kFarmInfoFileName) || is_seen(directory / kCreationMarkName)) {
    return DataKind::kFarm;
  }
  if (is_seen(directory / kArchivingMarkName) ||
      (is_seen(directory / kManifestFileName) &&
       (is_seen(directory / kStoreIndexName) ||
        is_seen(directory / segment_pack_name(SegmentIndex(0)))))) {
    return DataKind::kStore;
  }
  if (is_seen(directory / kPieceCacheFileName)) {
    return DataKind::kPieceCache;
  }
  return std::nullopt;
}

/// Of a directory that is resolved.
std::optional<DataDirectory> around(fs::path directory) {
  for (;; directory = directory.parent_path()) {
    if (const std::optional<DataKind> kind = kind_of(directory)) {
      return DataDirectory{*kind, directory};
    }
    if (directory == directory.parent_path()) {
      return std::nullopt;
    }
  }
}

const char* name_of(DataKind kind) {
  switch (kind) {
    case DataKind::kFarm:
      return "farm";
    case DataKind::kStore:
      return "store";
    case DataKind::kPieceCache:
      return "piece cache";
  }
  return "";
}

PlaceTaken place_taken(std::string_view option, const fs::path& path, const DataDirectory& owner) {
  return PlaceTaken(std::string(option) + " '" + path.native() + "' lies in the " +
                        name_of(owner.kind) + " '" + owner.path.native() +
                        "', where nothing else is written",
                    {.path = path.native()});
}

}  // namespace

std::optional<DataDirectory> data_directory_around(const fs::path& path) {
  return around(resolved_path(path));
}

void require_outside_data(std::string_view option, const fs::path& output) {
  if (const std::optional<DataDirectory> owner = data_directory_around(output)) {
    throw place_taken(option, output, *owner);
  }
}

void require_own_place(std::string_view option, const fs::path& directory, DataKind kind) {
  const fs::path path = resolved_path(directory);
  const std::optional<DataKind> here = kind_of(path);
  // A piece_cache.bin may be that of a farm; what is made of the directory says whether it is.
  const bool may_be_part = kind == DataKind::kFarm && here == DataKind::kPieceCache;
  if (here.has_value() && *here != kind && !may_be_part) {
    throw PlaceTaken(std::string(option) + " '" + directory.native() + "' is a " + name_of(*here) +
                         ", expected a " + name_of(kind) + " or a directory of its own",
                     {.path = directory.native()});
  }
  if (const std::optional<DataDirectory> owner = around(path.parent_path())) {
    throw place_taken(option, directory, *owner);
  }
}

void require_apart(std::string_view option, const fs::path& directory,
                   std::string_view other_option, const fs::path& other) {
  if (lies_within(directory, other) || lies_within(other, directory)) {
    throw PlaceTaken(std::string(option) + " '" + directory.native() + "' and " +
                         std::string(other_option) + " '" + other.native() +
                         "' lie within one another",
                     {.path = directory.native()});
  }
}

}  // namespace furrow
