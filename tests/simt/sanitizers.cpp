#include "simt/sanitizers.hpp"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#endif
#if defined(FURROW_SIMT_TSAN)
#include <cerrno>

#include <sanitizer/tsan_interface.h>
#include <sys/mman.h>

#include "furrow/errors.hpp"

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

namespace {
// The runtime has room for 8,128 threads.
constexpr std::size_t kMaxRetired = 5000;
}  // namespace

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

TsanFibers::~TsanFibers() {
  for (std::size_t i = n_destroyed_; i < retired_.size(); ++i) {
    __tsan_destroy_fiber(retired_[i]);
  }
}

void* TsanFibers::make() {
  return __tsan_create_fiber(0);
}

void* TsanFibers::current() {
  return __tsan_get_current_fiber();
}

void TsanFibers::retire(const std::vector<void*>& fibers) {
  retired_.insert(retired_.end(), fibers.begin(), fibers.end());
  for (; retired_.size() - n_destroyed_ > kMaxRetired; ++n_destroyed_) {
    __tsan_destroy_fiber(retired_[n_destroyed_]);
  }
  if (n_destroyed_ > kMaxRetired) {
    retired_.erase(retired_.begin(), retired_.begin() + static_cast<std::ptrdiff_t>(n_destroyed_));
    n_destroyed_ = 0;
  }
}

#else

void forget_accesses(void*, std::size_t) {}
void release(void*) {}
void acquire(void*) {}
TsanFibers::~TsanFibers() = default;
void* TsanFibers::make() {
  return nullptr;
}
void* TsanFibers::current() {
  return nullptr;
}
void TsanFibers::retire(const std::vector<void*>&) {}

#endif

}  // namespace furrow::simt
