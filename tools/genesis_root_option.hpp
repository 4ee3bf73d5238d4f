// SPDX-License-Identifier: Apache-2.0
// --genesis-root: the chain that pieces belong to, for pieces of a real chain, whose genesis root
// is not the root of the archive's first segment.
#pragma once

#include <optional>

#include "furrow/types.hpp"

#include "tools/command.hpp"

namespace furrow::cli {

/// Adds the option; it throws InvalidArgument for anything but 64 hexadecimal digits.
Option add_genesis_root_option(Command command, std::optional<Hash>& genesis_root);

}  // namespace furrow::cli
