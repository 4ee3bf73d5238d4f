#include "blake3_reference.hpp"

#include <algorithm>
#include <cstddef>

namespace furrow::reference {
namespace {

using Words8 = std::array<std::uint32_t, 8>;
using Words16 = std::array<std::uint32_t, 16>;

constexpr Words8 kInitial = {0x6A09E667, 0xBB67AE85, 0x3C6EF372, 0xA54FF53A,
                             0x510E527F, 0x9B05688C, 0x1F83D9AB, 0x5BE0CD19};
constexpr std::array<std::size_t, 16> kPermutation = {2, 6,  3,  10, 7, 0,  4,  13,
                                                      1, 11, 12, 5,  9, 14, 15, 8};
constexpr std::uint32_t kChunkStart = 1;
constexpr std::uint32_t kChunkEnd = 2;
constexpr std::uint32_t kParent = 4;
constexpr std::uint32_t kRoot = 8;

std::uint32_t rotated(std::uint32_t word, unsigned bits) {
  return word >> bits | word << (32 - bits);
}

void mix(Words16& v, std::size_t a, std::size_t b, std::size_t c, std::size_t d, std::uint32_t x,
         std::uint32_t y) {
  v[a] += v[b] + x;
  v[d] = rotated(v[d] ^ v[a], 16);
  v[c] += v[d];
  v[b] = rotated(v[b] ^ v[c], 12);
  v[a] += v[b] + y;
  v[d] = rotated(v[d] ^ v[a], 8);
  v[c] += v[d];
  v[b] = rotated(v[b] ^ v[c], 7);
}

Words8 compressed(const Words8& value, Words16 message, std::uint64_t counter, std::size_t length,
                  std::uint32_t flags) {
  Words16 v{};
  std::copy(value.begin(), value.end(), v.begin());
  std::copy_n(kInitial.begin(), 4, v.begin() + 8);
  v[12] = static_cast<std::uint32_t>(counter);
  v[13] = static_cast<std::uint32_t>(counter >> 32);
  v[14] = static_cast<std::uint32_t>(length);
  v[15] = flags;
  for (int round = 0; round < 7; ++round) {
    for (std::size_t i = 0; i < 4; ++i) {
      mix(v, i, 4 + i, 8 + i, 12 + i, message[2 * i], message[2 * i + 1]);
    }
    for (std::size_t i = 0; i < 4; ++i) {
      mix(v, i, 4 + (i + 1) % 4, 8 + (i + 2) % 4, 12 + (i + 3) % 4, message[8 + 2 * i],
          message[9 + 2 * i]);
    }
    Words16 permuted;
    for (std::size_t i = 0; i < 16; ++i) {
      permuted[i] = message[kPermutation[i]];
    }
    message = permuted;
  }
  Words8 out;
  for (std::size_t i = 0; i < 8; ++i) {
    out[i] = v[i] ^ v[8 + i];
  }
  return out;
}

/// Bytes first .. end - 1 of the message, at most 64, as words, zero behind them.
Words16 block_words(const std::vector<std::uint8_t>& message, std::size_t first, std::size_t end) {
  Words16 words{};
  for (std::size_t i = first; i < end; ++i) {
    words[(i - first) / 4] |= static_cast<std::uint32_t>(message[i]) << (8 * ((i - first) % 4));
  }
  return words;
}

/// Chaining value of the tree over bytes first .. end - 1; `root` is the flag of a root, or 0.
Words8 tree(const std::vector<std::uint8_t>& message, std::size_t first, std::size_t end,
            std::uint32_t root) {
  if (end - first <= 1024) {
    Words8 value = kInitial;
    std::size_t block = first;
    do {
      const std::size_t block_end = std::min(block + 64, end);
      const std::uint32_t start = block == first ? kChunkStart : 0;
      const std::uint32_t last = block_end == end ? kChunkEnd | root : 0;
      value = compressed(value, block_words(message, block, block_end), first / 1024,
                         block_end - block, start | last);
      block = block_end;
    } while (block < end);
    return value;
  }
  std::size_t left = 1024;  // the largest power of two that leaves something for the right side
  while (2 * left < end - first) {
    left *= 2;
  }
  const Words8 left_value = tree(message, first, first + left, 0);
  const Words8 right_value = tree(message, first + left, end, 0);
  Words16 both;
  std::copy(left_value.begin(), left_value.end(), both.begin());
  std::copy(right_value.begin(), right_value.end(), both.begin() + 8);
  return compressed(kInitial, both, 0, 64, kParent | root);
}

}  // namespace

std::array<std::uint8_t, 32> blake3(const std::vector<std::uint8_t>& message) {
  const Words8 root = tree(message, 0, message.size(), kRoot);
  std::array<std::uint8_t, 32> out;
  for (std::size_t i = 0; i < 32; ++i) {
    out[i] = static_cast<std::uint8_t>(root[i / 4] >> (8 * (i % 4)));
  }
  return out;
}

}  // namespace furrow::reference
