// SPDX-License-Identifier: Apache-2.0
#include "host/farm/file_place.hpp"

#include <cerrno>

#include <sys/stat.h>

#include "host/farm/farm_errors.hpp"

namespace furrow {

bool FilePlace::is_there() const {
  struct stat status {};
  if (::stat(path_.c_str(), &status) != 0) {
    if (errno == ENOENT || errno == ENOTDIR) {
      return false;
    }
    throw IoError("find", path_.native(), errno);
  }
  return File::Id{.device = status.st_dev, .inode = status.st_ino} == id_;
}

void FilePlace::check() const {
  if (!is_there()) {
    throw FarmGone(path_);
  }
}

}  // namespace furrow
