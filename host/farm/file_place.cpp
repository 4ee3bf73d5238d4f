#include "host/farm/file_place.hpp"

#include <cerrno>
#include <utility>

#include <sys/stat.h>

#include "host/farm/farm_errors.hpp"

namespace furrow {

FilePlace::FilePlace(std::filesystem::path path) : path_(std::move(path)) {
  struct stat status {};
  if (::stat(path_.c_str(), &status) != 0) {
    throw IoError("find", path_.native(), errno);
  }
  device_ = status.st_dev;
  inode_ = status.st_ino;
}

void FilePlace::check() const {
  struct stat status {};
  if (::stat(path_.c_str(), &status) != 0) {
    if (errno == ENOENT || errno == ENOTDIR) {
      throw FarmGone(path_);
    }
    throw IoError("find", path_.native(), errno);
  }
  if (status.st_dev != device_ || status.st_ino != inode_) {
    throw FarmGone(path_);
  }
}

}  // namespace furrow
