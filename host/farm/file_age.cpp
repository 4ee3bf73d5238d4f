// SPDX-License-Identifier: Apache-2.0
#include "host/farm/file_age.hpp"

namespace furrow {

bool was_written_within(const std::filesystem::path& file, std::chrono::seconds time) {
  std::error_code unknown;
  const std::filesystem::file_time_type written = std::filesystem::last_write_time(file, unknown);
  return unknown || written >= std::filesystem::file_time_type::clock::now() - time;
}

}  // namespace furrow
