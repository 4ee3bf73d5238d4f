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

/// One quarter round whose message words are added by `add_x` and `add_y`.
template <class AddX, class AddY>
HWY_INLINE void quarter_round(VLanes32& a, VLanes32& b, VLanes32& c, VLanes32& d, const AddX& add_x,
                              const AddY& add_y) {
  a = add_x(hn::Add(a, b));
  d = rotate_bytes_right<2>(hn::Xor(d, a));
  c = hn::Add(c, d);
  b = hn::RotateRight<12>(hn::Xor(b, c));
  a = add_y(hn::Add(a, b));
  d = rotate_bytes_right<1>(hn::Xor(d, a));
  c = hn::Add(c, d);
  b = hn::RotateRight<7>(hn::Xor(b, c));
}

/// Quarter round `kPlace` (0 to 3 columns, 4 to 7 diagonals) of round `kRound`. `message` holds
/// kWords rows of one vector each; the other words are zero and cost nothing.
template <unsigned kRound, unsigned kPlace, unsigned kWords>
HWY_INLINE void quarter_round_at(VLanes32 (&v)[16], const std::uint32_t* HWY_RESTRICT message) {
  constexpr unsigned kColumn = kPlace % 4;
  constexpr unsigned kShift = kPlace / 4;
  const auto add_word = [&]<unsigned kWhich>(VLanes32 sum) HWY_ATTR {
    constexpr unsigned kWord = b3::message_index(kRound, 2 * kPlace + kWhich);
    if constexpr (kWord < kWords) {
      const Lanes32 d;
      return hn::Add(sum, hn::Load(d, message + kWord * hn::Lanes(d)));
    } else {
      return sum;
    }
  };
  quarter_round(
      v[kColumn], v[4 + (kColumn + kShift) % 4], v[8 + (kColumn + 2 * kShift) % 4],
      v[12 + (kColumn + 3 * kShift) % 4],
      [&](VLanes32 sum) HWY_ATTR { return add_word.template operator()<0>(sum); },
      [&](VLanes32 sum) HWY_ATTR { return add_word.template operator()<1>(sum); });
}

template <unsigned kRound, unsigned kWords, unsigned... kPlaces>
HWY_INLINE void quarter_rounds_at(VLanes32 (&v)[16], const std::uint32_t* HWY_RESTRICT message,
                                  std::integer_sequence<unsigned, kPlaces...> /*places*/) {
  (quarter_round_at<kRound, kPlaces, kWords>(v, message), ...);
}

template <unsigned kRound, unsigned kWords>
HWY_INLINE void round_at(VLanes32 (&v)[16], const std::uint32_t* HWY_RESTRICT message) {
  quarter_rounds_at<kRound, kWords>(v, message, std::make_integer_sequence<unsigned, 8>());
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
  quarter_round_at<0, 0, kWords>(v, message);
  quarter_round_at<0, 1, kWords>(v, message);
  if constexpr (kWords > 4) {
    quarter_round_at<0, 2, kWords>(v, message);
  }
  quarter_rounds_at<0, kWords>(v, message, std::integer_sequence<unsigned, 4, 5, 6, 7>());
}

/// Plain hashes of messages of `length` bytes, at most 24, one in each lane: `message` holds kWords
/// rows, and the first kOutWords words of the hashes go to `hash`. Only what these words need is
/// computed.
template <unsigned kWords, unsigned kOutWords>
HWY_NOINLINE void hash_short(const std::uint32_t* HWY_RESTRICT message, std::uint32_t length,
                             std::uint32_t* HWY_RESTRICT hash) {
  const Lanes32 d;
  VLanes32 v[16];
  first_short_round<kWords>(v, message, length);
  round_at<1, kWords>(v, message);
  round_at<2, kWords>(v, message);
  round_at<3, kWords>(v, message);
  round_at<4, kWords>(v, message);
  round_at<5, kWords>(v, message);
  round_at<6, kWords>(v, message);
  for (unsigned i = 0; i < kOutWords; ++i) {
    hn::Store(hn::Xor(v[i], v[8 + i]), d, hash + i * hn::Lanes(d));
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
