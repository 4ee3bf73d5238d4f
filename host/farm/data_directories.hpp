// SPDX-License-Identifier: Apache-2.0
// Which directories are Furrow's own: farms, stores of pieces and piece caches. Their files are
// known by name to the programs that use them, so nothing else is to be written among them.
#pragma once

#include <filesystem>
#include <optional>
#include <string_view>

#include "furrow/errors.hpp"

namespace furrow {

enum class DataKind { kFarm, kStore, kPieceCache };

/// A directory and what it holds.
struct DataDirectory {
  DataKind kind;
  std::filesystem::path path;
};

/// A path lies within a directory that is used for something else.
class PlaceTaken : public InvalidArgument {
 public:
  using InvalidArgument::InvalidArgument;
};

/// The innermost directory with data that `path` is or lies in, wherever symbolic links lead; what
/// of the path is not there yet does not matter.
std::optional<DataDirectory> data_directory_around(const std::filesystem::path& path);

/// Refuses an output, which `option` names, within any directory with data. Throws PlaceTaken.
void require_outside_data(std::string_view option, const std::filesystem::path& output);

/// Refuses to keep `kind` in a directory that holds something else or lies in one that does. The
/// same kind is refused around it only. Throws PlaceTaken.
void require_own_place(std::string_view option, const std::filesystem::path& directory,
                       DataKind kind);

/// Refuses two directories of which one is, or will be, in the other. Throws PlaceTaken.
void require_apart(std::string_view option, const std::filesystem::path& directory,
                   std::string_view other_option, const std::filesystem::path& other);

}  // namespace furrow
