// SPDX-License-Identifier: Apache-2.0
// Opening an age-tiered index: creation, verification, and what a crash left behind.
#include <algorithm>
#include <cerrno>
#include <string>
#include <system_error>

#include "host/base/pending_file.hpp"
#include "host/store/segment_index/age_tiered_index.hpp"
#include "host/store/segment_index/index_errors.hpp"

namespace furrow {
namespace {

constexpr const char* kLockName = "lock";

bool is_segment_name(const std::string& name) {
  return name.starts_with("seg_") && name.ends_with(".bin");
}

/// Names with .tmp are those of earlier versions.
bool is_temporary_name(const std::string& name) {
  return is_pending_file_name(name) || (name.starts_with("seg_") && name.ends_with(".bin.tmp")) ||
         name == std::string(kIndexManifestName) + ".tmp";
}

std::vector<std::string> names_in(const std::filesystem::path& directory) {
  std::vector<std::string> names;
  try {
    for (const auto& entry : std::filesystem::directory_iterator(directory)) {
      names.push_back(entry.path().filename().native());
    }
  } catch (const std::filesystem::filesystem_error& error) {
    throw IoError("list", directory.native(), error.code().value());
  }
  std::sort(names.begin(), names.end());
  return names;
}

void check_options(const IndexOptions& options) {
  if (options.fan_in < 2 || options.memory_entries == 0 ||
      options.max_segments + 1 < options.fan_in || options.max_segments >= kMaxDiskSegments) {
    throw InvalidArgument(
        "index options: expected a fan-in of at least 2, at least 1 entry in memory, and fan-in - "
        "1 "
        "to " +
        std::to_string(kMaxDiskSegments - 1) + " segments; actual " +
        std::to_string(options.fan_in) + ", " + std::to_string(options.memory_entries) + ", " +
        std::to_string(options.max_segments));
  }
}

void create_directory_durably(const std::filesystem::path& directory) {
  std::error_code error;
  if (std::filesystem::create_directory(directory, error)) {
    sync_directory(directory.has_parent_path() ? directory.parent_path() : ".");
  }
  if (error) {
    throw IoError("create directory", directory.native(), error.value());
  }
}

std::shared_ptr<const DiskSegment> open_segment(const std::filesystem::path& directory,
                                                const DiskSegmentHeader& expected) {
  auto segment = DiskSegment::open(directory / segment_file_name(expected.number));
  if (segment->header() != expected) {
    throw MalformedData(segment->path().native() +
                        ": intact, but not the segment that the manifest names");
  }
  return segment;
}

std::unique_ptr<IndexSnapshot> open_segments(const std::filesystem::path& directory,
                                             const IndexManifest& manifest) {
  auto snapshot = std::make_unique<IndexSnapshot>();
  snapshot->horizon = manifest.horizon;
  for (auto header = manifest.segments.rbegin(); header != manifest.segments.rend(); ++header) {
    snapshot->segments.push_back(open_segment(directory, *header));
  }
  return snapshot;
}

}  // namespace

std::unique_ptr<AgeTieredIndex> AgeTieredIndex::open(const std::filesystem::path& directory,
                                                     const IndexOptions& options) {
  check_options(options);
  create_directory_durably(directory);
  File lock = File::open_or_create(directory / kLockName);
  if (!lock.try_lock()) {
    throw IndexInUse(lock.path());
  }
  const std::filesystem::path manifest_path = directory / kIndexManifestName;
  const std::vector<std::string> names = names_in(directory);
  if (std::find(names.begin(), names.end(), kIndexManifestName) == names.end()) {
    // The first manifest is written before the first segment.
    const auto segment = std::find_if(names.begin(), names.end(), is_segment_name);
    if (segment != names.end()) {
      throw IndexManifestMissing(manifest_path, *segment);
    }
    IndexManifest().write(manifest_path);
  }
  IndexManifest manifest = IndexManifest::read(manifest_path);
  auto snapshot = open_segments(directory, manifest);
  std::vector<std::string> listed;
  for (const DiskSegmentHeader& header : manifest.segments) {
    listed.push_back(segment_file_name(header.number));
  }
  // Only now, when all that counts is known to be whole.
  for (const std::string& name : names) {
    const bool is_listed = std::find(listed.begin(), listed.end(), name) != listed.end();
    if (is_temporary_name(name) || (is_segment_name(name) && !is_listed)) {
      std::error_code error;
      std::filesystem::remove(directory / name, error);
      if (error) {
        throw IoError("remove", (directory / name).native(), error.value());
      }
    }
  }
  return std::unique_ptr<AgeTieredIndex>(new AgeTieredIndex(
      directory, options, std::move(lock), std::move(manifest), std::move(snapshot)));
}

void AgeTieredIndex::remove(const std::filesystem::path& directory) {
  const std::vector<std::string> names = names_in(directory);
  std::optional<File> lock;
  for (const std::string& name : names) {
    if (name == kLockName) {
      lock = File::open_read(directory / name);
      if (!lock->try_lock()) {
        throw IndexInUse(lock->path());
      }
    } else if (name != kIndexManifestName && !is_segment_name(name) && !is_temporary_name(name)) {
      throw InvalidArgument("'" + directory.native() + "' is not removed: '" + name +
                            "' in it is no part of an index");
    }
  }
  std::error_code error;
  for (const std::string& name : names) {
    std::filesystem::remove(directory / name, error);
    if (error) {
      throw IoError("remove", (directory / name).native(), error.value());
    }
  }
  std::filesystem::remove(directory, error);
  if (error) {
    throw IoError("remove", directory.native(), error.value());
  }
}

std::unique_ptr<const AgeTieredIndex> AgeTieredIndex::open_for_lookups(
    const std::filesystem::path& directory) {
  const std::filesystem::path manifest_path = directory / kIndexManifestName;
  IndexManifest manifest = IndexManifest::read(manifest_path);
  for (;;) {
    try {
      auto snapshot = open_segments(directory, manifest);
      return std::unique_ptr<const AgeTieredIndex>(new AgeTieredIndex(
          directory, {}, std::nullopt, std::move(manifest), std::move(snapshot)));
    } catch (const IoError& error) {
      // A compaction may have removed a segment since the manifest was read; then there is another.
      IndexManifest newer = IndexManifest::read(manifest_path);
      if (error.error_number() != ENOENT || newer == manifest) {
        throw;
      }
      manifest = std::move(newer);
    }
  }
}

}  // namespace furrow
