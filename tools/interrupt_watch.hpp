// Signals, as the program takes them:
//
//   SIGINT, SIGTERM   the first asks the command to stop, the second one ends the process at once
//   SIGHUP            asks the command to stop. It never ends the process by itself, because a
//                     terminal that closes and a service manager both send it beside another one
//   SIGUSR2           closes the gate, and opens it again
//   SIGUSR1           nothing: it is the habit of some to ask other programs for their progress so
//   SIGPIPE, SIGXFSZ  ignored, so that the write that caused them fails with EPIPE or EFBIG
//
// One that was ignored when the program started (nohup, a job in the background of a script) stays
// ignored. All are blocked from before main on, in every thread, and one thread waits for them;
// what comes before that thread is there is kept for it. Processes that a library starts get back
// what the program was started with.
#pragma once

#include <atomic>
#include <csignal>
#include <stop_token>
#include <thread>

#include "host/plotting/gate.hpp"

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
