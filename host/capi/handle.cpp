// SPDX-License-Identifier: Apache-2.0
#include "host/capi/handle.hpp"

#include <string>
#include <utility>

#include <unistd.h>

#include "host/capi/structs.hpp"

namespace furrow::capi {
namespace {

Handle& checked(Handle* handle, const char* name) {
  check_pointer(handle, name);
  return *handle;
}

std::shared_ptr<const ThreadHooks> hooks_of(const Handle& handle) {
  return handle.library() != nullptr ? handle.library()->hooks : nullptr;
}

}  // namespace

Handle::Handle(const char* type, std::shared_ptr<Library> library)
    : type_(type), library_(std::move(library)), process_(::getpid()) {}

bool Handle::is_of_this_process() const {
  return process_ == ::getpid();
}

void Handle::begin_call() {
  if (!is_of_this_process()) {
    throw InvalidArgument(
        std::string("furrow: the ") + type_ + " was created in process " +
            std::to_string(process_) + ", before it forked; create another one here, in process " +
            std::to_string(::getpid()),
        {.expected = std::to_string(process_), .actual = std::to_string(::getpid())});
  }
  const Lock lock(mutex_);
  ++n_calls_;
}

void Handle::end_call() noexcept {
  const Lock lock(mutex_);
  --n_calls_;
  changed_.notify_all();
}

void Handle::end_all() noexcept {
  end_.request_stop();
  const Lock lock(mutex_);
  changed_.wait(mutex_, [this]() FURROW_REQUIRES(mutex_) { return n_calls_ == 0; });
}

Call::Call(Handle* handle, const char* name)
    : handle_(&checked(handle, name)), hooks_(hooks_of(*handle_)) {
  handle_->begin_call();
}

}  // namespace furrow::capi
