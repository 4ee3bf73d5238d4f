// The secret that clients of a piece server show.
#pragma once

#include <string>

namespace furrow::cli {

/// The first line of the file. Throws InvalidArgument unless it is printable and without spaces,
/// IoError.
std::string read_token_file(const std::string& file);

}  // namespace furrow::cli
