// SPDX-License-Identifier: Apache-2.0
// A small tree of files with everything that can be archived in it, and a store made of it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "host/archive/file_archive.hpp"
#include "host/archive/file_restore.hpp"
#include "tests/unit/archive/archive_fixture.hpp"

namespace furrow::test {

void write_file(const std::filesystem::path& path, std::span<const std::uint8_t> bytes);
void write_file(const std::filesystem::path& path, const std::string& text);

/// Makes the tree at `root`: files around the block size, empty ones, empty directories, links, odd
/// names, modes and times.
void make_tree(const std::filesystem::path& root);

/// Path below `root` to type, mode, time and contents; what a restored tree has to agree in.
std::map<std::string, std::string> describe_tree(const std::filesystem::path& root);

/// Names of everything below `root` with the sizes of the files, for "is as before".
std::vector<std::string> list_tree(const std::filesystem::path& root);

/// Hashes of all files below a directory by their names.
std::map<std::string, Hash> contents_of(const std::filesystem::path& root);

ArchiveOptions two_threads();

/// A tree called "tree" and its archive, one segment. Made once. Tests that damage the store repair
/// it.
struct ExampleStore {
  std::filesystem::path tree;
  std::filesystem::path store;
  ArchiveSummary summary;
};
const ExampleStore& example_store();

/// Segments of a store by way of StorePieceGetter and reconstruction.
SegmentSource store_source(const std::filesystem::path& store);

}  // namespace furrow::test
