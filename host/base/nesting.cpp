// SPDX-License-Identifier: Apache-2.0
#include "host/base/nesting.hpp"

#include <system_error>

#include <sys/stat.h>

#include "furrow/errors.hpp"

namespace furrow {
namespace {

namespace fs = std::filesystem;

bool is_same_directory(const fs::path& a, const fs::path& b) {
  struct stat status_a {};
  struct stat status_b {};
  return a == b || (::stat(a.c_str(), &status_a) == 0 && ::stat(b.c_str(), &status_b) == 0 &&
                    status_a.st_dev == status_b.st_dev && status_a.st_ino == status_b.st_ino);
}

}  // namespace

fs::path resolved_path(const fs::path& path) {
  std::error_code error;
  const fs::path result = fs::weakly_canonical(fs::absolute(path), error);
  if (error) {
    throw IoError("look at", path.native(), error.value());
  }
  return result.has_filename() ? result : result.parent_path();
}

bool lies_within(const fs::path& inner, const fs::path& outer) {
  const fs::path resolved_outer = resolved_path(outer);
  for (fs::path path = resolved_path(inner);; path = path.parent_path()) {
    if (is_same_directory(path, resolved_outer)) {
      return true;
    }
    if (path == path.parent_path()) {
      return false;
    }
  }
}

}  // namespace furrow
