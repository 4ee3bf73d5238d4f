// Whether what was opened at a path is still what one finds there.
#pragma once

#include <filesystem>

#include <sys/types.h>

namespace furrow {

/// Device and inode of a file or directory. As long as it is open no other one can get them, so
/// they tell whether its path still leads to it.
class FilePlace {
 public:
  /// Throws IoError when there is nothing at the path.
  explicit FilePlace(std::filesystem::path path);

  /// Throws FarmGone when the path leads elsewhere or nowhere, and IoError when that cannot be
  /// found out.
  void check() const;

 private:
  std::filesystem::path path_;
  dev_t device_ = 0;
  ino_t inode_ = 0;
};

}  // namespace furrow
