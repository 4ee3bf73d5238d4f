// SPDX-License-Identifier: Apache-2.0
// Removing what is ours out of a directory that somebody else may use, too.
#pragma once

#include <filesystem>
#include <functional>
#include <string>

namespace furrow {

/// Removes the files of a directory whose names `is_own` knows, and then the directory if it is
/// empty. What cannot be removed stays. Links and directories are left alone.
void remove_own_files(const std::filesystem::path& directory,
                      const std::function<bool(const std::string& name)>& is_own);

/// Whether RocksDB calls a file of a database so.
bool is_rocksdb_name(const std::string& name);

/// Whether the files of an age-tiered index are called so (docs/formats/segment-index.md).
bool is_segment_index_name(const std::string& name);

}  // namespace furrow
