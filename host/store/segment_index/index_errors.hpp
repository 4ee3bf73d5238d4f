// SPDX-License-Identifier: Apache-2.0
// Ways in which an age-tiered index on disk can refuse, beside those of furrow/errors.hpp.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "furrow/errors.hpp"

namespace furrow {

/// A segment or a manifest was written in a format that this program does not know.
class UnsupportedSegmentVersion : public Error {
 public:
  UnsupportedSegmentVersion(const std::string& what, std::uint32_t expected, std::uint32_t actual);
};

/// The directory holds segments but no manifest: which of them count is not known.
class IndexManifestMissing : public Error {
 public:
  IndexManifestMissing(const std::filesystem::path& manifest, const std::string& segment);
};

/// Another process, or another index of this one, has the directory.
class IndexInUse : public Error {
 public:
  explicit IndexInUse(const std::filesystem::path& lock_file);
};

/// A failed write left open which manifest is on disk. What is there can be read; before anything
/// is written the index has to be opened again.
class IndexNeedsReopening : public Error {
 public:
  explicit IndexNeedsReopening(const std::filesystem::path& directory);
};

}  // namespace furrow
