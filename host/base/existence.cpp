// SPDX-License-Identifier: Apache-2.0
#include "host/base/existence.hpp"

#include <system_error>

#include "furrow/errors.hpp"

namespace furrow {
namespace {

namespace fs = std::filesystem;

bool is_found(const fs::path& path, const fs::file_status& status, const std::error_code& error) {
  if (status.type() == fs::file_type::none) {
    throw IoError("look for", path.native(), error.value());
  }
  return status.type() != fs::file_type::not_found;
}

}  // namespace

bool is_there(const fs::path& path) {
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  return is_found(path, status, error);
}

bool is_name_taken(const fs::path& path) {
  std::error_code error;
  const fs::file_status status = fs::symlink_status(path, error);
  return is_found(path, status, error);
}

}  // namespace furrow
