// SPDX-License-Identifier: Apache-2.0
#include "tools/create_option.hpp"

#include <string>

#include <CLI/CLI.hpp>

namespace furrow::cli {

void add_create_option(CLI::App& command, MakeDirectory& how) {
  command
      .add_option_function<std::string>(
          "--create",
          [&how](const std::string& name) {
            how = name == "parents" ? MakeDirectory::kParents
                  : name == "never" ? MakeDirectory::kNever
                                    : MakeDirectory::kLastOnly;
          },
          "Directories that are made: auto (the last one of a path), parents (all of it), or never "
          "(what is wanted has to be there)")
      ->check(CLI::IsMember({"auto", "parents", "never"}))
      ->default_str("auto");
}

}  // namespace furrow::cli
