// SPDX-License-Identifier: Apache-2.0
// Observers: callbacks that are told of progress, events, remarks and warnings.
//
// An observer has no say in the work. What it throws, in whatever thread, is dropped: neither the
// work nor the process ends because a terminal is gone or a line has a name that cannot be printed.
// Of each observer the first thing that it throws is reported once, to whoever asked for it with
// set_observer_failure_handler; a program can say then that it tells less than the whole story.
//
// What decides or delivers is no observer: a source, a sink for results, a validator. What those
// throw ends the work, as they say. Whoever wants to end work uses its stop token.
#pragma once

#include <atomic>
#include <exception>
#include <functional>
#include <memory>
#include <string_view>
#include <type_traits>
#include <utility>

namespace furrow {

/// Takes the reason why an observer failed. Called from any thread, several at once; what it throws
/// is dropped.
using ObserverFailureHandler = void (*)(std::string_view reason);

/// Returns what was set before; null, the default, means that nobody wants to know. Thread-safe.
ObserverFailureHandler set_observer_failure_handler(ObserverFailureHandler handler) noexcept;

/// Reports the exception that is being handled. For Observer.
void report_observer_failure() noexcept;

/// An observer that is told Args, or none. Copies are the same observer. As thread-safe as the
/// callback.
template <class... Args>
class Observer {
 public:
  /// None.
  Observer() = default;
  // Implicit, so that options take a lambda.
  template <class Callback>
  requires(!std::is_same_v<std::remove_cvref_t<Callback>, Observer> &&
           std::is_invocable_v<std::remove_cvref_t<Callback>&, Args...>)
      Observer(Callback&& callback)  // NOLINT(google-explicit-constructor)
  {
    std::function<void(Args...)> told(std::forward<Callback>(callback));
    if (told) {
      state_ = std::make_shared<State>(std::move(told));
    }
  }

  /// Whether there is somebody to tell.
  explicit operator bool() const noexcept { return state_ != nullptr; }

  /// Tells the observer if there is one.
  void operator()(Args... args) const noexcept {
    if (state_ == nullptr) {
      return;
    }
    try {
      state_->callback(std::forward<Args>(args)...);
    } catch (...) {
      if (!state_->has_failed.exchange(true)) {
        report_observer_failure();
      }
    }
  }

 private:
  struct State {
    explicit State(std::function<void(Args...)> told) : callback(std::move(told)) {}
    const std::function<void(Args...)> callback;
    std::atomic<bool> has_failed = false;
  };
  std::shared_ptr<State> state_;
};

}  // namespace furrow
