#include "tools/progress.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <utility>

#include "tools/cli_support.hpp"

namespace furrow::cli {
namespace {

constexpr auto kBarInterval = std::chrono::milliseconds(200);
constexpr auto kLineInterval = std::chrono::seconds(30);
constexpr std::size_t kBarWidth = 30;

std::string time_text(double seconds) {
  const auto whole = static_cast<std::uint64_t>(seconds + 0.5);
  return whole < 3600 ? fmt::format("{}:{:02}", whole / 60, whole % 60)
                      : fmt::format("{}:{:02}:{:02}", whole / 3600, whole / 60 % 60, whole % 60);
}

}  // namespace

Progress::Progress(std::string task, std::string unit, std::uint64_t total)
    : task_(std::move(task)),
      unit_(std::move(unit)),
      total_(total),
      is_terminal_(isatty(STDERR_FILENO) == 1),
      start_(Clock::now()),
      last_shown_(start_) {}

Progress::~Progress() { clear_locked(); }

void Progress::set(std::uint64_t done) {
  const std::lock_guard lock(mutex_);
  done_ = done;
  show_locked();
}

void Progress::add(std::uint64_t more) {
  const std::lock_guard lock(mutex_);
  done_ += more;
  show_locked();
}

void Progress::print_line(const std::string& line) {
  const std::lock_guard lock(mutex_);
  clear_locked();
  std::puts(line.c_str());
  std::fflush(stdout);
}

void Progress::show_locked() {
  const Clock::time_point now = Clock::now();
  if (now - last_shown_ < (is_terminal_ ? Clock::duration(kBarInterval) : kLineInterval)) {
    return;
  }
  last_shown_ = now;
  if (is_terminal_) {
    const std::size_t filled =
        total_ == 0 ? kBarWidth : std::min<std::size_t>(kBarWidth, done_ * kBarWidth / total_);
    fmt::print(stderr, "\r\033[K{} [{}{}] {}", task_, std::string(filled, '#'),
               std::string(kBarWidth - filled, '.'), text_locked());
    std::fflush(stderr);
    bar_is_shown_ = true;
  } else {
    fmt::print(stderr, "{}: {}\n", task_, text_locked());
  }
}

void Progress::clear_locked() {
  if (bar_is_shown_) {
    fmt::print(stderr, "\r\033[K");
    std::fflush(stderr);
    bar_is_shown_ = false;
  }
}

std::string Progress::text_locked() const {
  const double elapsed = std::chrono::duration<double>(Clock::now() - start_).count();
  const double rate = elapsed > 0 ? static_cast<double>(done_) / elapsed : 0;
  const std::string remaining =
      rate > 0 && done_ <= total_ ? time_text(static_cast<double>(total_ - done_) / rate) : "?";
  if (unit_ == "bytes") {
    return fmt::format("{} of {}, {}/s, {} left", size_text(done_), size_text(total_),
                       size_text(static_cast<std::uint64_t>(rate)), remaining);
  }
  return fmt::format("{} of {} {}, {:.2f}/s, {} left", done_, total_, unit_, rate, remaining);
}

}  // namespace furrow::cli
