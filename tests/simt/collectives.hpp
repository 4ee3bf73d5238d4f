// SPDX-License-Identifier: Apache-2.0
// Barriers, warp collectives and fences with CUDA's names and overloads. Each passes on the line it
// is called from: all threads that meet must come from the same one.
#pragma once

#include <bit>
#include <chrono>
#include <cstdint>
#include <source_location>

#include "simt/lane.hpp"

// The names are CUDA's.
// NOLINTBEGIN(bugprone-reserved-identifier)

#define FURROW_SIMT_WHERE std::source_location where = std::source_location::current()

// --- Barriers of the block ---

inline void __syncthreads(FURROW_SIMT_WHERE) {
  furrow::simt::block_barrier(furrow::simt::BarrierOp::kSync, 0, where);
}
inline int __syncthreads_count(int predicate, FURROW_SIMT_WHERE) {
  return furrow::simt::block_barrier(furrow::simt::BarrierOp::kCount, predicate, where);
}
inline int __syncthreads_and(int predicate, FURROW_SIMT_WHERE) {
  return furrow::simt::block_barrier(furrow::simt::BarrierOp::kAnd, predicate, where);
}
inline int __syncthreads_or(int predicate, FURROW_SIMT_WHERE) {
  return furrow::simt::block_barrier(furrow::simt::BarrierOp::kOr, predicate, where);
}

// --- Fences ---

inline void __threadfence_block() {
  furrow::simt::device_fence();
}
inline void __threadfence() {
  furrow::simt::device_fence();
}
inline void __threadfence_system() {
  furrow::simt::device_fence();
}

// --- Time and traps ---

inline void __nanosleep(unsigned /*nanoseconds*/, FURROW_SIMT_WHERE) {
  furrow::simt::yield_lane(where);
}
[[noreturn]] inline void __trap(FURROW_SIMT_WHERE) {
  furrow::simt::fail_trapped(where);
}
inline long long clock64() {
  return std::chrono::steady_clock::now().time_since_epoch().count();
}

// --- Warps: barrier and votes ---

inline void __syncwarp(unsigned mask = 0xFFFFFFFF, FURROW_SIMT_WHERE) {
  furrow::simt::warp_rendezvous(furrow::simt::WarpOp::kSync, mask, 0, 0, where);
}
/// CUDA promises no more than that the caller is in it.
inline unsigned __activemask() {
  return 1U << furrow::simt::lane_in_warp();
}

inline unsigned __ballot_sync(unsigned mask, int predicate, FURROW_SIMT_WHERE) {
  return static_cast<unsigned>(furrow::simt::warp_rendezvous(furrow::simt::WarpOp::kBallot, mask,
                                                             predicate != 0 ? 1 : 0, 0, where));
}
inline int __any_sync(unsigned mask, int predicate, FURROW_SIMT_WHERE) {
  return static_cast<int>(furrow::simt::warp_rendezvous(furrow::simt::WarpOp::kAny, mask,
                                                        predicate != 0 ? 1 : 0, 0, where));
}
inline int __all_sync(unsigned mask, int predicate, FURROW_SIMT_WHERE) {
  return static_cast<int>(furrow::simt::warp_rendezvous(furrow::simt::WarpOp::kAll, mask,
                                                        predicate != 0 ? 1 : 0, 0, where));
}

namespace furrow::simt {

template <class T>
std::uint64_t to_bits(T value) {
  if constexpr (sizeof(T) == 8) {
    return std::bit_cast<std::uint64_t>(value);
  } else {
    return std::bit_cast<std::uint32_t>(value);
  }
}
template <class T>
T from_bits(std::uint64_t bits) {
  if constexpr (sizeof(T) == 8) {
    return std::bit_cast<T>(bits);
  } else {
    return std::bit_cast<T>(static_cast<std::uint32_t>(bits));
  }
}

inline void check_width(int width, std::source_location where) {
  if (width < 1 || width > 32 || (width & (width - 1)) != 0) {
    fail_bad_argument("a shuffle: width is not a power of two from 1 to 32", where);
  }
}

template <class T>
T shuffle(unsigned mask, T value, std::uint32_t source, std::source_location where) {
  return from_bits<T>(warp_rendezvous(WarpOp::kShuffle, mask, to_bits(value), source, where));
}

template <class T>
T shuffle_index(unsigned mask, T value, int source, int width, std::source_location where) {
  check_width(width, where);
  const auto n = static_cast<std::uint32_t>(width);
  const std::uint32_t first = lane_in_warp() & ~(n - 1);
  return shuffle(mask, value, first + (static_cast<std::uint32_t>(source) & (n - 1)), where);
}

template <class T>
T shuffle_up(unsigned mask, T value, unsigned delta, int width, std::source_location where) {
  check_width(width, where);
  const std::uint32_t lane = lane_in_warp();
  const std::uint32_t in_group = lane & (static_cast<std::uint32_t>(width) - 1);
  return shuffle(mask, value, delta <= in_group ? lane - delta : lane, where);
}

template <class T>
T shuffle_down(unsigned mask, T value, unsigned delta, int width, std::source_location where) {
  check_width(width, where);
  const auto n = static_cast<std::uint32_t>(width);
  const std::uint32_t lane = lane_in_warp();
  const std::uint32_t in_group = lane & (n - 1);
  return shuffle(mask, value, delta < n - in_group ? lane + delta : lane, where);
}

/// Earlier groups can be read, later ones cannot.
template <class T>
T shuffle_xor(unsigned mask, T value, int lane_mask, int width, std::source_location where) {
  check_width(width, where);
  const std::uint32_t lane = lane_in_warp();
  const std::uint32_t source = lane ^ static_cast<std::uint32_t>(lane_mask);
  const std::uint32_t last = lane | (static_cast<std::uint32_t>(width) - 1);
  return shuffle(mask, value, source <= last ? source : lane, where);
}

}  // namespace furrow::simt

// --- Warps: shuffles and matches, the types that CUDA has them for ---

#define FURROW_SIMT_SHUFFLES(type)                                                                 \
  inline type __shfl_sync(unsigned mask, type value, int source, int width = 32,                   \
                          FURROW_SIMT_WHERE) {                                                     \
    return furrow::simt::shuffle_index(mask, value, source, width, where);                         \
  }                                                                                                \
  inline type __shfl_up_sync(unsigned mask, type value, unsigned delta, int width = 32,            \
                             FURROW_SIMT_WHERE) {                                                  \
    return furrow::simt::shuffle_up(mask, value, delta, width, where);                             \
  }                                                                                                \
  inline type __shfl_down_sync(unsigned mask, type value, unsigned delta, int width = 32,          \
                               FURROW_SIMT_WHERE) {                                                \
    return furrow::simt::shuffle_down(mask, value, delta, width, where);                           \
  }                                                                                                \
  inline type __shfl_xor_sync(unsigned mask, type value, int lane_mask, int width = 32,            \
                              FURROW_SIMT_WHERE) {                                                 \
    return furrow::simt::shuffle_xor(mask, value, lane_mask, width, where);                        \
  }                                                                                                \
  inline unsigned __match_any_sync(unsigned mask, type value, FURROW_SIMT_WHERE) {                 \
    return static_cast<unsigned>(furrow::simt::warp_rendezvous(                                    \
        furrow::simt::WarpOp::kMatchAny, mask, furrow::simt::to_bits(value), 0, where));           \
  }                                                                                                \
  inline unsigned __match_all_sync(unsigned mask, type value, int* predicate, FURROW_SIMT_WHERE) { \
    const auto lanes = static_cast<unsigned>(furrow::simt::warp_rendezvous(                        \
        furrow::simt::WarpOp::kMatchAll, mask, furrow::simt::to_bits(value), 0, where));           \
    *predicate = lanes != 0 ? 1 : 0;                                                               \
    return lanes;                                                                                  \
  }

FURROW_SIMT_SHUFFLES(int)
FURROW_SIMT_SHUFFLES(unsigned)
FURROW_SIMT_SHUFFLES(long)
FURROW_SIMT_SHUFFLES(unsigned long)
FURROW_SIMT_SHUFFLES(long long)
FURROW_SIMT_SHUFFLES(unsigned long long)
FURROW_SIMT_SHUFFLES(float)
FURROW_SIMT_SHUFFLES(double)
#undef FURROW_SIMT_SHUFFLES

// --- Warps: reductions (compute capability 8.0 and later) ---

#define FURROW_SIMT_REDUCTION(name, type, op)                                        \
  inline type __reduce_##name##_sync(unsigned mask, type value, FURROW_SIMT_WHERE) { \
    return furrow::simt::from_bits<type>(furrow::simt::warp_rendezvous(              \
        furrow::simt::WarpOp::op, mask, furrow::simt::to_bits(value), 0, where));    \
  }

FURROW_SIMT_REDUCTION(add, int, kAddReduce)
FURROW_SIMT_REDUCTION(add, unsigned, kAddReduce)
FURROW_SIMT_REDUCTION(min, int, kMinSigned)
FURROW_SIMT_REDUCTION(min, unsigned, kMinUnsigned)
FURROW_SIMT_REDUCTION(max, int, kMaxSigned)
FURROW_SIMT_REDUCTION(max, unsigned, kMaxUnsigned)
FURROW_SIMT_REDUCTION(and, unsigned, kAndReduce)
FURROW_SIMT_REDUCTION(or, unsigned, kOrReduce)
FURROW_SIMT_REDUCTION(xor, unsigned, kXorReduce)
#undef FURROW_SIMT_REDUCTION

// NOLINTEND(bugprone-reserved-identifier)
