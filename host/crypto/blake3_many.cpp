// SPDX-License-Identifier: Apache-2.0
// The SIMD form keeps one input in each 32-bit lane, so every step of the compression function is
// one vector instruction for all of them. Compiled once for each target by foreach_target.h.

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "host/crypto/blake3_many.cpp"
#include "host/crypto/blake3_many.hpp"

#include <algorithm>
#include <array>
#include <cstring>

#include <hwy/foreach_target.h>  // must come first
#include <hwy/highway.h>

#include "furrow/core/blake3.hpp"

#include "host/crypto/blake3_lanes-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace furrow::HWY_NAMESPACE {

using D32 = Lanes32;
using V32 = VLanes32;

HWY_INLINE void start_state(D32 d, V32 (&v)[16], V32 counter_low, V32 counter_high,
                            std::uint32_t block_length, std::uint32_t flags) {
  for (int i = 0; i < 4; ++i) {
    v[8 + i] = hn::Set(d, b3::kIv[i]);
  }
  v[12] = counter_low;
  v[13] = counter_high;
  v[14] = hn::Set(d, block_length);
  v[15] = hn::Set(d, flags);
}

#if HWY_TARGET != HWY_SCALAR

/// Block i of the vector is the 16 bytes at bytes + i * stride.
template <class D>
HWY_INLINE hn::Vec<D> load_16_byte_blocks(D d, const std::uint8_t* bytes, std::size_t stride) {
  if constexpr (hn::MaxLanes(D()) == 4) {
    const hn::Repartition<std::uint8_t, D> d8;
    return hn::BitCast(d, hn::LoadU(d8, bytes));
  } else {
    const hn::Half<D> half;
    const std::size_t n_lower = hn::Lanes(half) / 4;
    return hn::Combine(d, load_16_byte_blocks(half, bytes + n_lower * stride, stride),
                       load_16_byte_blocks(half, bytes, stride));
  }
}

/// Four words of each input, from `bytes` on, to four rows.
HWY_INLINE void load_four_words(const std::uint8_t* bytes, std::size_t stride,
                                std::uint32_t* HWY_RESTRICT rows) {
  const D32 d;
  const std::size_t lanes = hn::Lanes(d);
  const V32 a = load_16_byte_blocks(d, bytes, 4 * stride);  // inputs 0, 4, ...
  const V32 b = load_16_byte_blocks(d, bytes + stride, 4 * stride);
  const V32 c = load_16_byte_blocks(d, bytes + 2 * stride, 4 * stride);
  const V32 e = load_16_byte_blocks(d, bytes + 3 * stride, 4 * stride);
  const V32 low_even = hn::InterleaveLower(d, a, c);
  const V32 low_odd = hn::InterleaveLower(d, b, e);
  const V32 high_even = hn::InterleaveUpper(d, a, c);
  const V32 high_odd = hn::InterleaveUpper(d, b, e);
  hn::Store(hn::InterleaveLower(d, low_even, low_odd), d, rows);
  hn::Store(hn::InterleaveUpper(d, low_even, low_odd), d, rows + lanes);
  hn::Store(hn::InterleaveLower(d, high_even, high_odd), d, rows + 2 * lanes);
  hn::Store(hn::InterleaveUpper(d, high_even, high_odd), d, rows + 3 * lanes);
}

#endif  // HWY_TARGET != HWY_SCALAR

/// One block of `length` bytes of each input to 16 rows, zero behind its end.
HWY_INLINE void load_block(const std::uint8_t* bytes, std::size_t stride, std::uint32_t length,
                           std::uint32_t* HWY_RESTRICT message) {
  const D32 d;
  const std::size_t lanes = hn::Lanes(d);
#if HWY_TARGET != HWY_SCALAR
  if (length % 16 == 0) {
    std::size_t word = 0;
    for (; 4 * word < length; word += 4) {
      load_four_words(bytes + 4 * word, stride, message + word * lanes);
    }
    for (; word < 16; ++word) {
      hn::Store(hn::Zero(d), d, message + word * lanes);
    }
    return;
  }
#endif
  for (std::size_t lane = 0; lane < lanes; ++lane) {
    std::uint32_t words[16] = {};
    std::memcpy(words, bytes + lane * stride, length);
    for (std::size_t w = 0; w < 16; ++w) {
      message[w * lanes + lane] = words[w];
    }
  }
}

/// How far ahead of a block the rest of its input is asked for: as many streams as there are lanes
/// are more than the processor follows by itself.
constexpr std::size_t kPrefetchBytes = 256;

/// Hashes one vector full of inputs.
HWY_INLINE void batch_vector(D32 d, const detail::Blake3Batch& batch, const std::uint8_t* inputs,
                             std::uint64_t first_counter, std::uint8_t* out) {
  const std::size_t lanes = hn::Lanes(d);
  HWY_ALIGN std::uint32_t low[kMaxLanes];
  HWY_ALIGN std::uint32_t high[kMaxLanes];
  for (std::size_t lane = 0; lane < lanes; ++lane) {
    const std::uint64_t counter = first_counter + (batch.increment_counter ? lane : 0);
    low[lane] = static_cast<std::uint32_t>(counter);
    high[lane] = static_cast<std::uint32_t>(counter >> 32);
  }
  HWY_ALIGN std::uint32_t message[16 * kMaxLanes];
  V32 v[16];
  for (int j = 0; j < 8; ++j) {
    v[j] = hn::Set(d, batch.key[j]);
  }
  for (std::size_t block = 0; block < batch.n_blocks; ++block) {
    const bool is_last = block + 1 == batch.n_blocks;
    const std::uint32_t length = is_last ? batch.last_block_length : 64;
    for (std::size_t lane = 0; lane < lanes; ++lane) {
      __builtin_prefetch(inputs + lane * batch.input_stride + 64 * block + kPrefetchBytes);
    }
    load_block(inputs + 64 * block, batch.input_stride, length, message);
    start_state(
        d, v, hn::Load(d, low), hn::Load(d, high), length,
        batch.flags | (block == 0 ? batch.flags_start : 0) | (is_last ? batch.flags_end : 0));
    compress_lanes(v, message);
  }
  HWY_ALIGN std::uint32_t words[8 * kMaxLanes];
  for (std::size_t j = 0; j < 8; ++j) {
    hn::Store(v[j], d, words + j * lanes);
  }
  for (std::size_t lane = 0; lane < lanes; ++lane) {
    for (std::size_t j = 0; j < 8; ++j) {
      core::store_le32(out + 32 * lane + 4 * j, words[j * lanes + lane]);
    }
  }
}

/// Returns how many inputs were hashed: whole vectors, to the end of a padded batch.
std::size_t BatchSimd(const detail::Blake3Batch& batch, std::size_t count) {
  const D32 d;
  const std::size_t lanes = hn::Lanes(d);
  const std::size_t end = batch.padded ? count : count / lanes * lanes;
  std::size_t i = 0;
  for (; i < end; i += lanes) {
    batch_vector(d, batch, batch.inputs + i * batch.input_stride,
                 batch.counter + (batch.increment_counter ? i : 0), batch.out + 32 * i);
  }
  return i;
}

}  // namespace furrow::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace furrow {

HWY_EXPORT(BatchSimd);

namespace {

void batch_scalar(const detail::Blake3Batch& batch, std::size_t first, std::size_t count) {
  for (std::size_t i = first; i < count; ++i) {
    std::array<std::uint32_t, 16> state{};
    std::copy_n(batch.key, 8, state.begin());
    for (std::size_t block = 0; block < batch.n_blocks; ++block) {
      const bool is_last = block + 1 == batch.n_blocks;
      const std::uint32_t length = is_last ? batch.last_block_length : 64;
      std::array<std::uint8_t, 64> bytes{};
      std::memcpy(bytes.data(), batch.inputs + i * batch.input_stride + 64 * block, length);
      std::array<std::uint32_t, 16> message{};
      for (std::size_t w = 0; w < 16; ++w) {
        message[w] = core::load_le32(bytes.data() + 4 * w);
      }
      std::array<std::uint32_t, 8> value{};
      std::copy_n(state.begin(), 8, value.begin());
      core::blake3::compress(
          value.data(), message.data(), batch.counter + (batch.increment_counter ? i : 0), length,
          batch.flags | (block == 0 ? batch.flags_start : 0) | (is_last ? batch.flags_end : 0),
          state.data());
    }
    for (std::size_t w = 0; w < 8; ++w) {
      core::store_le32(batch.out + 32 * i + 4 * w, state[w]);
    }
  }
}

void many(SimdMode mode, const std::uint32_t* key, std::uint32_t flags,
          std::span<const std::uint8_t> messages, std::size_t length, std::size_t stride,
          std::span<Hash> out) {
  const std::size_t n_blocks = (length + 63) / 64;
  const detail::Blake3Batch batch{
      .inputs = messages.data(),
      .input_stride = stride,
      .n_blocks = n_blocks,
      .last_block_length = static_cast<std::uint32_t>(length - 64 * (n_blocks - 1)),
      .key = key,
      .counter = 0,
      .increment_counter = false,
      .flags = flags,
      .flags_start = core::blake3::kChunkStart,
      .flags_end = core::blake3::kChunkEnd | core::blake3::kRoot,
      .out = reinterpret_cast<std::uint8_t*>(out.data())};
  detail::blake3_batch(mode, batch, out.size());
}

}  // namespace

void detail::blake3_batch(SimdMode mode, const Blake3Batch& batch, std::size_t count) {
  const std::size_t done = uses_scalar(mode) ? 0 : HWY_DYNAMIC_DISPATCH(BatchSimd)(batch, count);
  batch_scalar(batch, done, count);
}

void blake3_many(SimdMode mode, std::span<const std::uint8_t> messages, std::size_t length,
                 std::span<Hash> out) {
  many(mode, core::blake3::kIv, 0, messages, length, length, out);
}

void blake3_many_strided(SimdMode mode, std::span<const std::uint8_t> messages, std::size_t length,
                         std::size_t stride, std::span<Hash> out) {
  many(mode, core::blake3::kIv, 0, messages, length, stride, out);
}

void blake3_many_keyed(SimdMode mode, const Hash& key, std::span<const std::uint8_t> messages,
                       std::size_t length, std::span<Hash> out) {
  std::array<std::uint32_t, 8> words{};
  for (std::size_t i = 0; i < 8; ++i) {
    words[i] = core::load_le32(key.data() + 4 * i);
  }
  many(mode, words.data(), core::blake3::kKeyedHash, messages, length, length, out);
}

}  // namespace furrow
#endif  // HWY_ONCE
