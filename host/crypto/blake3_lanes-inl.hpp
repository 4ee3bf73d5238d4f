// SPDX-License-Identifier: Apache-2.0
// BLAKE3 compression of one input in each 32-bit lane (docs/spec/01-primitives.md, section 5).
// Every step is one vector instruction for all of them. Included once for each target by
// foreach_target.h.
#if defined(FURROW_BLAKE3_LANES_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef FURROW_BLAKE3_LANES_INL
#undef FURROW_BLAKE3_LANES_INL
#else
#define FURROW_BLAKE3_LANES_INL
#endif

#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>

#include <hwy/highway.h>

#include "furrow/core/blake3.hpp"

#include "host/crypto/blake3_many.hpp"

HWY_BEFORE_NAMESPACE();
namespace furrow::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;
namespace b3 = core::blake3;

using Lanes32 = hn::CappedTag<std::uint32_t, kMaxLanes>;
using VLanes32 = hn::Vec<Lanes32>;

template <int kBytes>
HWY_INLINE VLanes32 rotate_bytes_right(VLanes32 v) {
#if HWY_TARGET <= HWY_AVX3 || HWY_TARGET == HWY_SCALAR
  return hn::RotateRight<8 * kBytes>(v);
#else
  const hn::Repartition<std::uint8_t, Lanes32> d8;
  alignas(16) static constexpr std::uint8_t kBy2[16] = {2,  3,  0, 1, 6,  7,  4,  5,
                                                        10, 11, 8, 9, 14, 15, 12, 13};
  alignas(16) static constexpr std::uint8_t kBy1[16] = {1, 2,  3,  0, 5,  6,  7,  4,
                                                        9, 10, 11, 8, 13, 14, 15, 12};
  const auto order = hn::LoadDup128(d8, kBytes == 2 ? kBy2 : kBy1);
  return hn::BitCast(Lanes32(), hn::TableLookupBytes(hn::BitCast(d8, v), order));
#endif
}

/// Adds message word `kWord` to a lane of the state; words from kWords on are zero and cost
/// nothing.
template <unsigned kWord, unsigned kWords>
HWY_INLINE VLanes32 add_word(VLanes32 sum, const std::uint32_t* HWY_RESTRICT message) {
  if constexpr (kWord < kWords) {
    const Lanes32 d;
    return hn::Add(sum, hn::Load(d, message + kWord * hn::Lanes(d)));
  } else {
    return sum;
  }
}

/// The four columns (kHalf = 0) or diagonals (1) of round `kRound`, of which `kPlaces` are
/// computed. Each step is written for all of them before the next one, since a step waits for the
/// one before. `message` holds kWords rows of one vector each.
template <unsigned kRound, unsigned kHalf, unsigned kWords, unsigned... kPlaces>
HWY_INLINE void half_round(VLanes32 (&v)[16], const std::uint32_t* HWY_RESTRICT message,
                           std::integer_sequence<unsigned, kPlaces...> /*places*/) {
  const auto a = [&](unsigned i) HWY_ATTR -> VLanes32& { return v[i]; };
  const auto b = [&](unsigned i) HWY_ATTR -> VLanes32& { return v[4 + (i + kHalf) % 4]; };
  const auto c = [&](unsigned i) HWY_ATTR -> VLanes32& { return v[8 + (i + 2 * kHalf) % 4]; };
  const auto d = [&](unsigned i) HWY_ATTR -> VLanes32& { return v[12 + (i + 3 * kHalf) % 4]; };
  ((a(kPlaces) = hn::Add(
        add_word<b3::message_index(kRound, 8 * kHalf + 2 * kPlaces), kWords>(a(kPlaces), message),
        b(kPlaces))),
   ...);
  ((d(kPlaces) = rotate_bytes_right<2>(hn::Xor(d(kPlaces), a(kPlaces)))), ...);
  ((c(kPlaces) = hn::Add(c(kPlaces), d(kPlaces))), ...);
  ((b(kPlaces) = hn::RotateRight<12>(hn::Xor(b(kPlaces), c(kPlaces)))), ...);
  ((a(kPlaces) = hn::Add(add_word<b3::message_index(kRound, 8 * kHalf + 2 * kPlaces + 1), kWords>(
                             a(kPlaces), message),
                         b(kPlaces))),
   ...);
  ((d(kPlaces) = rotate_bytes_right<1>(hn::Xor(d(kPlaces), a(kPlaces)))), ...);
  ((c(kPlaces) = hn::Add(c(kPlaces), d(kPlaces))), ...);
  ((b(kPlaces) = hn::RotateRight<7>(hn::Xor(b(kPlaces), c(kPlaces)))), ...);
}

template <unsigned kRound, unsigned kWords>
HWY_INLINE void round_at(VLanes32 (&v)[16], const std::uint32_t* HWY_RESTRICT message) {
  using All = std::make_integer_sequence<unsigned, 4>;
  half_round<kRound, 0, kWords>(v, message, All());
  half_round<kRound, 1, kWords>(v, message, All());
}

/// The first round of a single root block of fewer than seven words from the initial value. Columns
/// 2 and 3 see no message word, or only word 4 and 5, and are computed once for all lanes.
template <unsigned kWords>
HWY_INLINE void first_short_round(VLanes32 (&v)[16], const std::uint32_t* HWY_RESTRICT message,
                                  std::uint32_t length) {
  static_assert(kWords <= 6);
  const Lanes32 d;
  std::array<std::uint32_t, 16> state = {};
  for (unsigned i = 0; i < 8; ++i) {
    state[i] = b3::kIv[i];
  }
  for (unsigned i = 0; i < 4; ++i) {
    state[8 + i] = b3::kIv[i];
  }
  state[14] = length;
  state[15] = b3::kChunkStart | b3::kChunkEnd | b3::kRoot;
  if constexpr (kWords <= 4) {
    b3::quarter_round(state.data(), 2, 6, 10, 14, 0, 0);
  }
  b3::quarter_round(state.data(), 3, 7, 11, 15, 0, 0);
  for (unsigned i = 0; i < 16; ++i) {
    v[i] = hn::Set(d, state[i]);
  }
  constexpr unsigned kColumns = kWords > 4 ? 3 : 2;
  half_round<0, 0, kWords>(v, message, std::make_integer_sequence<unsigned, kColumns>());
  half_round<0, 1, kWords>(v, message, std::make_integer_sequence<unsigned, 4>());
}

/// Vectors that hash_short takes at a time. Steps of three independent states fill the gaps that
/// each leaves while it waits for its last result; with 32 registers one state runs well by itself.
inline constexpr std::size_t kShortVectors = HWY_TARGET <= HWY_AVX3 ? 2 : 3;

/// The loops must stay loops: unrolled, GCC mixes the states and spills far more than it gains.
template <unsigned kRound, unsigned kWords>
HWY_INLINE void short_round_at(VLanes32 (&v)[kShortVectors][16],
                               const std::uint32_t* HWY_RESTRICT message) {
  using All = std::make_integer_sequence<unsigned, 4>;
  const std::size_t n = kWords * hn::Lanes(Lanes32());
#pragma GCC unroll 1
  for (std::size_t i = 0; i < kShortVectors; ++i) {
    half_round<kRound, 0, kWords>(v[i], message + i * n, All());
  }
#pragma GCC unroll 1
  for (std::size_t i = 0; i < kShortVectors; ++i) {
    half_round<kRound, 1, kWords>(v[i], message + i * n, All());
  }
}

/// Plain hashes of messages of `length` bytes, at most 24, one in each lane of kShortVectors
/// vectors. `message` holds kWords rows for the first vector, then those of the next; the first
/// kOutWords words of the hashes go to `hash` in the same form. Only what these words need is
/// computed.
template <unsigned kWords, unsigned kOutWords>
HWY_NOINLINE void hash_short(const std::uint32_t* HWY_RESTRICT message, std::uint32_t length,
                             std::uint32_t* HWY_RESTRICT hash) {
  const Lanes32 d;
  const std::size_t n = hn::Lanes(d);
  VLanes32 v[kShortVectors][16];
#pragma GCC unroll 1
  for (std::size_t i = 0; i < kShortVectors; ++i) {
    first_short_round<kWords>(v[i], message + i * kWords * n, length);
  }
  short_round_at<1, kWords>(v, message);
  short_round_at<2, kWords>(v, message);
  short_round_at<3, kWords>(v, message);
  short_round_at<4, kWords>(v, message);
  short_round_at<5, kWords>(v, message);
  short_round_at<6, kWords>(v, message);
#pragma GCC unroll 1
  for (std::size_t i = 0; i < kShortVectors; ++i) {
    for (unsigned w = 0; w < kOutWords; ++w) {
      hn::Store(hn::Xor(v[i][w], v[i][8 + w]), d, hash + (i * kOutWords + w) * n);
    }
  }
}

/// The compression function: v[0..7] enter as chaining values and leave as the new ones, v[8..15]
/// are set. `message` holds 16 rows.
HWY_INLINE void compress_lanes(VLanes32 (&v)[16], const std::uint32_t* HWY_RESTRICT message) {
  round_at<0, 16>(v, message);
  round_at<1, 16>(v, message);
  round_at<2, 16>(v, message);
  round_at<3, 16>(v, message);
  round_at<4, 16>(v, message);
  round_at<5, 16>(v, message);
  round_at<6, 16>(v, message);
  for (unsigned i = 0; i < 8; ++i) {
    v[i] = hn::Xor(v[i], v[8 + i]);
  }
}

}  // namespace furrow::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // include guard
