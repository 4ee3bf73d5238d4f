#include "host/farm/data_directories.hpp"

#include <string>
#include <system_error>

#include <sys/stat.h>

#include "host/archive/store_layout.hpp"
#include "host/farm/farm_create.hpp"
#include "host/farm/farm_options.hpp"
#include "host/pieces/piece_cache.hpp"

namespace furrow {
namespace {

namespace fs = std::filesystem;

bool is_there(const fs::path& path) {
  std::error_code unreadable;  // whoever cannot look into a directory cannot write there either
  return fs::exists(fs::symlink_status(path, unreadable));
}

/// Absolute, without symbolic links and a slash at the end.
fs::path resolved(const fs::path& path) {
  std::error_code error;
  const fs::path result = fs::weakly_canonical(fs::absolute(path), error);
  if (error) {
    throw IoError("look at", path.native(), error.value());
  }
  return result.has_filename() ? result : result.parent_path();
}

std::optional<DataKind> kind_of(const fs::path& directory) {
  if (is_there(directory / kFarmInfoFileName) || is_there(directory / kCreationMarkName)) {
    return DataKind::kFarm;
  }
  if (is_there(directory / kArchivingMarkName) ||
      (is_there(directory / kManifestFileName) &&
       (is_there(directory / kStoreIndexName) ||
        is_there(directory / segment_pack_name(SegmentIndex(0)))))) {
    return DataKind::kStore;
  }
  if (is_there(directory / kPieceCacheFileName)) {
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

bool is_same_directory(const fs::path& a, const fs::path& b) {
  struct stat status_a {};
  struct stat status_b {};
  return a == b || (::stat(a.c_str(), &status_a) == 0 && ::stat(b.c_str(), &status_b) == 0 &&
                    status_a.st_dev == status_b.st_dev && status_a.st_ino == status_b.st_ino);
}

}  // namespace

std::optional<DataDirectory> data_directory_around(const fs::path& path) {
  return around(resolved(path));
}

bool lies_within(const fs::path& inner, const fs::path& outer) {
  const fs::path resolved_outer = resolved(outer);
  for (fs::path path = resolved(inner);; path = path.parent_path()) {
    if (is_same_directory(path, resolved_outer)) {
      return true;
    }
    if (path == path.parent_path()) {
      return false;
    }
  }
}

void require_outside_data(std::string_view option, const fs::path& output) {
  if (const std::optional<DataDirectory> owner = data_directory_around(output)) {
    throw place_taken(option, output, *owner);
  }
}

void require_own_place(std::string_view option, const fs::path& directory, DataKind kind) {
  const fs::path path = resolved(directory);
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
