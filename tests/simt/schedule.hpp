// SPDX-License-Identifier: Apache-2.0
// The order in which the harness runs the threads of a block and the blocks of a grid. CUDA
// promises none, so every order must give the same result; a test runs its kernels under several.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace furrow::simt {

/// An order of execution. A thread runs until it waits for others; the schedule says who is next.
struct Schedule {
  enum class Kind : std::uint8_t {
    kAscending,   ///< lowest warp, lowest lane first; blocks likewise
    kDescending,  ///< highest first
    kShuffle,     ///< a random one of all threads that can run; blocks in random order
    kAhead,       ///< one warp runs whenever it can, the others take turns
  };
  Kind kind = Kind::kAscending;
  std::uint64_t seed = 0;  ///< of kShuffle
  unsigned warp = 0;       ///< of kAhead; modulo the number of warps of the block

  static constexpr Schedule ascending() { return {}; }
  static constexpr Schedule descending() { return {.kind = Kind::kDescending}; }
  static constexpr Schedule shuffle(std::uint64_t seed) {
    return {.kind = Kind::kShuffle, .seed = seed};
  }
  static constexpr Schedule ahead(unsigned warp) { return {.kind = Kind::kAhead, .warp = warp}; }

  /// Of `ascending`, `descending`, `shuffle:SEED`, `ahead:WARP`. Throws InvalidArgument.
  static Schedule parse(std::string_view text);
  /// What `parse` reads.
  [[nodiscard]] std::string text() const;

  bool operator==(const Schedule&) const = default;
};

/// The schedule of launches by this thread: the innermost ScopedSchedule, else what the environment
/// variable FURROW_SIMT_SCHEDULE says, else ascending.
[[nodiscard]] Schedule current_schedule();

/// Sets the schedule of the launches of this thread, not of those it starts, for as long as it
/// lives.
class ScopedSchedule {
 public:
  explicit ScopedSchedule(const Schedule& schedule);
  ~ScopedSchedule();
  ScopedSchedule(const ScopedSchedule&) = delete;
  ScopedSchedule& operator=(const ScopedSchedule&) = delete;

 private:
  const Schedule* outer_;
  Schedule schedule_;
};

/// One of each kind and `n_shuffles` shuffles with seeds from `first_seed` on.
[[nodiscard]] std::vector<Schedule> all_schedules(unsigned n_shuffles = 2,
                                                  std::uint64_t first_seed = 1);

/// The random numbers of a shuffled schedule (SplitMix64).
class ScheduleRandom {
 public:
  explicit ScheduleRandom(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next() {
    state_ += 0x9E3779B97F4A7C15U;
    std::uint64_t z = state_;
    z = (z ^ (z >> 30U)) * 0xBF58476D1CE4E5B9U;
    z = (z ^ (z >> 27U)) * 0x94D049BB133111EBU;
    return z ^ (z >> 31U);
  }
  /// In [0, bound), bound > 0. The bias of at most bound / 2^32 does not matter here.
  std::uint32_t below(std::uint32_t bound) {
    return static_cast<std::uint32_t>(((next() >> 32U) * bound) >> 32U);
  }

 private:
  std::uint64_t state_;
};

}  // namespace furrow::simt
