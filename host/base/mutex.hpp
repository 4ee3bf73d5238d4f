// SPDX-License-Identifier: Apache-2.0
// Locks that say what they guard, so that Clang finds what is touched without them (`lint.thread_safety`).
//
// Standard mutexes would do the same work, but in libstdc++ they carry none of the annotations that the
// analysis reads. GCC sees plain classes here.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <shared_mutex>
#include <stop_token>
#include <utility>

#if defined(__clang__)
#define FURROW_ANNOTATED(...) __attribute__((__VA_ARGS__))
#else
#define FURROW_ANNOTATED(...)
#endif

/// Of a member: to be touched with this mutex alone.
#define FURROW_GUARDED_BY(mutex) FURROW_ANNOTATED(guarded_by(mutex))
/// Of a function, or of a lambda behind its parameters: the caller holds the mutex.
#define FURROW_REQUIRES(...) FURROW_ANNOTATED(requires_capability(__VA_ARGS__))
/// Of a function: the caller must not hold the mutex, because the function takes it.
#define FURROW_EXCLUDES(...) FURROW_ANNOTATED(locks_excluded(__VA_ARGS__))

namespace furrow {

/// As std::mutex. Locked by a Lock.
class FURROW_ANNOTATED(capability("mutex")) Mutex {
 public:
  void lock() FURROW_ANNOTATED(acquire_capability()) { mutex_.lock(); }
  void unlock() FURROW_ANNOTATED(release_capability()) { mutex_.unlock(); }

 private:
  std::mutex mutex_;
};

/// As std::shared_mutex: one that writes, or several that read.
class FURROW_ANNOTATED(capability("mutex")) SharedMutex {
 public:
  void lock() FURROW_ANNOTATED(acquire_capability()) { mutex_.lock(); }
  void unlock() FURROW_ANNOTATED(release_capability()) { mutex_.unlock(); }
  void lock_shared() FURROW_ANNOTATED(acquire_shared_capability()) { mutex_.lock_shared(); }
  void unlock_shared() FURROW_ANNOTATED(release_shared_capability()) { mutex_.unlock_shared(); }

 private:
  std::shared_mutex mutex_;
};

/// Holds a Mutex, or a SharedMutex for writing, until the end of the scope.
template <class AnyMutex = Mutex>
class [[nodiscard]] FURROW_ANNOTATED(scoped_lockable) Lock {
 public:
  explicit Lock(AnyMutex& mutex) FURROW_ANNOTATED(acquire_capability(mutex)) : mutex_(mutex) {
    mutex_.lock();
  }
  Lock(const Lock&) = delete;
  Lock& operator=(const Lock&) = delete;
  ~Lock() FURROW_ANNOTATED(release_capability()) { mutex_.unlock(); }

 private:
  AnyMutex& mutex_;
};

/// Holds a SharedMutex for reading until the end of the scope.
class [[nodiscard]] FURROW_ANNOTATED(scoped_lockable) SharedLock {
 public:
  explicit SharedLock(SharedMutex& mutex) FURROW_ANNOTATED(acquire_shared_capability(mutex))
      : mutex_(mutex) {
    mutex_.lock_shared();
  }
  SharedLock(const SharedLock&) = delete;
  SharedLock& operator=(const SharedLock&) = delete;
  ~SharedLock() FURROW_ANNOTATED(release_generic_capability()) { mutex_.unlock_shared(); }

 private:
  SharedMutex& mutex_;
};

/// Lets go of a Mutex that is held, until the end of the scope: for what takes long, or calls others, in the
/// middle of a function that works with the mutex.
class [[nodiscard]] FURROW_ANNOTATED(scoped_lockable) Unlocked {
 public:
  explicit Unlocked(Mutex& mutex) FURROW_ANNOTATED(release_capability(mutex)) : mutex_(mutex) {
    mutex_.unlock();
  }
  Unlocked(const Unlocked&) = delete;
  Unlocked& operator=(const Unlocked&) = delete;
  ~Unlocked() FURROW_ANNOTATED(release_capability()) { mutex_.lock(); }

 private:
  Mutex& mutex_;
};

/// Waiting, with the mutex held, until another thread has changed something. Conditions are asked with the mutex
/// held; a lambda that touches what it guards says so: `[this]() FURROW_REQUIRES(mutex_) { return ready_; }`.
class ConditionVariable {
 public:
  void notify_one() noexcept { changed_.notify_one(); }
  void notify_all() noexcept { changed_.notify_all(); }

  /// Until the condition holds.
  template <class Condition>
  void wait(Mutex& mutex, Condition condition) FURROW_REQUIRES(mutex) {
    changed_.wait(mutex, std::move(condition));
  }
  /// What the condition says in the end: false only when a stop was requested.
  template <class Condition>
  bool wait(Mutex& mutex, const std::stop_token& stop, Condition condition) FURROW_REQUIRES(mutex) {
    return changed_.wait(mutex, stop, std::move(condition));
  }
  /// What the condition says in the end: false when the time was over, or a stop was requested.
  template <class Duration, class Condition>
  bool wait_for(Mutex& mutex, const std::stop_token& stop, const Duration& time,
                Condition condition) FURROW_REQUIRES(mutex) {
    return changed_.wait_for(mutex, stop, time, std::move(condition));
  }
  template <class TimePoint, class Condition>
  bool wait_until(Mutex& mutex, const std::stop_token& stop, const TimePoint& time,
                  Condition condition) FURROW_REQUIRES(mutex) {
    return changed_.wait_until(mutex, stop, time, std::move(condition));
  }
  template <class Duration, class Condition>
  bool wait_for(Mutex& mutex, const Duration& time, Condition condition) FURROW_REQUIRES(mutex) {
    return changed_.wait_for(mutex, time, std::move(condition));
  }

 private:
  std::condition_variable_any changed_;
};

}  // namespace furrow
