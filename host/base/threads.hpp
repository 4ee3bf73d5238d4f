// SPDX-License-Identifier: Apache-2.0
// The one way to start threads. What all have in common:
//
// * They have a name, which debuggers and `top -H` show.
// * All signals are blocked in them, but for those that a fault of the thread itself raises: a
//   signal belongs to the program around the library, whose handlers must not run on our threads.
// * They and all that they start have the hooks of who started them (UseThreadHooks): those of a
//   library for its users.
// * The system may refuse one (`ulimit -v`, `ulimit -u`, pids of a cgroup). That is
//   ResourceExhausted, and where several do the same work the others go on without it.
// * The first error of several threads ends the work of all and reaches who waits for them.
#pragma once

#include <cstddef>
#include <exception>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <system_error>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include <signal.h>

#include "furrow/errors.hpp"

#include "host/base/first_error.hpp"

namespace furrow {

/// The operating system gives no more of something it rations, such as threads. Unlike with an
/// IoError nothing is damaged by it, and the same may succeed later.
class ResourceExhausted : public Error {
 public:
  /// `error_number` is the errno of the failed call.
  ResourceExhausted(const std::string& what, int error_number);
  [[nodiscard]] int error_number() const noexcept { return error_number_; }

 private:
  int error_number_;
};

/// What somebody wants done in each thread that works for him. Called with the name of the thread,
/// several at once; they do not throw. Empty ones are not called.
struct ThreadHooks {
  std::function<void(const char* name)> on_start = {};  ///< before the thread does anything
  std::function<void(const char* name)> on_end = {};    ///< after all that it does
};

/// Of the calling thread; null when nobody has set any.
[[nodiscard]] const std::shared_ptr<const ThreadHooks>& current_thread_hooks() noexcept;

/// Gives the calling thread other hooks, null for none, for its lifetime: those of the threads that
/// it starts, and that those start.
class UseThreadHooks {
 public:
  explicit UseThreadHooks(std::shared_ptr<const ThreadHooks> hooks);
  UseThreadHooks(const UseThreadHooks&) = delete;
  UseThreadHooks& operator=(const UseThreadHooks&) = delete;
  ~UseThreadHooks();

 private:
  std::shared_ptr<const ThreadHooks> before_;
};

namespace detail {

/// The life of a thread between its hooks.
class HookedThread {
 public:
  HookedThread(const char* name, std::shared_ptr<const ThreadHooks> hooks);
  HookedThread(const HookedThread&) = delete;
  HookedThread& operator=(const HookedThread&) = delete;
  ~HookedThread();

 private:
  const char* name_;
  UseThreadHooks hooks_;
};

/// Blocks signals in the calling thread, and with it in threads that it starts, for its lifetime.
class BlockedSignals {
 public:
  BlockedSignals();
  BlockedSignals(const BlockedSignals&) = delete;
  BlockedSignals& operator=(const BlockedSignals&) = delete;
  ~BlockedSignals();

 private:
  sigset_t before_;
};

void name_this_thread(const char* name);
[[noreturn]] void throw_no_thread(const char* name, int error_number);

}  // namespace detail

/// Starts a thread that calls `work`, with a stop token if it takes one. `name` must live as long
/// as the program; 15 characters of it are kept. Throws ResourceExhausted when the system starts
/// none; `work` was not called then.
template <class Work>
[[nodiscard]] std::jthread start_thread(const char* name, Work work) {
  const detail::BlockedSignals blocked;
  try {
    return std::jthread([name, hooks = current_thread_hooks(),
                         work = std::move(work)](const std::stop_token& stop) mutable {
      const detail::HookedThread thread(name, std::move(hooks));
      if constexpr (std::is_invocable_v<Work&, const std::stop_token&>) {
        work(stop);
      } else {
        work();
      }
    });
  } catch (const std::system_error& error) {
    detail::throw_no_thread(name, error.code().value());
  }
}

/// Threads with one piece of work in common, of which the first error is kept. Of one thread, its
/// owner, but for end() and fail().
class ThreadGroup {
 public:
  /// `stop` asks all of them to end.
  explicit ThreadGroup(const std::stop_token& stop = {});
  ThreadGroup(const ThreadGroup&) = delete;
  ThreadGroup& operator=(const ThreadGroup&) = delete;
  /// Waits for all of them, without asking them to end.
  ~ThreadGroup() = default;

  /// Starts one. What `work` throws is kept. Throws ResourceExhausted.
  void start(const char* name, std::function<void()> work);
  /// Starts up to `n` that do the same, each with its number, and returns how many. Throws
  /// ResourceExhausted when not even one starts.
  std::size_t start_up_to(std::size_t n, const char* name,
                          const std::function<void(std::size_t)>& work);
  /// Calls `work` on this thread as if it were one of the group: what it throws is kept.
  void take_part(const std::function<void()>& work) noexcept;

  /// Keeps the error unless there was one before, and asks all of the group to end. Thread-safe.
  void fail(std::exception_ptr error) noexcept;
  /// Requested by the caller's stop, and by the first error. Thread-safe.
  [[nodiscard]] std::stop_token end() const { return end_.get_token(); }

  /// Waits for all of them, and throws the first error, whenever it is called.
  void finish();

 private:
  std::stop_source end_;
  std::stop_callback<std::function<void()>> forward_;
  FirstError first_error_;
  std::vector<std::jthread> threads_;  // last: they use all of the above
};

/// Calls `work(worker, end)` on up to `n` threads at once, worker 0 being the calling thread, and
/// waits for all of them. Those that the system does not start are missing, so a worker must take
/// its share from what is left, never by its number. The first exception requests `end`, as `stop`
/// does, and is thrown from here. Returns how many worked.
std::size_t run_workers(
    std::size_t n, const char* name, const std::stop_token& stop,
    const std::function<void(std::size_t worker, const std::stop_token& end)>& work);

/// How many of `n` threads the system starts at the same time, at the moment; they do nothing and
/// are gone on return.
[[nodiscard]] std::size_t count_startable_threads(std::size_t n);

}  // namespace furrow
