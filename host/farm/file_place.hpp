// SPDX-License-Identifier: Apache-2.0
// Whether what was opened at a path is still what one finds there.
#pragma once

#include <filesystem>

#include "host/base/file.hpp"

namespace furrow {

/// Path, device and inode of a file or directory that is open, as of the open file itself: its path
/// may lead elsewhere by now. As long as it is open no other one can get them, so they tell whether
/// the path still leads to it.
class FilePlace {
 public:
  /// Throws IoError.
  explicit FilePlace(const File& file) : path_(file.path()), id_(file.id()) {}

  /// Whether the path leads to it. Throws IoError when that cannot be found out.
  [[nodiscard]] bool is_there() const;
  /// Throws FarmGone when the path leads elsewhere or nowhere, and IoError.
  void check() const;

 private:
  std::filesystem::path path_;
  File::Id id_;
};

}  // namespace furrow
