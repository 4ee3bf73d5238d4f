// SPDX-License-Identifier: Apache-2.0
#include "tools/open_farm.hpp"

#include <spdlog/spdlog.h>

namespace furrow::cli {

std::unique_ptr<Farm> open_farm(const FarmOptions& options) {
  std::unique_ptr<Farm> farm = Farm::open(options);
  for (const std::string& warning : farm->warnings()) {
    spdlog::warn("{}", warning);
  }
  return farm;
}

}  // namespace furrow::cli
