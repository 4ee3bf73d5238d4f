// SPDX-License-Identifier: Apache-2.0
// The files of a farm as tests compare, copy and break them.
#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "host/base/file.hpp"
#include "tests/support/made_up_farm.hpp"

namespace furrow::test {

/// Every file of a directory with its contents.
inline std::map<std::string, std::string> contents_of(const std::filesystem::path& directory) {
  std::map<std::string, std::string> contents;
  for (const auto& entry : std::filesystem::directory_iterator(directory)) {
    contents[entry.path().filename()] = file_text(entry.path());
  }
  return contents;
}

inline FarmInfo stored_info(const std::filesystem::path& directory) {
  return FarmInfo::parse(file_text(directory / kFarmInfoFileName), "info");
}

/// A copy of the same farm in another directory.
inline void copy_farm(const std::filesystem::path& from, const std::filesystem::path& to) {
  std::filesystem::remove_all(to);
  std::filesystem::copy(from, to);
}

/// Resets the hook when a test leaves early.
struct FaultHook {
  explicit FaultHook(FileFaultHook hook) { set_file_fault_hook(std::move(hook)); }
  FaultHook(const FaultHook&) = delete;
  FaultHook& operator=(const FaultHook&) = delete;
  ~FaultHook() { set_file_fault_hook(nullptr); }
};

}  // namespace furrow::test
