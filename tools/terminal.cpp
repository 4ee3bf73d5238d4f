// SPDX-License-Identifier: Apache-2.0
#include "tools/terminal.hpp"

#include <cerrno>
#include <cstdlib>

#include <spdlog/details/null_mutex.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/spdlog.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "host/base/printable.hpp"

namespace furrow::cli {
namespace {

constexpr std::size_t kUsualWidth = 80;
/// To the start of the line, and erase to its end.
constexpr std::string_view kErase = "\r\033[K";

void write_all(std::string_view text) noexcept {
  while (!text.empty()) {
    const ssize_t written = ::write(STDERR_FILENO, text.data(), text.size());
    if (written < 0 && errno == EINTR) {
      continue;
    }
    if (written <= 0) {
      return;  // nobody is left who could be told of it
    }
    text.remove_prefix(static_cast<std::size_t>(written));
  }
}

/// A shell stops jobs in the background that write, when its user wants that; a bar is no reason.
bool is_in_background() noexcept {
  const pid_t foreground = ::tcgetpgrp(STDERR_FILENO);
  return foreground >= 0 && foreground != ::getpgrp();
}

/// Without a lock of its own: the terminal has one, and lines are all that it hands on.
class TerminalSink final : public spdlog::sinks::base_sink<spdlog::details::null_mutex> {
 protected:
  void sink_it_(const spdlog::details::log_msg& message) override {
    const spdlog::string_view_t level = spdlog::level::to_string_view(message.level);
    std::string line = "furrow: ";
    line.append(level.data(), level.size()).append(": ");
    line.append(message.payload.data(), message.payload.size());
    terminal().line(line);
  }
  void flush_() override {}
};

}  // namespace

bool Terminal::has_bars() const noexcept {
  const char* kind = std::getenv("TERM");
  return ::isatty(STDERR_FILENO) == 1 && kind != nullptr && *kind != '\0' &&
         std::string_view(kind) != "dumb";
}

std::size_t Terminal::width() const noexcept {
  winsize size = {};
  const bool is_known = ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col != 0;
  return is_known ? size.ws_col : kUsualWidth;
}

void Terminal::line(std::string_view text) noexcept {
  try {
    const std::string whole = printable(text) + '\n';
    const Lock lock(mutex_);
    clear_bar_locked();
    write_all(whole);
  } catch (const std::exception&) {
    // No memory for a line: whoever ran out of it says so.
  }
}

void Terminal::show_bar(std::string_view text) noexcept {
  try {
    // At once, or a reader sees the line without the bar.
    const std::string whole = std::string(kErase) + printable(text);
    const Lock lock(mutex_);
    if (!is_in_background()) {
      write_all(whole);
      bar_is_shown_ = true;
    }
  } catch (const std::exception&) {
    // as above
  }
}

void Terminal::clear_bar() noexcept {
  const Lock lock(mutex_);
  clear_bar_locked();
}

void Terminal::print_above_bar(const std::function<void()>& print) {
  if (::isatty(STDOUT_FILENO) != 1) {
    print();
    return;
  }
  const Lock lock(mutex_);
  clear_bar_locked();
  print();
}

void Terminal::clear_bar_locked() noexcept {
  if (bar_is_shown_) {
    write_all(kErase);
    bar_is_shown_ = false;
  }
}

Terminal& terminal() {
  // Never destroyed: threads that libraries keep may log until the very end.
  static auto* const kTerminal = new Terminal();
  return *kTerminal;
}

std::shared_ptr<spdlog::logger> make_terminal_logger() {
  auto logger = std::make_shared<spdlog::logger>("furrow", std::make_shared<TerminalSink>());
  // By default spdlog prints what it could not log, to the same place that would not take it.
  logger->set_error_handler([](const std::string&) {});
  return logger;
}

}  // namespace furrow::cli
