// SPDX-License-Identifier: Apache-2.0
// The option --create of commands that make directories.
#pragma once

#include "host/base/make_directory.hpp"

namespace CLI {
class App;
}

namespace furrow::cli {

/// Adds --create=auto|parents|never. `how` must live as long as the command.
void add_create_option(CLI::App& command, MakeDirectory& how);

}  // namespace furrow::cli
