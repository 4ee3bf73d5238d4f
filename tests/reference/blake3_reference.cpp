// SPDX-License-Identifier: Apache-2.0
#include "blake3_reference.hpp"

#include <algorithm>
#include <cstddef>

namespace furrow::reference {
namespace {

using Words = std::vector<std::uint32_t>;

constexpr std::size_t kChunk = 1024;
constexpr std::size_t kBlock = 64;
constexpr std::uint32_t kChunkStart = 1;
constexpr std::uint32_t kChunkEnd = 2;
constexpr std::uint32_t kParent = 4;
constexpr std::uint32_t kRoot = 8;
constexpr std::uint32_t kKeyedHash = 16;

const Words kInitial = {0x6A09E667, 0xBB67AE85, 0x3C6EF372, 0xA54FF53A,
                        0x510E527F, 0x9B05688C, 0x1F83D9AB, 0x5BE0CD19};

std::uint32_t rotate_right(std::uint32_t value, unsigned count) {
  return (value >> count) | (value << (32 - count));
}

/// The eight words of the new chaining value.
Words compress(const Words& chaining, Words message, std::uint64_t counter, std::size_t length,
               std::uint32_t flags) {
  Words v = chaining;
  v.insert(v.end(), kInitial.begin(), kInitial.begin() + 4);
  v.insert(v.end(), {static_cast<std::uint32_t>(counter), static_cast<std::uint32_t>(counter >> 32),
                     static_cast<std::uint32_t>(length), flags});
  const auto mix = [&](std::size_t a, std::size_t b, std::size_t c, std::size_t d, std::uint32_t x,
                       std::uint32_t y) {
    v[a] += v[b] + x;
    v[d] = rotate_right(v[d] ^ v[a], 16);
    v[c] += v[d];
    v[b] = rotate_right(v[b] ^ v[c], 12);
    v[a] += v[b] + y;
    v[d] = rotate_right(v[d] ^ v[a], 8);
    v[c] += v[d];
    v[b] = rotate_right(v[b] ^ v[c], 7);
  };
  for (int round = 0; round < 7; ++round) {
    for (std::size_t i = 0; i < 4; ++i) {
      mix(i, 4 + i, 8 + i, 12 + i, message[2 * i], message[2 * i + 1]);
    }
    for (std::size_t i = 0; i < 4; ++i) {
      mix(i, 4 + (i + 1) % 4, 8 + (i + 2) % 4, 12 + (i + 3) % 4, message[8 + 2 * i],
          message[9 + 2 * i]);
    }
    // The message words change places between rounds.
    static constexpr std::size_t kPermutation[16] = {2, 6,  3,  10, 7, 0,  4,  13,
                                                     1, 11, 12, 5,  9, 14, 15, 8};
    Words permuted;
    for (const std::size_t from : kPermutation) {
      permuted.push_back(message[from]);
    }
    message = permuted;
  }
  Words result;
  for (std::size_t i = 0; i < 8; ++i) {
    result.push_back(v[i] ^ v[8 + i]);
  }
  return result;
}

/// A message, and what all nodes of its tree have in common.
struct Tree {
  const std::vector<std::uint8_t>& message;
  Words key;
  std::uint32_t flags;

  [[nodiscard]] std::uint32_t byte(std::size_t at) const {
    return at < message.size() ? message[at] : 0;
  }

  /// Chaining value of the chunk that begins at `first`.
  [[nodiscard]] Words chunk(std::size_t first, std::size_t size, std::uint32_t root) const {
    const std::size_t n_blocks = std::max<std::size_t>(1, (size + kBlock - 1) / kBlock);
    Words chaining = key;
    for (std::size_t block = 0; block < n_blocks; ++block) {
      Words words;
      for (std::size_t i = 0; i < 16; ++i) {
        const std::size_t at = first + kBlock * block + 4 * i;
        words.push_back(byte(at) | byte(at + 1) << 8 | byte(at + 2) << 16 | byte(at + 3) << 24);
      }
      const bool is_last = block + 1 == n_blocks;
      chaining =
          compress(chaining, words, first / kChunk, is_last ? size - kBlock * block : kBlock,
                   flags | (block == 0 ? kChunkStart : 0) | (is_last ? kChunkEnd | root : 0));
    }
    return chaining;
  }

  /// Chaining value of the node over `size` bytes from `first` on; `root` is kRoot or 0.
  [[nodiscard]] Words node(std::size_t first, std::size_t size, std::uint32_t root) const {
    if (size <= kChunk) {
      return chunk(first, size, root);
    }
    std::size_t left_size = kChunk;  // as large as possible, and something left for the right
    while (2 * left_size < size) {
      left_size *= 2;
    }
    Words both = node(first, left_size, 0);
    const Words right = node(first + left_size, size - left_size, 0);
    both.insert(both.end(), right.begin(), right.end());
    return compress(key, both, 0, kBlock, flags | kParent | root);
  }

  [[nodiscard]] std::array<std::uint8_t, 32> hash() const {
    const Words words = node(0, message.size(), kRoot);
    std::array<std::uint8_t, 32> bytes{};
    for (std::size_t i = 0; i < bytes.size(); ++i) {
      bytes[i] = static_cast<std::uint8_t>(words[i / 4] >> (8 * (i % 4)));
    }
    return bytes;
  }
};

}  // namespace

std::array<std::uint8_t, 32> blake3(const std::vector<std::uint8_t>& message) {
  return Tree{message, kInitial, 0}.hash();
}

std::array<std::uint8_t, 32> blake3_keyed(const std::array<std::uint8_t, 32>& key,
                                          const std::vector<std::uint8_t>& message) {
  Words words(8);
  for (std::size_t i = 0; i < key.size(); ++i) {
    words[i / 4] |= std::uint32_t{key[i]} << (8 * (i % 4));
  }
  return Tree{message, words, kKeyedHash}.hash();
}

}  // namespace furrow::reference
