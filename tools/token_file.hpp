// SPDX-License-Identifier: Apache-2.0
// The secret that clients of a piece server show.
#pragma once

#include <functional>
#include <string>

namespace furrow::cli {

/// The first line of the file, which `option` names. Throws InvalidArgument unless it is printable and
/// without spaces, IoError.
std::string read_token_file(const std::string& file, const std::string& option = "--token-file");

/// Reads the file, and returns what reads it again, since it may be renewed; for a pipe, which
/// gives its text once, what was read is all there is. Throws as above, also from what is returned.
std::function<std::string()> token_reader(const std::string& file);

}  // namespace furrow::cli
