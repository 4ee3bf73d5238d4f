// SPDX-License-Identifier: Apache-2.0
// Making the directory that a farm, a store or a cache is kept in.
//
// A disk that is not mounted looks like an empty directory, and a path below it like one that only
// has to be made. So directories above the wanted one are made only for somebody who asked for it.
#pragma once

#include <filesystem>
#include <functional>

#include "furrow/errors.hpp"

namespace furrow {

enum class MakeDirectory {
  kLastOnly,  ///< the directory itself, in one that is there
  kParents,   ///< those above it, too
  kNever,     ///< what is wanted has to be there
};

/// The directory that one was to be made in is not there.
class ParentMissing : public IoError {
 public:
  ParentMissing(const std::filesystem::path& directory, const std::filesystem::path& parent);
};

/// Makes `directory` when it is absent, durably. `on_made` is told of each directory made, the
/// outermost first. Throws ParentMissing; IoError, with ENOENT when it is absent and must not be
/// made.
void make_directory(const std::filesystem::path& directory, MakeDirectory how,
                    const std::function<void(const std::filesystem::path&)>& on_made = {});

/// Throws ParentMissing or IoError when make_directory would because of what is there; makes
/// nothing.
void check_directory_can_be_made(const std::filesystem::path& directory, MakeDirectory how);

}  // namespace furrow
