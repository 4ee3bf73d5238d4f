// SPDX-License-Identifier: Apache-2.0
// Standard error, where the program talks to people: lines, and below them a bar of progress when
// it is a terminal.
//
// Nothing here throws or fails. A terminal that was closed, a full disk behind a redirection, a
// pipe whose reader is gone: the text is lost, and the work goes on. Every line is one line and
// made of printable() text, whatever names are in it.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "host/base/mutex.hpp"

namespace spdlog {
class logger;
}

namespace furrow::cli {

/// Thread-safe. There is one, see terminal().
class Terminal {
 public:
  Terminal() = default;
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;

  /// Whether there can be a bar: standard error is a terminal that knows how to erase a line.
  [[nodiscard]] bool has_bars() const noexcept;
  /// Columns that the terminal has at the moment; 80 when it does not say.
  [[nodiscard]] std::size_t width() const noexcept;

  /// A line above the bar.
  void line(std::string_view text) noexcept;
  /// Replaces the bar. `text` must fit: a bar that wraps cannot be erased. Not while the program
  /// is in the background.
  void show_bar(std::string_view text) noexcept;
  void clear_bar() noexcept;
  /// Lets `print` write to standard output where the bar is: erases the bar, and nobody shows it
  /// again before `print` returns. When standard output is not a terminal the two do not meet, and
  /// a reader who takes his time must not hold up the lines for people.
  void print_above_bar(const std::function<void()>& print);

 private:
  void clear_bar_locked() noexcept FURROW_REQUIRES(mutex_);

  Mutex mutex_;
  bool bar_is_shown_ FURROW_GUARDED_BY(mutex_) = false;
};

Terminal& terminal();

/// A logger that writes "furrow: LEVEL: TEXT" as lines of the terminal.
[[nodiscard]] std::shared_ptr<spdlog::logger> make_terminal_logger();

}  // namespace furrow::cli
