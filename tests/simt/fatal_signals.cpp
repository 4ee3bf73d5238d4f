// SPDX-License-Identifier: Apache-2.0
#include "simt/fatal_signals.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <memory>

#include <sys/syscall.h>
#include <unistd.h>

#include "simt/block.hpp"
#include "simt/sanitizers.hpp"

namespace furrow::simt {
namespace {

constexpr std::size_t kStackBytes = 64 * 1024;
constexpr int kTick = SIGVTALRM;

std::atomic<long long> block_limit_ms = 20'000;

/// Of the calling thread, while a kernel runs on it.
void say(const char* what) {
  std::array<char, 1024> line;
  const Block* const block = Block::running_or_null();
  const int n = block->describe_running(what, line.data(), line.size());
  // Nothing is to be done if it cannot be written.
  static_cast<void>(!write(STDERR_FILENO, line.data(),
                           std::min(static_cast<std::size_t>(std::max(n, 0)), line.size() - 1)));
}

/// Called again by the instruction that failed, once the signal has its default meaning.
void on_fault(int signal, siginfo_t* info, void*) {
  if (Block::running_or_null() != nullptr) {
    std::array<char, 96> what;
    std::snprintf(what.data(), what.size(), "%s at address %p", strsignal(signal), info->si_addr);
    say(signal == SIGABRT ? strsignal(signal) : what.data());
  }
  std::signal(signal, SIG_DFL);
  if (signal == SIGABRT) {
    std::raise(signal);
  }
}

void on_tick(int, siginfo_t*, void*) {
  static thread_local std::uint64_t seen = 0;
  const int saved = errno;
  if (const Block* const block = Block::running_or_null(); block != nullptr) {
    if (block->n_blocks() == seen) {
      std::signal(SIGABRT, SIG_DFL);
      say("a block that does not end");
      std::abort();
    }
    seen = block->n_blocks();
  }
  errno = saved;
}

void set_handler(int signal, void (*handler)(int, siginfo_t*, void*)) {
  struct sigaction action = {};
  action.sa_sigaction = handler;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART;
  sigaction(signal, &action, nullptr);
}

/// What a thread has for it: a stack of its own, because that of a lane may be what is full, and a timer.
class Watch {
 public:
  Watch() : stack_(new char[kStackBytes]) {
    static const bool handlers_are_set = [] {
      if (!kAddressSanitizer && !kThreadSanitizer) {
        for (const int signal : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT}) {
          set_handler(signal, on_fault);
        }
      }
      set_handler(kTick, on_tick);
      return true;
    }();
    static_cast<void>(handlers_are_set);
    if (!kAddressSanitizer && !kThreadSanitizer) {
      const stack_t stack = {.ss_sp = stack_.get(), .ss_flags = 0, .ss_size = kStackBytes};
      sigaltstack(&stack, nullptr);
    }
    sigevent event = {};
    event.sigev_notify = SIGEV_THREAD_ID;
    event.sigev_signo = kTick;
    event._sigev_un._tid = static_cast<pid_t>(syscall(SYS_gettid));
    has_timer_ = timer_create(CLOCK_THREAD_CPUTIME_ID, &event, &timer_) == 0;
    if (has_timer_) {
      const long long ms = block_limit_ms;
      const timespec tick = {.tv_sec = static_cast<time_t>(ms / 1000),
                             .tv_nsec = static_cast<long>(ms % 1000 * 1'000'000)};
      const itimerspec ticks = {.it_interval = tick, .it_value = tick};
      timer_settime(timer_, 0, &ticks, nullptr);
    }
  }
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;
  ~Watch() {
    if (has_timer_) {
      timer_delete(timer_);
    }
    if (!kAddressSanitizer && !kThreadSanitizer) {
      const stack_t none = {.ss_sp = nullptr, .ss_flags = SS_DISABLE, .ss_size = 0};
      sigaltstack(&none, nullptr);
    }
  }

 private:
  std::unique_ptr<char[]> stack_;  // NOLINT(modernize-avoid-c-arrays)
  timer_t timer_{};
  bool has_timer_ = false;
};

}  // namespace

void watch_this_thread() {
  static thread_local const Watch watch;
  static_cast<void>(&watch);
}

void set_block_limit(std::chrono::milliseconds limit) {
  block_limit_ms = limit.count();
}

}  // namespace furrow::simt
