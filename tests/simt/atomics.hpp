// SPDX-License-Identifier: Apache-2.0
// CUDA's atomic functions: relaxed, and for exactly the types that CUDA has them for. A 64-bit
// counter is `unsigned long long`; std::uint64_t is another type on Linux and is refused here as
// nvcc does.
#pragma once

#include <bit>
#include <cstdint>
#include <source_location>
#include <type_traits>

#include "simt/lane.hpp"

// Macros make functions of types.
// NOLINTBEGIN(bugprone-macro-parentheses)

namespace furrow::simt {

template <class T>
T* checked(T* address, std::source_location where) {
  if (address == nullptr || reinterpret_cast<std::uintptr_t>(address) % sizeof(T) != 0) {
    fail_bad_address(address, sizeof(T), where);
  }
  return address;
}

/// Replaces the value at `address` by `f` of it; returns what was there before.
template <class T, class F>
T atomic_update(T* address, F&& f, std::source_location where) {
  using Bits = std::conditional_t<sizeof(T) == 8, std::uint64_t,
                                  std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint16_t>>;
  auto* place = reinterpret_cast<Bits*>(checked(address, where));
  before_atomic(where);
  Bits old = __atomic_load_n(place, __ATOMIC_RELAXED);
  while (!__atomic_compare_exchange_n(place, &old, std::bit_cast<Bits>(f(std::bit_cast<T>(old))),
                                      false, __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
  }
  return std::bit_cast<T>(old);
}

}  // namespace furrow::simt

// Each function for the whole device, and for the block or the system, which is the same here.
#define FURROW_SIMT_ATOMIC(name, type, expression)                                          \
  inline type name(type* address, type value,                                               \
                   std::source_location where = std::source_location::current()) {          \
    return furrow::simt::atomic_update(                                                     \
        address, [value]([[maybe_unused]] type old) -> type { return expression; }, where); \
  }
#define FURROW_SIMT_ATOMIC_SCOPES(name, type, expression) \
  FURROW_SIMT_ATOMIC(name, type, expression)              \
  FURROW_SIMT_ATOMIC(name##_block, type, expression)      \
  FURROW_SIMT_ATOMIC(name##_system, type, expression)

#define FURROW_SIMT_COMPARE_AND_SWAP(name, type)                                                \
  inline type name(type* address, type expected, type value,                                    \
                   std::source_location where = std::source_location::current()) {              \
    return furrow::simt::atomic_update(                                                         \
        address, [expected, value](type old) { return old == expected ? value : old; }, where); \
  }
#define FURROW_SIMT_COMPARE_AND_SWAP_SCOPES(type)     \
  FURROW_SIMT_COMPARE_AND_SWAP(atomicCAS, type)       \
  FURROW_SIMT_COMPARE_AND_SWAP(atomicCAS_block, type) \
  FURROW_SIMT_COMPARE_AND_SWAP(atomicCAS_system, type)

// Signed sums wrap around, as they do in hardware.
FURROW_SIMT_ATOMIC_SCOPES(atomicAdd, int,
                          static_cast<int>(static_cast<unsigned>(old) +
                                           static_cast<unsigned>(value)))
FURROW_SIMT_ATOMIC_SCOPES(atomicAdd, unsigned, old + value)
FURROW_SIMT_ATOMIC_SCOPES(atomicAdd, unsigned long long, old + value)
FURROW_SIMT_ATOMIC_SCOPES(atomicAdd, float, old + value)
FURROW_SIMT_ATOMIC_SCOPES(atomicAdd, double, old + value)
FURROW_SIMT_ATOMIC_SCOPES(atomicSub, int,
                          static_cast<int>(static_cast<unsigned>(old) -
                                           static_cast<unsigned>(value)))
FURROW_SIMT_ATOMIC_SCOPES(atomicSub, unsigned, old - value)
FURROW_SIMT_ATOMIC_SCOPES(atomicExch, int, value)
FURROW_SIMT_ATOMIC_SCOPES(atomicExch, unsigned, value)
FURROW_SIMT_ATOMIC_SCOPES(atomicExch, unsigned long long, value)
FURROW_SIMT_ATOMIC_SCOPES(atomicExch, float, value)
FURROW_SIMT_ATOMIC_SCOPES(atomicMin, int, value < old ? value : old)
FURROW_SIMT_ATOMIC_SCOPES(atomicMin, unsigned, value < old ? value : old)
FURROW_SIMT_ATOMIC_SCOPES(atomicMin, long long, value < old ? value : old)
FURROW_SIMT_ATOMIC_SCOPES(atomicMin, unsigned long long, value < old ? value : old)
FURROW_SIMT_ATOMIC_SCOPES(atomicMax, int, value > old ? value : old)
FURROW_SIMT_ATOMIC_SCOPES(atomicMax, unsigned, value > old ? value : old)
FURROW_SIMT_ATOMIC_SCOPES(atomicMax, long long, value > old ? value : old)
FURROW_SIMT_ATOMIC_SCOPES(atomicMax, unsigned long long, value > old ? value : old)
FURROW_SIMT_ATOMIC_SCOPES(atomicInc, unsigned, old >= value ? 0 : old + 1)
FURROW_SIMT_ATOMIC_SCOPES(atomicDec, unsigned, old == 0 || old > value ? value : old - 1)
FURROW_SIMT_ATOMIC_SCOPES(atomicAnd, int, (old) & (value))
FURROW_SIMT_ATOMIC_SCOPES(atomicAnd, unsigned, (old) & (value))
FURROW_SIMT_ATOMIC_SCOPES(atomicAnd, long long, (old) & (value))
FURROW_SIMT_ATOMIC_SCOPES(atomicAnd, unsigned long long, (old) & (value))
FURROW_SIMT_ATOMIC_SCOPES(atomicOr, int, old | value)
FURROW_SIMT_ATOMIC_SCOPES(atomicOr, unsigned, old | value)
FURROW_SIMT_ATOMIC_SCOPES(atomicOr, long long, old | value)
FURROW_SIMT_ATOMIC_SCOPES(atomicOr, unsigned long long, old | value)
FURROW_SIMT_ATOMIC_SCOPES(atomicXor, int, old ^ value)
FURROW_SIMT_ATOMIC_SCOPES(atomicXor, unsigned, old ^ value)
FURROW_SIMT_ATOMIC_SCOPES(atomicXor, long long, old ^ value)
FURROW_SIMT_ATOMIC_SCOPES(atomicXor, unsigned long long, old ^ value)
FURROW_SIMT_COMPARE_AND_SWAP_SCOPES(int)
FURROW_SIMT_COMPARE_AND_SWAP_SCOPES(unsigned)
FURROW_SIMT_COMPARE_AND_SWAP_SCOPES(unsigned long long)
FURROW_SIMT_COMPARE_AND_SWAP(atomicCAS, unsigned short)

#undef FURROW_SIMT_ATOMIC
#undef FURROW_SIMT_ATOMIC_SCOPES
#undef FURROW_SIMT_COMPARE_AND_SWAP
#undef FURROW_SIMT_COMPARE_AND_SWAP_SCOPES

// NOLINTEND(bugprone-macro-parentheses)
