// SPDX-License-Identifier: Apache-2.0
#include "tools/genesis_root_option.hpp"

#include <string>

#include "furrow/errors.hpp"

#include "host/base/hex.hpp"

namespace furrow::cli {

Option add_genesis_root_option(Command command, std::optional<Hash>& genesis_root) {
  return command.add_option_function(
      "--genesis-root",
      [&genesis_root](const std::string& text) {
        Hash root;
        try {
          from_hex(text, root.bytes, "--genesis-root");
        } catch (const Error&) {
          throw InvalidArgument(
              "--genesis-root: expected 64 hexadecimal digits, actual '" + text + "'",
              {.expected = "64 hexadecimal digits", .actual = text});
        }
        genesis_root = root;
      },
      "Genesis root of the chain that the pieces belong to, 64 hexadecimal digits; that of the "
      "manifest if not given");
}

}  // namespace furrow::cli
