// SPDX-License-Identifier: Apache-2.0
// Signals, as the program takes them:
//
//   SIGINT, SIGTERM   the first asks the command to stop, the second one ends the process at once
//   SIGHUP            asks the command to stop. It is not counted as the first or second of those,
//                     because a terminal that closes and a service manager both send it beside them
//   SIGUSR2           closes the gate, and opens it again
//   SIGUSR1           nothing: it is the habit of some to ask other programs for their progress so
//   SIGPIPE, SIGXFSZ  ignored, so that the write that caused them fails with EPIPE or EFBIG
//
// Where there is nothing to stop, because a command has not begun or tidies nothing up, or because
// it is over, each of the first three ends the process at once.
//
// One that was ignored when the program started (nohup, a job in the background of a script) stays
// ignored. All are blocked from before main on, in every thread, and one thread waits for them;
// what comes before that thread is there is kept for it. Processes that a library forks get back
// what the program was started with; not so those of posix_spawn, for which no handler is called.
#pragma once

#include <atomic>
#include <csignal>
#include <stop_token>
#include <thread>

#include "host/base/gate.hpp"

namespace furrow::cli {

/// Waits for signals while it lives. To be made before any other thread; one at a time.
class InterruptWatch {
 public:
  /// Throws ResourceExhausted when there is no thread to be had.
  InterruptWatch();
  InterruptWatch(const InterruptWatch&) = delete;
  InterruptWatch& operator=(const InterruptWatch&) = delete;
  ~InterruptWatch();

  /// For a command that stops by itself when it is asked to. Before somebody took the token the
  /// first signal ends the process at once: a command that has nothing to tidy up is not deaf.
  [[nodiscard]] std::stop_token take_token();
  /// The command is over, and nobody looks at the token any more: as before take_token(), a signal
  /// ends the process at once. What is left, saying how it went, may wait for a reader for ever.
  void command_is_over() { is_token_taken_ = false; }
  [[nodiscard]] Gate& gate() { return gate_; }

 private:
  void watch(const sigset_t& signals);
  void ask_to_stop();

  std::stop_source stop_;
  Gate gate_;
  std::atomic<bool> is_token_taken_ = false;
  std::atomic<bool> is_ending_ = false;
  bool was_asked_ = false;  // by SIGINT or SIGTERM; of the watcher alone
  std::jthread watcher_;
};

}  // namespace furrow::cli
