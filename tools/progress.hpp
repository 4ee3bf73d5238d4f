// Progress for people: a bar with rate and remaining time on a terminal, a plain line now and then
// otherwise. Written to stderr, so that output on stdout stays clean.
#pragma once

#include <chrono>
#include <cstdint>
#include <mutex>
#include <string>

namespace furrow::cli {

/// Thread-safe.
class Progress {
 public:
  /// `unit` is the plural of what is counted, such as "records"; "bytes" is shown as sizes.
  Progress(std::string task, std::string unit, std::uint64_t total);
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  /// Clears the bar.
  ~Progress();

  void set(std::uint64_t done);
  void add(std::uint64_t more);
  /// Prints a line of output on stdout without disturbing the bar.
  void print_line(const std::string& line);

 private:
  using Clock = std::chrono::steady_clock;
  void show_locked();
  void clear_locked();
  [[nodiscard]] std::string text_locked() const;

  std::mutex mutex_;
  const std::string task_;
  const std::string unit_;
  const std::uint64_t total_;
  const bool is_terminal_;
  const Clock::time_point start_;
  Clock::time_point last_shown_;
  std::uint64_t done_ = 0;
  bool bar_is_shown_ = false;
};

}  // namespace furrow::cli
