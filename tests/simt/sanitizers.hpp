// What the harness tells AddressSanitizer and ThreadSanitizer; nothing in builds without them.
//
// To ThreadSanitizer each lane is a thread of its own, made fresh for each block: a thread is
// ordered with itself, so a lane that outlived its block would hide races between blocks.
#pragma once

#include <cstddef>
#include <vector>

namespace furrow::simt {

/// True where every access outside the objects of shared memory is reported at its own line.
#if defined(__SANITIZE_ADDRESS__)
inline constexpr bool kAddressSanitizer = true;
#else
inline constexpr bool kAddressSanitizer = false;
#endif
#if defined(FURROW_SIMT_TSAN)
inline constexpr bool kThreadSanitizer = true;
#else
inline constexpr bool kThreadSanitizer = false;
#endif

/// Makes accesses to the bytes an error, or allows them again (AddressSanitizer).
void poison(void* bytes, std::size_t n_bytes);
void unpoison(void* bytes, std::size_t n_bytes);

/// Lets whole pages begin anew: no earlier access can race with a later one (ThreadSanitizer). The
/// content is lost under ThreadSanitizer and kept otherwise.
void forget_accesses(void* pages, std::size_t n_bytes);

/// What happened before a release of a tag happened before what follows an acquire of it.
void release(void* tag);
void acquire(void* tag);

/// The threads of execution that ThreadSanitizer sees.
class TsanFibers {
 public:
  ~TsanFibers();
  /// A new one, which begins after everything its maker has done.
  void* make();
  /// The one that runs now.
  static void* current();
  /// Ends them, the oldest only when many live, because the number of a thread that ended is given
  /// to another, and then races between the two go unseen.
  void retire(const std::vector<void*>& fibers);

 private:
  std::vector<void*> retired_;  // oldest first
  std::size_t n_destroyed_ = 0;
};

}  // namespace furrow::simt
