// SPDX-License-Identifier: Apache-2.0
// What is to be archived: the files, directories and symbolic links below some paths.
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "furrow/errors.hpp"

#include "host/archive/manifest.hpp"

namespace furrow {

/// Neither file, directory nor symbolic link.
class UnsupportedFileType : public InvalidArgument {
 public:
  UnsupportedFileType(const std::filesystem::path& path, const std::string& type);
};
/// Two of the paths to archive have the same name.
class DuplicateName : public InvalidArgument {
 public:
  DuplicateName(const std::string& name, const std::filesystem::path& first,
                const std::filesystem::path& second);
};
/// A name or the target of a symbolic link is not UTF-8.
class NameNotUtf8 : public InvalidArgument {
 public:
  /// Bytes outside of ASCII are shown as \xNN.
  NameNotUtf8(const std::string& what, const std::string& name);
};

/// An entry and where its contents are to be read.
struct SourceEntry {
  /// Blocks and the hash of the contents are still open.
  ManifestEntry entry;
  std::filesystem::path source;
};

/// Lists the paths and everything below those that are directories, sorted by the bytes of their
/// names, each directory before its contents. Symbolic links are listed as such, never followed,
/// also when a path itself is one. Checks that every file can be opened for reading.
///
/// Throws UnsupportedFileType, DuplicateName, NameNotUtf8; InvalidArgument for a path without a
/// name of its own ("/"); IoError for what cannot be read.
std::vector<SourceEntry> list_sources(std::span<const std::filesystem::path> paths);

}  // namespace furrow
