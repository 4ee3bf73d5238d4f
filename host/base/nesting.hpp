// SPDX-License-Identifier: Apache-2.0
// Whether directories lie within one another, whatever their paths look like.
#pragma once

#include <filesystem>

namespace furrow {

/// Absolute, without symbolic links and without a slash at the end. Throws IoError.
std::filesystem::path resolved_path(const std::filesystem::path& path);

/// Whether `inner` is `outer` or lies below it; neither has to exist. Directories are compared by
/// device and inode as well, so that another mount of the same one is seen. Throws IoError.
bool lies_within(const std::filesystem::path& inner, const std::filesystem::path& outer);

}  // namespace furrow
