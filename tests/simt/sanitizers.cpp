#include "simt/sanitizers.hpp"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#endif
#if defined(FURROW_SIMT_TSAN)
#include <sanitizer/tsan_interface.h>

#include "simt/pages.hpp"

// The runtime exports them; no header declares them.
extern "C" {
void AnnotateIgnoreWritesBegin(const char* file, int line);
void AnnotateIgnoreWritesEnd(const char* file, int line);
}
#endif

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
  AnnotateIgnoreWritesBegin(__FILE__, __LINE__);
  map_again(pages, n_bytes);
  AnnotateIgnoreWritesEnd(__FILE__, __LINE__);
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

void Timeline::begin() {
  if (fiber_ == nullptr) {
    fiber_ = __tsan_create_fiber(0);
  }
  release(&begun_);
  caller_ = __tsan_get_current_fiber();
  __tsan_switch_to_fiber(fiber_, __tsan_switch_to_fiber_no_sync);
  acquire(&begun_);
}

void Timeline::end() {
  release(&ended_);
  __tsan_switch_to_fiber(caller_, __tsan_switch_to_fiber_no_sync);
}

void Timeline::join() {
  acquire(&ended_);
}

#else

void forget_accesses(void*, std::size_t) {}
void release(void*) {}
void acquire(void*) {}
void TsanFibers::take(std::vector<void*>&, std::size_t) {}
void TsanFibers::clear() {}
void* TsanFibers::current() {
  return nullptr;
}

Timeline::~Timeline() = default;
void Timeline::begin() {}
void Timeline::end() {}
void Timeline::join() {}

#endif

}  // namespace furrow::simt
