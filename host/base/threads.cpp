// SPDX-License-Identifier: Apache-2.0
#include "host/base/threads.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <latch>
#include <new>
#include <string>

#include <pthread.h>

namespace furrow {

ResourceExhausted::ResourceExhausted(const std::string& what, int error_number)
    : Error(ErrorKind::kIo, what + ": " + std::generic_category().message(error_number)),
      error_number_(error_number) {}

namespace {

std::shared_ptr<const ThreadHooks>& hooks_of_this_thread() noexcept {
  thread_local std::shared_ptr<const ThreadHooks> hooks;
  return hooks;
}

}  // namespace

const std::shared_ptr<const ThreadHooks>& current_thread_hooks() noexcept {
  return hooks_of_this_thread();
}

UseThreadHooks::UseThreadHooks(std::shared_ptr<const ThreadHooks> hooks)
    : before_(std::exchange(hooks_of_this_thread(), std::move(hooks))) {}

UseThreadHooks::~UseThreadHooks() {
  hooks_of_this_thread() = std::move(before_);
}

namespace detail {

HookedThread::HookedThread(const char* name, std::shared_ptr<const ThreadHooks> hooks)
    : name_(name), hooks_(std::move(hooks)) {
  name_this_thread(name);
  if (const auto& own = current_thread_hooks(); own != nullptr && own->on_start) {
    own->on_start(name_);
  }
}

HookedThread::~HookedThread() {
  if (const auto& own = current_thread_hooks(); own != nullptr && own->on_end) {
    own->on_end(name_);
  }
}

BlockedSignals::BlockedSignals() : before_{} {
  sigset_t all;
  sigfillset(&all);
  // A thread that raises one of these by what it does cannot go on without it. SIGPROF is a timer
  // of profilers, which want to see every thread.
  for (const int own : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGSYS, SIGPROF}) {
    sigdelset(&all, own);
  }
  pthread_sigmask(SIG_BLOCK, &all, &before_);
}

BlockedSignals::~BlockedSignals() {
  pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

void name_this_thread(const char* name) {
  constexpr std::size_t kLongest = 15;  // of Linux, without the zero at the end
  std::array<char, kLongest + 1> text{};
  const std::string_view whole(name);
  std::copy_n(whole.begin(), std::min(kLongest, whole.size()), text.begin());
  pthread_setname_np(pthread_self(), text.data());
}

void throw_no_thread(const char* name, int error_number) {
  throw ResourceExhausted(std::string("the system starts no more threads, wanted for ") + name +
                              " (limits: ulimit -u, ulimit -v, pids of the container)",
                          error_number);
}

}  // namespace detail

ThreadGroup::ThreadGroup(const std::stop_token& stop)
    : forward_(stop, [this] { end_.request_stop(); }) {}

void ThreadGroup::start(const char* name, std::function<void()> work) {
  threads_.reserve(threads_.size() + 1);  // so that a thread that was started is kept
  threads_.push_back(start_thread(name, [this, work = std::move(work)] { take_part(work); }));
}

std::size_t ThreadGroup::start_up_to(std::size_t n, const char* name,
                                     const std::function<void(std::size_t)>& work) {
  for (std::size_t i = 0; i < n; ++i) {
    try {
      start(name, [i, work] { work(i); });
    } catch (const ResourceExhausted&) {
      if (i == 0) {
        throw;
      }
      return i;
    } catch (const std::bad_alloc&) {  // no memory for what belongs to a thread
      if (i == 0) {
        detail::throw_no_thread(name, ENOMEM);
      }
      return i;
    }
  }
  return n;
}

void ThreadGroup::take_part(const std::function<void()>& work) noexcept {
  try {
    work();
  } catch (...) {
    fail(std::current_exception());
  }
}

void ThreadGroup::fail(std::exception_ptr error) noexcept {
  first_error_.keep(std::move(error));
  end_.request_stop();
}

void ThreadGroup::finish() {
  threads_.clear();
  first_error_.rethrow();
}

std::size_t run_workers(
    std::size_t n, const char* name, const std::stop_token& stop,
    const std::function<void(std::size_t worker, const std::stop_token& end)>& work) {
  ThreadGroup group(stop);
  std::size_t helpers = 0;
  if (n > 1) {
    try {
      helpers = group.start_up_to(n - 1, name, [&](std::size_t i) { work(i + 1, group.end()); });
    } catch (const std::exception&) {
      // This thread does all of it.
    }
  }
  group.take_part([&] { work(0, group.end()); });
  group.finish();
  return helpers + 1;
}

std::size_t count_startable_threads(std::size_t n) {
  std::latch counted(1);
  std::size_t started = 0;
  ThreadGroup group;
  try {
    started = group.start_up_to(n, "fw-count", [&](std::size_t) { counted.wait(); });
  } catch (const std::exception&) {
    // none
  }
  counted.count_down();
  group.finish();
  return started;
}

}  // namespace furrow
