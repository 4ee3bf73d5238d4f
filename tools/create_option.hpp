// SPDX-License-Identifier: Apache-2.0
// The option --create of commands that make directories.
#pragma once

#include "host/base/make_directory.hpp"
#include "tools/command.hpp"

namespace furrow::cli {

/// Adds --create=auto|parents|never. `how` must live as long as the command.
void add_create_option(Command command, MakeDirectory& how);

}  // namespace furrow::cli
