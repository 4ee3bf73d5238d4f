// SPDX-License-Identifier: Apache-2.0
#include "tools/interrupt_watch.hpp"

#include <array>
#include <cstdint>
#include <string_view>

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "host/base/threads.hpp"
#include "tools/exit_code.hpp"

namespace furrow::cli {
namespace {

/// What the kernel takes for a mask of signals.
using KernelMask = std::uint64_t;

constexpr std::array<int, 5> kWatched = {SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2};
constexpr std::array<int, 2> kIgnored = {SIGPIPE, SIGXFSZ};

constexpr KernelMask mask_of(int signal) {
  return KernelMask{1} << (signal - 1);
}

/// Of the process as it was started; for processes that it starts.
KernelMask g_mask_at_start = 0;
std::array<bool, kIgnored.size()> g_was_ignored = {};

void set_mask(const KernelMask& mask) {
  ::syscall(SYS_rt_sigprocmask, SIG_SETMASK, &mask, nullptr, sizeof(mask));
}

/// Blocks the signals that the watch will wait for, and their default action is to kill. It runs
/// before the constructors of the libraries, which take long enough for somebody's script to have
/// sent a signal; therefore it does without the C library.
void block_signals() {
  KernelMask mask = 0;
  for (const int signal : kWatched) {
    mask |= mask_of(signal);
  }
  ::syscall(SYS_rt_sigprocmask, SIG_BLOCK, &mask, &g_mask_at_start, sizeof(mask));
}
[[gnu::used, gnu::section(".preinit_array")]] void (*const g_block_signals)() = block_signals;

bool is_ignored(int signal) {
  struct sigaction action = {};
  return ::sigaction(signal, nullptr, &action) == 0 && action.sa_handler == SIG_IGN;
}

void set_action(int signal, void (*handler)(int)) {
  struct sigaction action = {};
  action.sa_handler = handler;
  ::sigaction(signal, &action, nullptr);
}

/// In a process that a library has forked.
void restore_signals() {
  for (std::size_t i = 0; i < kIgnored.size(); ++i) {
    if (!g_was_ignored[i]) {
      set_action(kIgnored[i], SIG_DFL);
    }
  }
  set_mask(g_mask_at_start);
}

/// Makes SIGPIPE and SIGXFSZ errors. Gives the signals to wait for, and unblocks the others.
sigset_t prepare_signals() {
  for (std::size_t i = 0; i < kIgnored.size(); ++i) {
    g_was_ignored[i] = is_ignored(kIgnored[i]);
    set_action(kIgnored[i], SIG_IGN);
  }
  sigset_t watched;
  sigset_t ignored;
  sigemptyset(&watched);
  sigemptyset(&ignored);
  for (const int signal : kWatched) {
    // The kernel keeps a blocked signal even when it is ignored, so those must not stay blocked.
    sigaddset(signal != SIGUSR1 && is_ignored(signal) ? &ignored : &watched, signal);
  }
  ::pthread_sigmask(SIG_UNBLOCK, &ignored, nullptr);
  ::pthread_sigmask(SIG_BLOCK, &watched, nullptr);
  ::pthread_atfork(nullptr, nullptr, restore_signals);
  return watched;
}

[[noreturn]] void end_at_once() {
  // Nothing that takes a lock: another thread may hold it for good.
  static constexpr std::string_view kMessage = "furrow: error: interrupted\n";
  // Nor anything that waits: a reader who has stopped reading may be why somebody sent the signal.
  pollfd standard_error{.fd = STDERR_FILENO, .events = POLLOUT, .revents = 0};
  if (::poll(&standard_error, 1, 0) == 1 && (standard_error.revents & POLLOUT) != 0) {
    [[maybe_unused]] const ssize_t written =
        ::write(STDERR_FILENO, kMessage.data(), kMessage.size());
  }
  ::_exit(kInterrupted);
}

}  // namespace

InterruptWatch::InterruptWatch() {
  const sigset_t signals = prepare_signals();
  watcher_ = start_thread("fw-signals", [this, signals] { watch(signals); });
}

InterruptWatch::~InterruptWatch() {
  is_ending_ = true;
  ::pthread_kill(watcher_.native_handle(), SIGUSR1);
  watcher_.join();
}

std::stop_token InterruptWatch::take_token() {
  is_token_taken_ = true;
  return stop_.get_token();
}

/// The life of the watcher.
void InterruptWatch::watch(const sigset_t& signals) {
  int received = 0;
  while (::sigwait(&signals, &received) == 0 && !is_ending_) {
    switch (received) {
      case SIGUSR1:
        break;
      case SIGUSR2:
        gate_.is_open() ? gate_.close() : gate_.open();
        break;
      case SIGHUP:
        ask_to_stop();
        break;
      default:
        if (was_asked_) {
          end_at_once();
        }
        was_asked_ = true;
        ask_to_stop();
    }
  }
}

void InterruptWatch::ask_to_stop() {
  if (!is_token_taken_) {
    end_at_once();
  }
  stop_.request_stop();
}

}  // namespace furrow::cli
