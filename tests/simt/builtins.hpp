// SPDX-License-Identifier: Apache-2.0
// CUDA's keywords and built-in variables for a host compiler.
//
// `__shared__` stays undefined on purpose: shared memory is declared with SHARED and
// DYNAMIC_SHARED.
// `__noinline__` stays undefined because the C++ library uses the word in attributes.
#pragma once

#include <source_location>
#include <type_traits>

#include "simt/lane.hpp"
#include "simt/vector_types.hpp"

// The names are CUDA's, and macros make functions of types.
// NOLINTBEGIN(bugprone-reserved-identifier,bugprone-macro-parentheses)

#define __global__
#define __device__
#define __host__
#define __constant__ const
#define __grid_constant__
#define __launch_bounds__(...)
#define __forceinline__ inline __attribute__((always_inline))
#define __align__(n) __attribute__((aligned(n)))

#define threadIdx (::furrow::simt::t_lane->thread_index)
#define blockIdx (::furrow::simt::t_block->block_index)
#define blockDim (::furrow::simt::t_block->block_dim)
#define gridDim (::furrow::simt::t_block->grid_dim)

inline constexpr int warpSize = 32;

namespace furrow::simt {

/// What CUDA demands of a type in shared memory: nothing runs at its beginning or end.
template <class Type>
concept Shareable = std::is_trivially_default_constructible_v<std::remove_all_extents_t<Type>> &&
    std::is_trivially_destructible_v<std::remove_all_extents_t<Type>>;

inline void check_threads(unsigned most,
                          std::source_location where = std::source_location::current()) {
  const dim3& block = t_block->block_dim;
  if (block.x * block.y * block.z > most) {
    fail_too_many_threads(most, where);
  }
}

template <Shareable Type>
Type& shared_object(const SharedTag& tag,
                    std::source_location where = std::source_location::current()) {
  return *static_cast<Type*>(static_shared(tag, sizeof(Type), alignof(Type), where));
}

template <Shareable Type>
Type* dynamic_shared_array() {
  static_assert(alignof(Type) <= 16, "dynamic shared memory is aligned to 16 bytes only");
  return static_cast<Type*>(dynamic_shared());
}

}  // namespace furrow::simt

#define SHARED(Type, name)                                                       \
  static constexpr ::furrow::simt::SharedTag name##_shared_tag{#Type " " #name}; \
  Type& name = ::furrow::simt::shared_object<Type>(name##_shared_tag)

#define THREADS_AT_MOST(n) ::furrow::simt::check_threads(n)

#define DYNAMIC_SHARED(Type, name) Type* name = ::furrow::simt::dynamic_shared_array<Type>()

// NOLINTEND(bugprone-reserved-identifier,bugprone-macro-parentheses)
