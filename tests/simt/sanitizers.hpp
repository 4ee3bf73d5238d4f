// SPDX-License-Identifier: Apache-2.0
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

/// The threads of execution that ThreadSanitizer sees. They are dear to make (about 0.6 ms and 0.8
/// MB each), so a ring of them is used again and again: what a lane did is unordered with the lanes
/// of the next blocks, until the ring comes round to it.
class TsanFibers {
 public:
  ~TsanFibers() { clear(); }
  /// The next `n` of the ring, at most kMaxFibers / 2.
  void take(std::vector<void*>& fibers, std::size_t n);
  /// Releases `tag` in the name of each of them.
  static void release_all(const std::vector<void*>& fibers, void* tag);
  /// Ends all. Needed when lanes were abandoned, because their calls are still open.
  void clear();
  /// The one that runs now.
  static void* current();

  static constexpr std::size_t kMaxFibers = 2048;

 private:
  std::vector<void*> ring_;
  std::size_t next_ = 0;
};

/// One order of events beside the host's, such as a stream: what happens in it is unordered with
/// the host but for what either has waited for. Nobody but the holder of the stream's lock touches
/// it.
class Timeline {
 public:
  Timeline() = default;
  // NOLINTNEXTLINE(performance-trivially-destructible): not empty under ThreadSanitizer
  ~Timeline();
  Timeline(const Timeline&) = delete;
  Timeline& operator=(const Timeline&) = delete;

  /// What comes next in the timeline comes after all the caller did.
  void follow_caller();
  /// The caller, which may be in another timeline, goes on after all that is in this one.
  void join() { acquire(&ended_); }

  /// While it lives, what the calling thread does happens in the timeline; nothing changes for
  /// nullptr. To be kept around single steps: what is on the stack of the host stays the host's.
  class Inside {
   public:
    explicit Inside(Timeline* timeline);
    // NOLINTNEXTLINE(performance-trivially-destructible): not empty under ThreadSanitizer
    ~Inside();
    Inside(const Inside&) = delete;
    Inside& operator=(const Inside&) = delete;

   private:
    Timeline* timeline_;
    void* outside_ = nullptr;
  };

 private:
  void* fiber_ = nullptr;
  char caller_ = 0;
  char ended_ = 0;
};

/// While it lives, what the calling thread reads and writes is no access.
class IgnoreAccesses {
 public:
  IgnoreAccesses();
  // NOLINTNEXTLINE(performance-trivially-destructible): not empty under ThreadSanitizer
  ~IgnoreAccesses();
  IgnoreAccesses(const IgnoreAccesses&) = delete;
  IgnoreAccesses& operator=(const IgnoreAccesses&) = delete;
};

}  // namespace furrow::simt
