// SPDX-License-Identifier: Apache-2.0
#include "host/farm/own_files.hpp"

#include <algorithm>
#include <array>
#include <string_view>
#include <system_error>
#include <vector>

#include "host/store/segment_index/index_manifest.hpp"

namespace furrow {
namespace {

namespace fs = std::filesystem;

bool is_number(std::string_view text) {
  return !text.empty() &&
         std::ranges::all_of(text, [](char digit) { return digit >= '0' && digit <= '9'; });
}

}  // namespace

void remove_own_files(const fs::path& directory,
                      const std::function<bool(const std::string& name)>& is_own) {
  std::error_code ignored;
  std::vector<fs::path> own;
  for (fs::directory_iterator entry(directory, ignored), end; entry != end && !ignored;
       entry.increment(ignored)) {
    if (entry->symlink_status(ignored).type() == fs::file_type::regular &&
        is_own(entry->path().filename().native())) {
      own.push_back(entry->path());
    }
  }
  for (const fs::path& path : own) {
    fs::remove(path, ignored);
  }
  if (fs::is_directory(fs::symlink_status(directory, ignored))) {
    fs::remove(directory, ignored);
  }
}

bool is_rocksdb_name(const std::string& name) {
  static constexpr std::array<std::string_view, 5> kNames = {"CURRENT", "IDENTITY", "LOCK", "LOG",
                                                             "LOG.old"};
  static constexpr std::array<std::string_view, 3> kPrefixes = {"MANIFEST-", "OPTIONS-",
                                                                "LOG.old."};
  static constexpr std::array<std::string_view, 4> kSuffixes = {".log", ".sst", ".blob", ".dbtmp"};
  const std::string_view text = name;
  return std::ranges::find(kNames, text) != kNames.end() ||
         std::ranges::any_of(kPrefixes,
                             [&](std::string_view prefix) {
                               return text.starts_with(prefix) &&
                                      is_number(text.substr(prefix.size()));
                             }) ||
         std::ranges::any_of(kSuffixes, [&](std::string_view suffix) {
           return text.ends_with(suffix) && is_number(text.substr(0, text.size() - suffix.size()));
         });
}

bool is_segment_index_name(const std::string& name) {
  const std::string_view text = name;
  const std::string manifest = kIndexManifestName;
  return text == "lock" || text == manifest || text == manifest + ".tmp" ||
         (text.starts_with("seg_") && (text.ends_with(".bin") || text.ends_with(".bin.tmp")));
}

}  // namespace furrow
