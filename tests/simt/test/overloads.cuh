// SPDX-License-Identifier: Apache-2.0
// Which overloads the device functions have, checked when compiled: by nvcc against CUDA itself,
// and by the host compiler against the harness. Both must agree on every line, above all on what
// there is not.
#pragma once

#include <concepts>
#include <cstdint>
#include <type_traits>

#include "cuda/simt.cuh"

namespace furrow::simt::overloads {

// Names of types and concepts cannot stand in parentheses, and what is equal here need not be so.
// NOLINTBEGIN(bugprone-macro-parentheses,misc-redundant-expression)

// Whether a call compiles, and with which result. A macro, because overload sets cannot be passed
// on.
#define FURROW_HAS(name, result, ...)                       \
  template <class T>                                        \
  concept name = requires(T * p, T v, unsigned m, int* i) { \
    { __VA_ARGS__ } -> std::same_as<result>;                \
  };

FURROW_HAS(HasAdd, T, atomicAdd(p, v))
FURROW_HAS(HasSub, T, atomicSub(p, v))
FURROW_HAS(HasExch, T, atomicExch(p, v))
FURROW_HAS(HasMin, T, atomicMin(p, v))
FURROW_HAS(HasMax, T, atomicMax(p, v))
FURROW_HAS(HasInc, T, atomicInc(p, v))
FURROW_HAS(HasDec, T, atomicDec(p, v))
FURROW_HAS(HasCas, T, atomicCAS(p, v, v))
FURROW_HAS(HasAnd, T, atomicAnd(p, v))
FURROW_HAS(HasOr, T, atomicOr(p, v))
FURROW_HAS(HasXor, T, atomicXor(p, v))
FURROW_HAS(HasAddBlock, T, atomicAdd_block(p, v))
FURROW_HAS(HasAndBlock, T, atomicAnd_block(p, v))
FURROW_HAS(HasCasSystem, T, atomicCAS_system(p, v, v))
FURROW_HAS(HasMaxSystem, T, atomicMax_system(p, v))
FURROW_HAS(HasShuffle, T, __shfl_sync(m, v, 0))
FURROW_HAS(HasShuffleUp, T, __shfl_up_sync(m, v, 1U, 16))
FURROW_HAS(HasShuffleDown, T, __shfl_down_sync(m, v, 1U))
FURROW_HAS(HasShuffleXor, T, __shfl_xor_sync(m, v, 1))
FURROW_HAS(HasMatchAny, unsigned, __match_any_sync(m, v))
FURROW_HAS(HasMatchAll, unsigned, __match_all_sync(m, v, i))
FURROW_HAS(HasLdg, T, __ldg(p))
FURROW_HAS(HasMinOf, T, min(v, v))
#if !defined(__CUDA_ARCH__) || __CUDA_ARCH__ >= 800
FURROW_HAS(HasReduceAdd, T, __reduce_add_sync(m, v))
FURROW_HAS(HasReduceMin, T, __reduce_min_sync(m, v))
FURROW_HAS(HasReduceXor, T, __reduce_xor_sync(m, v))
#endif
#undef FURROW_HAS

/// Whether exactly the first types are accepted, in this order: int, unsigned, long, unsigned long,
/// long long, unsigned long long, float, double, short, unsigned short.
#define FURROW_EXACTLY(name, i, u, l, ul, ll, ull, f, d, s, us)                                   \
  static_assert(name<int> == (i) && name<unsigned> == (u) && name<long> == (l) &&                 \
                name<unsigned long> == (ul) && name<long long> == (ll) &&                         \
                name<unsigned long long> == (ull) && name<float> == (f) && name<double> == (d) && \
                name<short> == (s) && name<unsigned short> == (us))

// clang-format off
//                           i  u  l  ul ll ull f  d  s  us
FURROW_EXACTLY(HasAdd,       1, 1, 0, 0, 0, 1,  1, 1, 0, 0);
FURROW_EXACTLY(HasAddBlock,  1, 1, 0, 0, 0, 1,  1, 1, 0, 0);
FURROW_EXACTLY(HasAndBlock,  1, 1, 0, 0, 1, 1,  0, 0, 0, 0);
FURROW_EXACTLY(HasSub,       1, 1, 0, 0, 0, 0,  0, 0, 0, 0);
FURROW_EXACTLY(HasExch,      1, 1, 0, 0, 0, 1,  1, 0, 0, 0);
FURROW_EXACTLY(HasMin,       1, 1, 0, 0, 1, 1,  0, 0, 0, 0);
FURROW_EXACTLY(HasMax,       1, 1, 0, 0, 1, 1,  0, 0, 0, 0);
FURROW_EXACTLY(HasMaxSystem, 1, 1, 0, 0, 1, 1,  0, 0, 0, 0);
FURROW_EXACTLY(HasInc,       0, 1, 0, 0, 0, 0,  0, 0, 0, 0);
FURROW_EXACTLY(HasDec,       0, 1, 0, 0, 0, 0,  0, 0, 0, 0);
FURROW_EXACTLY(HasCas,       1, 1, 0, 0, 0, 1,  0, 0, 0, 1);
FURROW_EXACTLY(HasCasSystem, 1, 1, 0, 0, 0, 1,  0, 0, 0, 0);
FURROW_EXACTLY(HasAnd,       1, 1, 0, 0, 1, 1,  0, 0, 0, 0);
FURROW_EXACTLY(HasOr,        1, 1, 0, 0, 1, 1,  0, 0, 0, 0);
FURROW_EXACTLY(HasXor,       1, 1, 0, 0, 1, 1,  0, 0, 0, 0);

FURROW_EXACTLY(HasShuffle,     1, 1, 1, 1, 1, 1, 1, 1, 0, 0);
FURROW_EXACTLY(HasShuffleUp,   1, 1, 1, 1, 1, 1, 1, 1, 0, 0);
FURROW_EXACTLY(HasShuffleDown, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0);
FURROW_EXACTLY(HasShuffleXor,  1, 1, 1, 1, 1, 1, 1, 1, 0, 0);
FURROW_EXACTLY(HasMatchAny,    1, 1, 1, 1, 1, 1, 1, 1, 1, 1);
FURROW_EXACTLY(HasMatchAll,    1, 1, 1, 1, 1, 1, 1, 1, 1, 1);
FURROW_EXACTLY(HasLdg,         1, 1, 1, 1, 1, 1, 1, 1, 1, 1);
FURROW_EXACTLY(HasMinOf,       1, 1, 1, 1, 1, 1, 1, 1, 0, 0);
#if !defined(__CUDA_ARCH__) || __CUDA_ARCH__ >= 800
FURROW_EXACTLY(HasReduceAdd,   1, 1, 0, 0, 0, 0, 0, 0, 0, 0);
FURROW_EXACTLY(HasReduceMin,   1, 1, 0, 0, 0, 0, 0, 0, 0, 0);
FURROW_EXACTLY(HasReduceXor,   0, 1, 0, 0, 0, 0, 0, 0, 0, 0);
#endif
// clang-format on
#undef FURROW_EXACTLY

static_assert(HasLdg<uint2> && HasLdg<uint4> && HasLdg<int4> && HasLdg<ulonglong2> &&
              HasLdg<uchar4> && HasLdg<ushort2> && HasLdg<float4>);
static_assert(!HasLdg<uint3> && !HasShuffle<uint2> && !HasMatchAny<uint2> && !HasAnd<uint2> &&
              !HasCas<uint2>);

// Pointers to memory that must not change, and plain values of 64 bits on Linux.
template <class T>
concept HasAddToConst = requires(const T* p, T v) {
  atomicAdd(p, v);
};
static_assert(!HasAddToConst<unsigned>);
static_assert(!HasAdd<std::uint64_t>, "std::uint64_t is unsigned long here, which CUDA lacks");

// Results of the integer intrinsics.
static_assert(std::is_same_v<decltype(__popc(1U)), int> &&
              std::is_same_v<decltype(__popcll(1ULL)), int> &&
              std::is_same_v<decltype(__clz(1)), int> &&
              std::is_same_v<decltype(__clzll(1LL)), int> &&
              std::is_same_v<decltype(__ffs(1)), int> &&
              std::is_same_v<decltype(__ffsll(1LL)), int> &&
              std::is_same_v<decltype(__brev(1U)), unsigned> &&
              std::is_same_v<decltype(__brevll(1ULL)), unsigned long long> &&
              std::is_same_v<decltype(__byte_perm(1U, 1U, 1U)), unsigned> &&
              std::is_same_v<decltype(__funnelshift_l(1U, 1U, 1U)), unsigned> &&
              std::is_same_v<decltype(__funnelshift_lc(1U, 1U, 1U)), unsigned> &&
              std::is_same_v<decltype(__funnelshift_r(1U, 1U, 1U)), unsigned> &&
              std::is_same_v<decltype(__funnelshift_rc(1U, 1U, 1U)), unsigned> &&
              std::is_same_v<decltype(__umulhi(1U, 1U)), unsigned> &&
              std::is_same_v<decltype(__mulhi(1, 1)), int> &&
              std::is_same_v<decltype(__umul64hi(1ULL, 1ULL)), unsigned long long> &&
              std::is_same_v<decltype(__mul64hi(1LL, 1LL)), long long> &&
              std::is_same_v<decltype(min(1, 1U)), unsigned> &&
              std::is_same_v<decltype(max(1L, 1UL)), unsigned long>);

// Votes and barriers. nvcc declares some of them in its pass for the device only.
#if !defined(__CUDACC__) || defined(__CUDA_ARCH__)
static_assert(std::is_same_v<decltype(__ballot_sync(1U, 1)), unsigned> &&
              std::is_same_v<decltype(__any_sync(1U, 1)), int> &&
              std::is_same_v<decltype(__all_sync(1U, 1)), int> &&
              std::is_same_v<decltype(__activemask()), unsigned> &&
              std::is_same_v<decltype(__syncthreads_count(1)), int> &&
              std::is_same_v<decltype(__syncthreads_and(1)), int> &&
              std::is_same_v<decltype(__syncthreads_or(1)), int> &&
              std::is_void_v<decltype(__syncthreads())> && std::is_void_v<decltype(__syncwarp())> &&
              std::is_void_v<decltype(__syncwarp(1U))> &&
              std::is_void_v<decltype(__threadfence())> &&
              std::is_void_v<decltype(__threadfence_block())>);

#endif

// Sizes and alignments of vectors.
static_assert(sizeof(uint2) == 8 && alignof(uint2) == 8 && sizeof(uint3) == 12 &&
              alignof(uint3) == 4 && sizeof(uint4) == 16 && alignof(uint4) == 16 &&
              sizeof(ulonglong2) == 16 && alignof(ulonglong2) == 16 && alignof(uchar4) == 4 &&
              alignof(ushort4) == 8 && alignof(short2) == 4 && sizeof(dim3) == 12 &&
              std::is_same_v<decltype(make_uint4(1, 2, 3, 4)), uint4>);

// NOLINTEND(bugprone-macro-parentheses,misc-redundant-expression)

}  // namespace furrow::simt::overloads
