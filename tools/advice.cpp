// SPDX-License-Identifier: Apache-2.0
#include "tools/advice.hpp"

#include <fmt/format.h>

#include "host/base/make_directory.hpp"
#include "host/farm/farm_errors.hpp"

namespace furrow::cli {

std::string advice_on(const Error& error) {
  if (dynamic_cast<const ParentMissing*>(&error) != nullptr) {
    return "; --create=parents makes it";
  }
  if (const auto* const size = dynamic_cast<const StoredSizeMismatch*>(&error)) {
    const std::string by_size =
        fmt::format("; say which size the farm shall have: --size {}", size->mending_size());
    return size->cache_percentage() == 0
               ? by_size
               : fmt::format("{} or, for a new, empty cache, --cache-percentage {}", by_size,
                             size->cache_percentage());
  }
  if (const auto* const lost = dynamic_cast<const WouldLoseSectors*>(&error)) {
    return fmt::format("; --size {} is that, --shrink drops the last ones", lost->needed_space());
  }
  if (dynamic_cast<const SectorHoldsNothing*>(&error) != nullptr) {
    return "; furrow plot makes it again";
  }
  return {};
}

}  // namespace furrow::cli
