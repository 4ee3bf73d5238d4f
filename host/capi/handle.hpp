// SPDX-License-Identifier: Apache-2.0
// What all handles of the C interface have in common: the process that made them, and the calls
// that are under way on them.
#pragma once

#include <cstddef>
#include <memory>
#include <stop_token>
#include <utility>

#include <sys/types.h>

#include "host/base/mutex.hpp"
#include "host/capi/library.hpp"

namespace furrow::capi {

/// Base of handles. `type` is the name that its users know it by.
class Handle {
 public:
  Handle(const char* type, std::shared_ptr<Library> library);
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  virtual ~Handle() = default;

  /// Null in handles that belong to no library.
  [[nodiscard]] const std::shared_ptr<Library>& library() const { return library_; }
  [[nodiscard]] bool is_of_this_process() const;
  /// Requested when the handle is being destroyed.
  [[nodiscard]] std::stop_token end() const { return end_.get_token(); }

 private:
  friend class Call;
  template <class T>
  friend void destroy(T* handle) noexcept;
  void begin_call();
  void end_call() noexcept;
  void end_all() noexcept;

  const char* type_;
  std::shared_ptr<Library> library_;
  pid_t process_;
  std::stop_source end_;
  Mutex mutex_;
  ConditionVariable changed_;
  std::size_t n_calls_ FURROW_GUARDED_BY(mutex_) = 0;
};

/// One call on a handle, whose destroying waits for it. Threads that it starts have the hooks of
/// its library.
class Call {
 public:
  /// Throws InvalidArgument for NULL, which `name` stands for, and for a handle of a process that
  /// has forked this one: it would wait for threads that are not here.
  Call(Handle* handle, const char* name);
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;
  ~Call() { handle_->end_call(); }

 private:
  Handle* handle_;
  UseThreadHooks hooks_;
};

/// Ends and awaits the calls of a handle and deletes it, unless it belongs to another process.
template <class T>
void destroy(T* handle) noexcept {
  if (handle == nullptr || !handle->is_of_this_process()) {
    return;
  }
  handle->end_all();
  delete handle;
}

}  // namespace furrow::capi

/// A handle that is nothing but its library.
struct furrow_library final : furrow::capi::Handle {
  explicit furrow_library(std::shared_ptr<furrow::capi::Library> library)
      : Handle("library", std::move(library)) {}
};
