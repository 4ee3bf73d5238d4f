// SPDX-License-Identifier: Apache-2.0
// What archiving and restoring need of the file system beyond host/base/file.hpp.
#pragma once

#include <cstdint>
#include <filesystem>
#include <utility>
#include <vector>

#include "furrow/errors.hpp"

#include "host/base/make_directory.hpp"

namespace furrow {

/// Calls `call`; a failure of the standard file system library becomes an IoError with that
/// operation.
template <class Call>
auto with_io_errors(const char* operation, Call call) {
  try {
    return call();
  } catch (const std::filesystem::filesystem_error& error) {
    throw IoError(operation, error.path1().native(), error.code().value());
  }
}

/// Sets the permission bits, 0 to 07777, of a file or directory.
void set_mode(const std::filesystem::path& path, std::uint32_t mode);
std::uint32_t mode_of(const std::filesystem::path& path);
/// Sets the modification time; of a symbolic link itself, not of what it points to.
void set_mtime(const std::filesystem::path& path, std::int64_t seconds, std::uint32_t nanoseconds);

/// Removes a directory with everything in it, also below directories without permission to write.
/// Does not follow symbolic links.
void remove_tree(const std::filesystem::path& directory);

/// Files and directories that a task created and that go again if it fails.
/// Thread-compatible.
class CreatedFiles {
 public:
  CreatedFiles() = default;
  CreatedFiles(const CreatedFiles&) = delete;
  CreatedFiles& operator=(const CreatedFiles&) = delete;
  /// Removes what it was told of, last first, unless keep() was called.
  ~CreatedFiles();

  /// Also for what is only about to be created; absent files are no failure. A directory is removed
  /// only if it is empty by then.
  void add(std::filesystem::path path) { paths_.push_back({std::move(path), false}); }
  /// A directory that goes with everything in it. Pre: it is absent so far.
  void add_tree(std::filesystem::path directory) { paths_.push_back({std::move(directory), true}); }
  /// make_directory, for a directory that goes again with the rest.
  void make_directory(const std::filesystem::path& directory, MakeDirectory how);
  /// The task is done.
  void keep() { paths_.clear(); }

 private:
  struct Created {
    std::filesystem::path path;
    bool is_tree;
  };
  std::vector<Created> paths_;
};

}  // namespace furrow
