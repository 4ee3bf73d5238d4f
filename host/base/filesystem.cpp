// SPDX-License-Identifier: Apache-2.0
#include "host/base/filesystem.hpp"

#include <array>
#include <cerrno>

#include <fcntl.h>
#include <sys/stat.h>

namespace furrow {

namespace fs = std::filesystem;

void set_mode(const fs::path& path, std::uint32_t mode) {
  with_io_errors("set the mode of", [&] { fs::permissions(path, static_cast<fs::perms>(mode)); });
}

std::uint32_t mode_of(const fs::path& path) {
  return with_io_errors("get the mode of", [&] {
    return static_cast<std::uint32_t>(fs::status(path).permissions() & fs::perms::mask);
  });
}

void set_mtime(const fs::path& path, std::int64_t seconds, std::uint32_t nanoseconds) {
  const std::array<timespec, 2> times = {
      timespec{0, UTIME_OMIT},
      timespec{seconds, static_cast<decltype(timespec::tv_nsec)>(nanoseconds)}};
  if (::utimensat(AT_FDCWD, path.c_str(), times.data(), AT_SYMLINK_NOFOLLOW) != 0) {
    throw IoError("set the modification time of", path.native(), errno);
  }
}

void remove_tree(const fs::path& directory) {
  with_io_errors("remove", [&] {
    fs::permissions(directory, fs::perms::owner_all, fs::perm_options::add);
    for (const fs::directory_entry& entry : fs::directory_iterator(directory)) {
      if (entry.symlink_status().type() == fs::file_type::directory) {
        remove_tree(entry.path());
      } else {
        fs::remove(entry.path());
      }
    }
    fs::remove(directory);
  });
}

CreatedFiles::~CreatedFiles() {
  for (auto created = paths_.rbegin(); created != paths_.rend(); ++created) {
    std::error_code ignored;  // the failure that led here is the one to report
    if (created->is_tree) {
      fs::remove_all(created->path, ignored);
    } else {
      fs::remove(created->path, ignored);
    }
  }
}

void CreatedFiles::make_directory(const fs::path& directory, MakeDirectory how) {
  furrow::make_directory(directory, how, [this](const fs::path& made) { add(made); });
}

}  // namespace furrow
