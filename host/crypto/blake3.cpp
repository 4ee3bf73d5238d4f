// SPDX-License-Identifier: Apache-2.0
#include "host/crypto/blake3.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

#include "furrow/core/blake3.hpp"

#include "host/crypto/blake3_many.hpp"

namespace furrow {
namespace {

namespace b3 = core::blake3;

/// Most and fewest chunks that are hashed together as one subtree: four vectors of AVX-512, one of
/// AVX2.
constexpr std::size_t kMostChunks = 64;
constexpr std::size_t kFewestChunks = 8;

using Words = std::array<std::uint32_t, 8>;

Words load_words(const std::uint8_t* bytes) {
  Words words{};
  for (std::size_t i = 0; i < words.size(); ++i) {
    words[i] = core::load_le32(bytes + 4 * i);
  }
  return words;
}

std::array<std::uint32_t, 16> join(const Words& left, const Words& right) {
  std::array<std::uint32_t, 16> message{};
  std::copy(left.begin(), left.end(), message.begin());
  std::copy(right.begin(), right.end(), message.begin() + 8);
  return message;
}

Words parent(const Words& left, const Words& right, const Words& key, std::uint32_t flags) {
  const std::array<std::uint32_t, 16> message = join(left, right);
  std::array<std::uint32_t, 16> out{};
  b3::compress(key.data(), message.data(), 0, 64, flags | b3::kParent, out.data());
  Words result{};
  std::copy_n(out.begin(), 8, result.begin());
  return result;
}

/// Chaining value of the subtree over whole chunks: a power of two, at most kMostChunks.
Words hash_subtree(const std::uint8_t* input, std::size_t n_chunks, std::uint64_t first_chunk,
                   const Words& key, std::uint32_t flags) {
  alignas(64) std::array<std::uint8_t, kMostChunks * kHashSize> values;
  static_assert(sizeof(values) >= kMaxLanes * b3::kBlockSize, "levels are padded");
  detail::blake3_batch(SimdMode::kBest,
                       {.inputs = input,
                        .input_stride = b3::kChunkSize,
                        .n_blocks = b3::kChunkSize / b3::kBlockSize,
                        .last_block_length = b3::kBlockSize,
                        .key = key.data(),
                        .counter = first_chunk,
                        .increment_counter = true,
                        .flags = flags,
                        .flags_start = b3::kChunkStart,
                        .flags_end = b3::kChunkEnd,
                        .out = values.data()},
                       n_chunks);
  for (std::size_t n = n_chunks / 2; n > 0; n /= 2) {
    detail::blake3_batch(SimdMode::kBest,
                         {.inputs = values.data(),
                          .input_stride = b3::kBlockSize,
                          .n_blocks = 1,
                          .last_block_length = b3::kBlockSize,
                          .key = key.data(),
                          .counter = 0,
                          .increment_counter = false,
                          .flags = flags | b3::kParent,
                          .flags_start = 0,
                          .flags_end = 0,
                          .out = values.data(),
                          .padded = n > 1},
                         n);
  }
  return load_words(values.data());
}

}  // namespace

struct Blake3Hasher::Output {
  Words chaining_value;
  std::array<std::uint32_t, 16> message;
  std::uint64_t counter;
  std::uint32_t block_length;
  std::uint32_t flags;

  [[nodiscard]] Words chain() const {
    std::array<std::uint32_t, 16> out{};
    b3::compress(chaining_value.data(), message.data(), counter, block_length, flags, out.data());
    Words result{};
    std::copy_n(out.begin(), 8, result.begin());
    return result;
  }
};

Blake3Hasher::Blake3Hasher(const Words& key, std::uint32_t flags)
    : key_(key), flags_(flags), chunk_value_(key) {}

Blake3Hasher::Blake3Hasher() : Blake3Hasher(std::to_array(b3::kIv), 0) {}

Blake3Hasher::Blake3Hasher(const Hash& key)
    : Blake3Hasher(load_words(key.data()), b3::kKeyedHash) {}

/// Adds a complete subtree.
void Blake3Hasher::push_subtree(const Words& chaining_value, std::size_t n_chunks) {
  stack_[stack_size_++] = chaining_value;
  chunk_counter_ += n_chunks;
}

/// Joins neighbours of equal size. Only once something follows them: the join that comes last is
/// the root.
void Blake3Hasher::join_subtrees() {
  while (stack_size_ > static_cast<std::size_t>(std::popcount(chunk_counter_))) {
    const Words right = stack_[--stack_size_];
    stack_[stack_size_ - 1] = parent(stack_[stack_size_ - 1], right, key_, flags_);
  }
}

/// Whole chunks at the start of the next `n_bytes` that may be hashed as one subtree, which must
/// not be the root.
std::size_t Blake3Hasher::subtree_chunks(std::size_t n_bytes) const {
  if (chunk_counter_ == 0) {
    return std::bit_floor(std::min((n_bytes - 1) / b3::kChunkSize, kMostChunks));
  }
  const std::size_t aligned = std::size_t{1} << std::min(std::countr_zero(chunk_counter_), 6);
  static_assert(kMostChunks == std::size_t{1} << 6);
  return std::min(std::bit_floor(n_bytes / b3::kChunkSize), aligned);
}

void Blake3Hasher::compress_block() {
  chunk_value_ = chunk_output().chain();
  ++blocks_compressed_;
  block_.fill(0);
  block_length_ = 0;
}

void Blake3Hasher::finish_chunk() {
  Output last = chunk_output();
  last.flags |= b3::kChunkEnd;
  push_subtree(last.chain(), 1);
  chunk_value_ = key_;
  blocks_compressed_ = 0;
  block_.fill(0);
  block_length_ = 0;
}

Blake3Hasher& Blake3Hasher::update(std::span<const std::uint8_t> bytes) {
  // Only at the end is it known which compression is the root. So a full block or chunk is closed,
  // and the first subtree taken, only when more bytes follow.
  while (!bytes.empty()) {
    if (at_chunk_start()) {
      join_subtrees();
      const std::size_t n_chunks = subtree_chunks(bytes.size());
      if (n_chunks >= kFewestChunks) {
        push_subtree(hash_subtree(bytes.data(), n_chunks, chunk_counter_, key_, flags_), n_chunks);
        bytes = bytes.subspan(n_chunks * b3::kChunkSize);
        continue;
      }
    }
    if (block_length_ == block_.size()) {
      if (blocks_compressed_ + 1 == b3::kChunkSize / b3::kBlockSize) {
        finish_chunk();
        continue;
      }
      compress_block();
    }
    const std::size_t take = std::min(block_.size() - block_length_, bytes.size());
    std::memcpy(block_.data() + block_length_, bytes.data(), take);
    block_length_ += take;
    bytes = bytes.subspan(take);
  }
  return *this;
}

Blake3Hasher::Output Blake3Hasher::chunk_output() const {
  Output output{chunk_value_,
                {},
                chunk_counter_,
                static_cast<std::uint32_t>(block_length_),
                flags_ | (blocks_compressed_ == 0 ? b3::kChunkStart : 0)};
  for (std::size_t i = 0; i < 16; ++i) {
    output.message[i] = core::load_le32(block_.data() + 4 * i);
  }
  return output;
}

Blake3Hasher::Output Blake3Hasher::root_output() const {
  const auto joined = [&](const Words& left, const Words& right) {
    return Output{key_, join(left, right), 0, b3::kBlockSize, flags_ | b3::kParent};
  };
  std::size_t left = stack_size_;
  Output output = chunk_output();
  output.flags |= b3::kChunkEnd;
  if (at_chunk_start() && left > 1) {  // the message ends with a subtree
    left -= 2;
    output = joined(stack_[left], stack_[left + 1]);
  }
  while (left > 0) {
    --left;
    output = joined(stack_[left], output.chain());
  }
  output.flags |= b3::kRoot;
  return output;
}

Hash Blake3Hasher::finalize() const {
  Hash hash;
  finalize_extended(hash.bytes);
  return hash;
}

void Blake3Hasher::finalize_extended(std::span<std::uint8_t> out) const {
  const Output root = root_output();
  std::array<std::uint32_t, 16> words{};
  std::array<std::uint8_t, 64> block{};
  for (std::uint64_t counter = 0; !out.empty(); ++counter) {
    b3::compress(root.chaining_value.data(), root.message.data(), counter, root.block_length,
                 root.flags, words.data());
    for (std::size_t i = 0; i < words.size(); ++i) {
      core::store_le32(block.data() + 4 * i, words[i]);
    }
    const std::size_t take = std::min(block.size(), out.size());
    std::memcpy(out.data(), block.data(), take);
    out = out.subspan(take);
  }
}

Hash blake3(std::span<const std::uint8_t> message) {
  return Blake3Hasher().update(message).finalize();
}

Hash blake3_keyed(const Hash& key, std::span<const std::uint8_t> message) {
  return Blake3Hasher(key).update(message).finalize();
}

}  // namespace furrow
