#include "tools/cli_support.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include "host/crypto/simd_mode.hpp"

namespace furrow::cli {
namespace {

sigset_t watched_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGUSR1);  // sent by the destructor to end the watcher
  sigaddset(&signals, SIGUSR2);
  return signals;
}

}  // namespace

ExitCode exit_code_of(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::kInvalidArgument:
      return kInvalidArgument;
    case ErrorKind::kIo:
      return kIoFailed;
    case ErrorKind::kCorrupt:
      return kCorruptData;
    case ErrorKind::kMismatch:
      return kMismatch;
    case ErrorKind::kUnavailable:
      return kUnavailable;
    case ErrorKind::kInternal:
      return kInternal;
  }
  return kInternal;
}

InterruptWatch::InterruptWatch() {
  const sigset_t signals = watched_signals();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  watcher_ = std::thread([this, signals] {
    for (int received = 0; sigwait(&signals, &received) == 0 && received != SIGUSR1;) {
      if (received == SIGUSR2) {
        gate_.is_open() ? gate_.close() : gate_.open();
      } else if (stop_.stop_requested()) {
        _exit(kInterrupted);
      } else {
        stop_.request_stop();
      }
    }
  });
}

InterruptWatch::~InterruptWatch() {
  pthread_kill(watcher_.native_handle(), SIGUSR1);
  watcher_.join();
}

std::uint64_t parse_size(const std::string& text) {
  struct Unit {
    std::string_view suffix;
    double factor;
  };
  static constexpr std::array<Unit, 10> kUnits = {{{"", 1.0},
                                                   {"B", 1.0},
                                                   {"KB", 1e3},
                                                   {"MB", 1e6},
                                                   {"GB", 1e9},
                                                   {"TB", 1e12},
                                                   {"KiB", 0x1p10},
                                                   {"MiB", 0x1p20},
                                                   {"GiB", 0x1p30},
                                                   {"TiB", 0x1p40}}};
  const std::size_t digits = std::min(text.find_first_not_of("0123456789."), text.size());
  std::string_view suffix = std::string_view(text).substr(digits);
  suffix.remove_prefix(std::min(suffix.find_first_not_of(' '), suffix.size()));
  const auto* unit = std::find_if(kUnits.begin(), kUnits.end(), [&](const Unit& candidate) {
    return candidate.suffix == suffix;
  });
  const bool is_whole = text.find('.') == std::string::npos;
  try {
    if (unit != kUnits.end() && digits > 0) {
      if (is_whole && unit->factor == 1.0) {
        return std::stoull(text.substr(0, digits));
      }
      const double value = std::stod(text.substr(0, digits)) * unit->factor;
      if (value < 0x1p63) {
        return static_cast<std::uint64_t>(std::llround(value));
      }
    }
  } catch (const std::exception&) {
    // not a number, or beyond 64 bits: reported below
  }
  throw InvalidArgument("not a size: '" + text +
                        "'; expected a number with B, KB, MB, GB, TB, KiB, "
                        "MiB, GiB or TiB behind it");
}

std::string size_text(std::uint64_t bytes) {
  static constexpr std::array<const char*, 5> kNames = {"bytes", "KiB", "MiB", "GiB", "TiB"};
  auto value = static_cast<double>(bytes);
  std::size_t unit = 0;
  for (; value >= 1024 && unit + 1 < kNames.size(); value /= 1024) {
    ++unit;
  }
  return unit == 0 ? fmt::format("{} bytes", bytes) : fmt::format("{:.1f} {}", value, kNames[unit]);
}

unsigned thread_count(unsigned wanted) {
  return wanted != 0 ? wanted : std::max(1U, std::thread::hardware_concurrency());
}

void add_simd_option(CLI::App& command) {
  command.add_option_function<std::string>(
      "--simd", [](const std::string& name) { choose_simd_target(name); },
      fmt::format("Instruction set of the CPU code; here: {}", fmt::join(simd_targets(), ", ")));
}

}  // namespace furrow::cli
