// SPDX-License-Identifier: Apache-2.0
// For tests of what must not happen: a moment at which nobody is left who could still do it.
#pragma once

#include <chrono>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <string>
#include <thread>

#include <unistd.h>

namespace furrow::test {

/// The other threads of this process, each with how often it has begun to wait so far; nothing when
/// one of them does not wait.
inline std::optional<std::map<std::string, std::string>> waits_of_other_threads() {
  std::map<std::string, std::string> result;
  const std::string own = std::to_string(::gettid());
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/task")) {
    const std::string id = entry.path().filename();
    if (id == own) {
      continue;
    }
    std::ifstream status(entry.path() / "status");
    bool is_waiting = false;
    for (std::string line; std::getline(status, line);) {
      is_waiting = is_waiting || line.starts_with("State:\tS");
      if (line.starts_with("voluntary_ctxt_switches:")) {
        result[id] = line;
      }
    }
    if (!is_waiting) {
      return std::nullopt;
    }
  }
  return result;
}

/// Returns once all other threads of the process wait for something, at the same time; false when
/// that does not happen within a minute. A thread that sleeps for a time counts as one that waits.
///
/// Two looks at all of them with the same counts: none has worked between the first look's end and
/// the second one's beginning.
[[nodiscard]] inline bool other_threads_wait() {
  const auto end = std::chrono::steady_clock::now() + std::chrono::minutes(1);
  while (std::chrono::steady_clock::now() < end) {
    const auto first = waits_of_other_threads();
    if (first.has_value() && waits_of_other_threads() == first) {
      return true;
    }
    std::this_thread::yield();
  }
  return false;
}

}  // namespace furrow::test
