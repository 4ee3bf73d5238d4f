// SPDX-License-Identifier: Apache-2.0
// The SIMD form keeps one block in each 32-bit lane. Compiled once for each target by
// foreach_target.h.

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "host/crypto/chacha8.cpp"
#include "host/crypto/chacha8.hpp"

#include <algorithm>
#include <array>
#include <cstring>

#include <hwy/foreach_target.h>  // must come first
#include <hwy/highway.h>

#include "furrow/core/chacha8.hpp"

HWY_BEFORE_NAMESPACE();
namespace furrow::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using ChaChaLanes = hn::CappedTag<std::uint32_t, 16>;
using VChaCha = hn::Vec<ChaChaLanes>;

HWY_INLINE void chacha_quarter_round(VChaCha& a, VChaCha& b, VChaCha& c, VChaCha& d) {
  a = hn::Add(a, b);
  d = hn::RotateRight<16>(hn::Xor(d, a));
  c = hn::Add(c, d);
  b = hn::RotateRight<20>(hn::Xor(b, c));
  a = hn::Add(a, b);
  d = hn::RotateRight<24>(hn::Xor(d, a));
  c = hn::Add(c, d);
  b = hn::RotateRight<25>(hn::Xor(b, c));
}

/// One vector full of blocks.
HWY_INLINE void chacha_vector(const std::uint32_t* initial, std::uint32_t counter,
                              std::uint8_t* out) {
  const ChaChaLanes d;
  VChaCha v[16];
  for (unsigned i = 0; i < 16; ++i) {
    v[i] = hn::Set(d, initial[i]);
  }
  const VChaCha counters = hn::Iota(d, counter);
  v[12] = counters;
  for (unsigned double_round = 0; double_round < 4; ++double_round) {
    for (unsigned i = 0; i < 4; ++i) {
      chacha_quarter_round(v[i], v[4 + i], v[8 + i], v[12 + i]);
    }
    for (unsigned i = 0; i < 4; ++i) {
      chacha_quarter_round(v[i], v[4 + (i + 1) % 4], v[8 + (i + 2) % 4], v[12 + (i + 3) % 4]);
    }
  }
  HWY_ALIGN std::uint32_t quarter[4 * 16];  // four words of each block
  for (unsigned i = 0; i < 16; i += 4) {
    for (unsigned j = i; j < i + 4; ++j) {
      v[j] = hn::Add(v[j], j == 12 ? counters : hn::Set(d, initial[j]));
    }
    hn::StoreInterleaved4(v[i], v[i + 1], v[i + 2], v[i + 3], d, quarter);
    for (std::size_t lane = 0; lane < hn::Lanes(d); ++lane) {
      std::memcpy(out + core::chacha8::kBlockSize * lane + 4 * i, quarter + 4 * lane, 16);
    }
  }
}

/// Returns how many blocks were written: a multiple of the vector length.
std::size_t ChaChaBlocks(const std::uint32_t* initial, std::uint32_t first, std::size_t n_blocks,
                         std::uint8_t* out) {
  const std::size_t lanes = hn::Lanes(ChaChaLanes());
  std::size_t i = 0;
  for (; i + lanes <= n_blocks; i += lanes) {
    chacha_vector(initial, first + static_cast<std::uint32_t>(i),
                  out + core::chacha8::kBlockSize * i);
  }
  return i;
}

}  // namespace furrow::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace furrow {

HWY_EXPORT(ChaChaBlocks);

namespace {

void block_to(const std::uint32_t* key, std::uint32_t counter, std::uint8_t* out) {
  std::array<std::uint32_t, 16> words{};
  core::chacha8::keystream_block(key, counter, words.data());
  for (std::size_t i = 0; i < words.size(); ++i) {
    core::store_le32(out + 4 * i, words[i]);
  }
}

}  // namespace

void chacha8_blocks(SimdMode mode, std::span<const std::uint8_t, 32> key, std::uint32_t first,
                    std::size_t n_blocks, std::uint8_t* out) {
  std::array<std::uint32_t, 16> initial = {0x61707865, 0x3320646E, 0x79622D32, 0x6B206574};
  for (std::size_t i = 0; i < 8; ++i) {
    initial[4 + i] = core::load_le32(key.data() + 4 * i);
  }
  const std::size_t done =
      uses_scalar(mode) ? 0
                        : HWY_DYNAMIC_DISPATCH(ChaChaBlocks)(initial.data(), first, n_blocks, out);
  for (std::size_t i = done; i < n_blocks; ++i) {
    block_to(initial.data() + 4, first + static_cast<std::uint32_t>(i),
             out + core::chacha8::kBlockSize * i);
  }
}

void chacha8_keystream(std::span<const std::uint8_t, 32> key, std::span<std::uint8_t> out) {
  const std::size_t n_blocks = out.size() / core::chacha8::kBlockSize;
  chacha8_blocks(SimdMode::kBest, key, 0, n_blocks, out.data());
  const std::span<std::uint8_t> rest = out.subspan(n_blocks * core::chacha8::kBlockSize);
  if (!rest.empty()) {
    std::array<std::uint8_t, core::chacha8::kBlockSize> block{};
    chacha8_blocks(SimdMode::kScalar, key, static_cast<std::uint32_t>(n_blocks), 1, block.data());
    std::memcpy(rest.data(), block.data(), rest.size());
  }
}

}  // namespace furrow
#endif  // HWY_ONCE
