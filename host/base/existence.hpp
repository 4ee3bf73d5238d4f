// SPDX-License-Identifier: Apache-2.0
// Whether there is something at a path. A failure to find out is an error, not an absence.
#pragma once

#include <filesystem>

namespace furrow {

/// Whether the path leads to something; a symbolic link that leads nowhere does not. Throws
/// IoError.
bool is_there(const std::filesystem::path& path);

/// Whether the directory has an entry of that name, be it a symbolic link that leads nowhere.
/// Throws IoError.
bool is_name_taken(const std::filesystem::path& path);

}  // namespace furrow
