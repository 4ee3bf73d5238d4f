// SPDX-License-Identifier: Apache-2.0
#include "simt/sanitizers.hpp"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#endif
#if defined(FURROW_SIMT_TSAN)
#include <sanitizer/tsan_interface.h>

#include "simt/pages.hpp"

// The runtime exports them; no header declares them.
extern "C" {
void AnnotateIgnoreReadsBegin(const char* file, int line);
void AnnotateIgnoreReadsEnd(const char* file, int line);
void AnnotateIgnoreWritesBegin(const char* file, int line);
void AnnotateIgnoreWritesEnd(const char* file, int line);
}
#endif

// What is out of bounds ends the program by a signal, so that the harness says in which thread of a kernel.
extern "C" [[gnu::visibility("default")]] const char* __ubsan_default_options();
// NOLINTNEXTLINE(bugprone-reserved-identifier): the name is the runtime's
extern "C" const char* __ubsan_default_options() {
  return "abort_on_error=1";
}

namespace furrow::simt {

#if defined(__SANITIZE_ADDRESS__)
void poison(void* bytes, std::size_t n_bytes) {
  __asan_poison_memory_region(bytes, n_bytes);
}
void unpoison(void* bytes, std::size_t n_bytes) {
  __asan_unpoison_memory_region(bytes, n_bytes);
}
#else
void poison(void*, std::size_t) {}
void unpoison(void*, std::size_t) {}
#endif

#if defined(FURROW_SIMT_TSAN)

void forget_accesses(void* pages, std::size_t n_bytes) {
  if (n_bytes == 0) {
    return;
  }
  // Mapping pages anew is what makes the runtime forget; while writes are ignored it does not count
  // as an access itself.
  const IgnoreAccesses ignore;
  map_again(pages, n_bytes);
}

void release(void* tag) {
  __tsan_release(tag);
}
void acquire(void* tag) {
  __tsan_acquire(tag);
}

void TsanFibers::take(std::vector<void*>& fibers, std::size_t n) {
  fibers.clear();
  for (std::size_t i = 0; i < n; ++i) {
    if (next_ == ring_.size()) {
      if (ring_.size() < kMaxFibers) {
        ring_.push_back(__tsan_create_fiber(0));
      } else {
        next_ = 0;
      }
    }
    fibers.push_back(ring_[next_++]);
  }
}

void TsanFibers::release_all(const std::vector<void*>& fibers, void* tag) {
  void* self = current();
  for (void* fiber : fibers) {
    __tsan_switch_to_fiber(fiber, __tsan_switch_to_fiber_no_sync);
    release(tag);
  }
  __tsan_switch_to_fiber(self, __tsan_switch_to_fiber_no_sync);
}

void TsanFibers::clear() {
  for (void* fiber : ring_) {
    __tsan_destroy_fiber(fiber);
  }
  ring_.clear();
  next_ = 0;
}

void* TsanFibers::current() {
  return __tsan_get_current_fiber();
}

Timeline::~Timeline() {
  if (fiber_ != nullptr) {
    __tsan_destroy_fiber(fiber_);
  }
}

void Timeline::follow_caller() {
  release(&caller_);
  const Inside inside(this);
  acquire(&caller_);
}

Timeline::Inside::Inside(Timeline* timeline) : timeline_(timeline) {
  if (timeline_ == nullptr) {
    return;
  }
  if (timeline_->fiber_ == nullptr) {
    timeline_->fiber_ = __tsan_create_fiber(0);
  }
  outside_ = __tsan_get_current_fiber();
  __tsan_switch_to_fiber(timeline_->fiber_, __tsan_switch_to_fiber_no_sync);
}

Timeline::Inside::~Inside() {
  if (timeline_ != nullptr) {
    release(&timeline_->ended_);
    __tsan_switch_to_fiber(outside_, __tsan_switch_to_fiber_no_sync);
  }
}

IgnoreAccesses::IgnoreAccesses() {
  AnnotateIgnoreReadsBegin(__FILE__, __LINE__);
  AnnotateIgnoreWritesBegin(__FILE__, __LINE__);
}

IgnoreAccesses::~IgnoreAccesses() {
  AnnotateIgnoreWritesEnd(__FILE__, __LINE__);
  AnnotateIgnoreReadsEnd(__FILE__, __LINE__);
}

#else

void forget_accesses(void*, std::size_t) {}
void release(void*) {}
void acquire(void*) {}
void TsanFibers::take(std::vector<void*>&, std::size_t) {}
void TsanFibers::release_all(const std::vector<void*>&, void*) {}
void TsanFibers::clear() {}
void* TsanFibers::current() {
  return nullptr;
}

Timeline::~Timeline() = default;
void Timeline::follow_caller() {}
Timeline::Inside::Inside(Timeline* timeline) : timeline_(timeline) {}
Timeline::Inside::~Inside() = default;
IgnoreAccesses::IgnoreAccesses() = default;
IgnoreAccesses::~IgnoreAccesses() = default;

#endif

}  // namespace furrow::simt
