// SPDX-License-Identifier: Apache-2.0
// A farm that a command reads.
#pragma once

#include <memory>

#include "host/farm/farm.hpp"

namespace furrow::cli {

/// Opens it, and says on the log what is wrong with it: a sector that is lost is in no answer, and
/// whoever asked has to know. Throws what Farm::open throws.
std::unique_ptr<Farm> open_farm(const FarmOptions& options);

}  // namespace furrow::cli
