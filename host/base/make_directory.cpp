// SPDX-License-Identifier: Apache-2.0
#include "host/base/make_directory.hpp"

#include <cerrno>
#include <string>
#include <system_error>
#include <utility>

#include "host/base/existence.hpp"
#include "host/base/file.hpp"

namespace furrow {

namespace fs = std::filesystem;

namespace {

/// The directory itself without a slash at its end, and the one above it.
std::pair<fs::path, fs::path> with_parent(const fs::path& directory) {
  const fs::path path = directory.has_filename() ? directory : directory.parent_path();
  return {path, path.has_parent_path() ? path.parent_path() : fs::path(".")};
}

}  // namespace

ParentMissing::ParentMissing(const fs::path& directory, const fs::path& parent)
    : IoError(
          "create directory", directory.native(),
          "'" + parent.native() + "', which it would be in, is not there; is its disk mounted?") {}

void make_directory(const fs::path& directory, MakeDirectory how,
                    const std::function<void(const fs::path&)>& on_made) {
  if (is_there(directory)) {
    return;
  }
  check_directory_can_be_made(directory, how);
  const auto [path, parent] = with_parent(directory);
  if (!is_there(parent)) {
    make_directory(parent, how, on_made);
  }
  std::error_code error;
  if (fs::create_directory(path, error) && on_made) {
    on_made(path);
  }
  if (error) {
    throw IoError("create directory", path.native(), error.value());
  }
  sync_directory(parent);
}

void check_directory_can_be_made(const fs::path& directory, MakeDirectory how) {
  if (is_there(directory)) {
    return;
  }
  if (how == MakeDirectory::kNever) {
    throw IoError("open", directory.native(), ENOENT);
  }
  const fs::path parent = with_parent(directory).second;
  if (how != MakeDirectory::kParents && !is_there(parent)) {
    throw ParentMissing(directory, parent);
  }
}

}  // namespace furrow
