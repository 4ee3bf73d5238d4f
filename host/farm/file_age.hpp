// SPDX-License-Identifier: Apache-2.0
// Whether somebody else may be writing a file that is being read.
#pragma once

#include <chrono>
#include <filesystem>

namespace furrow {

/// Whether anybody wrote to the file in that time, or its clock is ahead of ours, or nobody can
/// tell: what was read may be a mixture then of what was there before a write and after it.
bool was_written_within(const std::filesystem::path& file, std::chrono::seconds time);

}  // namespace furrow
