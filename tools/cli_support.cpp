#include "tools/cli_support.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <pthread.h>
#include <signal.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include "host/base/thread_count.hpp"
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

unsigned thread_count(unsigned wanted, unsigned others) {
  const ThreadCount count = choose_thread_count(wanted, others);
  for (const std::string& note : count.notes) {
    spdlog::warn("{}", note);
  }
  return count.threads;
}

void add_simd_option(CLI::App& command) {
  command.add_option_function<std::string>(
      "--simd", [](const std::string& name) { choose_simd_target(name); },
      fmt::format("Instruction set of the CPU code; here: {}", fmt::join(simd_targets(), ", ")));
}

}  // namespace furrow::cli
