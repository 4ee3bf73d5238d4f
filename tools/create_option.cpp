// SPDX-License-Identifier: Apache-2.0
#include "tools/create_option.hpp"

#include <string>

namespace furrow::cli {

void add_create_option(Command command, MakeDirectory& how) {
  command
      .add_option_function(
          "--create",
          [&how](const std::string& name) {
            how = name == "parents" ? MakeDirectory::kParents
                  : name == "never" ? MakeDirectory::kNever
                                    : MakeDirectory::kLastOnly;
          },
          "Directories that are made: auto (the last one of a path), parents (all of it), or never "
          "(what is wanted has to be there)")
      .one_of({"auto", "parents", "never"})
      .with_default("auto");
}

}  // namespace furrow::cli
