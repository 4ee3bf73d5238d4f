// SPDX-License-Identifier: Apache-2.0
// A word for each of the 32 lanes of a warp. Loops over all of them, without branches, are what the
// compiler makes vector instructions of.
#pragma once

#include <cstdint>

namespace furrow::sass {

inline constexpr unsigned kLanes = 32;
inline constexpr std::uint32_t kAllLanes = 0xFFFFFFFF;

struct alignas(64) Lanes {
  std::uint32_t at[kLanes];
};

/// `value(lane)` for each lane.
template <class Value>
inline Lanes for_lanes(const Value& value) {
  Lanes result;
  for (unsigned i = 0; i < kLanes; ++i) {
    result.at[i] = value(i);
  }
  return result;
}

/// Bit of each lane: `test(lane)`.
template <class Test>
inline std::uint32_t bits_for_lanes(const Test& test) {
  Lanes bits;
  for (unsigned i = 0; i < kLanes; ++i) {
    bits.at[i] = test(i) ? 1U << i : 0U;
  }
  std::uint32_t result = 0;
  for (unsigned i = 0; i < kLanes; ++i) {
    result |= bits.at[i];
  }
  return result;
}

inline Lanes same_in_all_lanes(std::uint32_t value) {
  return for_lanes([&](unsigned) { return value; });
}

inline bool has_lane(std::uint32_t mask, unsigned lane) {
  return (mask >> lane & 1) != 0;
}

/// Calls `visit(lane)` for the lanes of a mask, in order.
template <class Visit>
inline void visit_lanes(std::uint32_t mask, const Visit& visit) {
  for (; mask != 0; mask &= mask - 1) {
    visit(static_cast<unsigned>(__builtin_ctz(mask)));
  }
}

}  // namespace furrow::sass
