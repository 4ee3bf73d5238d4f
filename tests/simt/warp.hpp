// SPDX-License-Identifier: Apache-2.0
// The lanes of one warp that wait in collectives, what they brought, and what they get.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <source_location>
#include <string>

#include "simt/lane.hpp"
#include "simt/run_queue.hpp"

namespace furrow::simt {

/// The number of the lowest lane of a mask that is not empty.
inline unsigned lowest_lane(std::uint32_t mask) {
  return static_cast<unsigned>(std::countr_zero(mask));
}

/// Calls `f` with the number of each lane of `mask`.
template <class F>
void for_each_lane(std::uint32_t mask, F&& f) {
  for (; mask != 0; mask &= mask - 1) {
    f(lowest_lane(mask));
  }
}

/// Whether two calls stand on the same line of the same file.
[[nodiscard]] bool same_line(std::source_location a, std::source_location b);

/// Masks and arrays have one bit or place a lane.
struct Warp {
  std::uint32_t existing = 0;
  std::uint32_t waiting = 0;  // in a collective of the warp
  std::uint32_t ended = 0;
  std::array<std::uint64_t, kWarpSize> keys{};  // operation, mask
  std::array<std::source_location, kWarpSize> places{};
  std::array<std::uint64_t, kWarpSize> values{};
  std::array<std::uint32_t, kWarpSize> arguments{};
  std::array<std::uint64_t, kWarpSize> results{};
  // Of BlockTags: how many rendezvous each lane has completed, and what it acquires when it goes
  // on.
  std::array<std::uint8_t, kWarpSize> n_completed{};
  std::array<void*, kWarpSize> acquired{};

  /// `lane` begins to wait.
  void arrive(unsigned lane, WarpOp op, std::uint32_t mask, std::uint64_t value,
              std::uint32_t argument, std::source_location where) {
    keys[lane] = static_cast<std::uint64_t>(op) << 32U | mask;
    places[lane] = where;
    values[lane] = value;
    arguments[lane] = argument;
    waiting |= 1U << lane;
  }
  [[nodiscard]] std::uint32_t mask_of(unsigned lane) const {
    return static_cast<std::uint32_t>(keys[lane]);
  }
  [[nodiscard]] WarpOp op_of(unsigned lane) const { return static_cast<WarpOp>(keys[lane] >> 32U); }

  /// Whether all of `mask` wait in the very collective of `lane`. A lane may wait for the caller in
  /// an earlier one first, so a difference is no error yet.
  [[nodiscard]] bool all_arrived(unsigned lane, std::uint32_t mask) const {
    return (waiting & mask) == mask && mismatch(lane) < 0;
  }
  /// A lane that waits, is named in the mask of `lane`, and waits in another collective; -1 if
  /// none.
  [[nodiscard]] int mismatch(unsigned lane) const;
  /// Gives every lane of `mask` its result of the collective of `lane`. Returns -1, or the number
  /// of a lane whose shuffle reads from a lane outside the mask.
  int complete(unsigned lane, std::uint32_t mask);
  /// `__ballot_sync with mask 0xffffffff`.
  [[nodiscard]] std::string text(unsigned lane) const;

 private:
  [[nodiscard]] std::uint32_t lanes_with(std::uint32_t mask, std::uint64_t value) const;
  template <class T, class F>
  void fold(std::uint32_t mask, F&& f);
};

}  // namespace furrow::simt
