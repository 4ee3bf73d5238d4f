// SPDX-License-Identifier: Apache-2.0
// Taking back what was done on disk when a later step fails.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <vector>

#include "host/base/file.hpp"

namespace furrow {

/// Runs its steps in reverse order at the end of the scope, unless dismissed. A step that fails is
/// left out: the failure that led here is the one to report.
class Rollback {
 public:
  Rollback() = default;
  Rollback(const Rollback&) = delete;
  Rollback& operator=(const Rollback&) = delete;
  ~Rollback() {
    for (; !steps_.empty(); steps_.pop_back()) {
      try {
        steps_.back()();
      } catch (...) {  // NOLINT(bugprone-empty-catch): see above
      }
    }
  }

  void add(std::function<void()> step) { steps_.push_back(std::move(step)); }
  /// Removes a file, or a directory if it is empty.
  void remove(const std::filesystem::path& path) {
    add([path] {
      std::error_code ignored;
      std::filesystem::remove(path, ignored);
    });
  }
  void restore_size(const std::filesystem::path& path, std::uint64_t size) {
    add([path, size] { File::open_or_create(path).resize(size); });
  }
  void dismiss() { steps_.clear(); }

 private:
  std::vector<std::function<void()>> steps_;
};

}  // namespace furrow
