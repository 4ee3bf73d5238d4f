// SPDX-License-Identifier: Apache-2.0
#include "simt/errors.hpp"

#include <array>
#include <string_view>

#include "simt/schedule.hpp"

namespace furrow::simt {

std::string text(const std::source_location& where) {
  std::string_view path = where.file_name();
  for (const std::string_view folder : {"/cuda/", "/tests/"}) {
    if (const std::size_t at = path.rfind(folder); at != std::string_view::npos) {
      path = path.substr(at + 1);
      break;
    }
  }
  return std::string(path) + ":" + std::to_string(where.line());
}

std::string text(uint3 index) {
  return "(" + std::to_string(index.x) + "," + std::to_string(index.y) + "," +
         std::to_string(index.z) + ")";
}

SimtError::SimtError(const Place& place, const std::string& what)
    : Error(ErrorKind::kInternal, text(place.where) + ": " + what + " [block " + text(place.block) +
                                      ", thread " + text(place.thread) +
                                      ", FURROW_SIMT_SCHEDULE=" + current_schedule().text() + "]"),
      place_(place) {}

}  // namespace furrow::simt
