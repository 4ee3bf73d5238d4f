#include "host/crypto/blake3.hpp"

#include <algorithm>
#include <cstring>

#include "furrow/core/blake3.hpp"

#include "host/crypto/blake3_many.hpp"

namespace furrow {
namespace {

namespace b3 = core::blake3;

/// Chunks hashed as one aligned subtree: 64 KiB of input, four AVX-512 vectors of chunks.
constexpr std::size_t kSubtreeChunks = 64;
constexpr unsigned kSubtreeHeight = 6;
constexpr std::size_t kSubtreeBytes = kSubtreeChunks * b3::kChunkSize;

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

/// Root of the subtree over kSubtreeChunks whole chunks.
Words hash_subtree(const std::uint8_t* input, std::uint64_t first_chunk, const Words& key,
                   std::uint32_t flags) {
  alignas(64) std::array<std::uint8_t, kSubtreeChunks * kHashSize> values;
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
                       kSubtreeChunks);
  for (std::size_t n = kSubtreeChunks / 2; n > 0; n /= 2) {
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
                          .out = values.data()},
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

/// Adds the root of a complete subtree of 2^height chunks and joins it with its left neighbours of
/// equal size. chunk_counter_ counts it already.
void Blake3Hasher::push_subtree(const Words& chaining_value, unsigned height) {
  Words value = chaining_value;
  for (std::uint64_t n = chunk_counter_ >> height; (n & 1) == 0; n >>= 1) {
    value = parent(stack_[--stack_size_], value, key_, flags_);
  }
  stack_[stack_size_++] = value;
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
  ++chunk_counter_;
  push_subtree(last.chain(), 0);
  chunk_value_ = key_;
  blocks_compressed_ = 0;
  block_.fill(0);
  block_length_ = 0;
}

Blake3Hasher& Blake3Hasher::update(std::span<const std::uint8_t> bytes) {
  // The last block of the message must stay uncompressed, because only there the root flag is
  // known. So a full block, chunk or subtree is closed only when more bytes follow it.
  while (!bytes.empty()) {
    const bool at_chunk_start = blocks_compressed_ == 0 && block_length_ == 0;
    if (at_chunk_start && bytes.size() > kSubtreeBytes && chunk_counter_ % kSubtreeChunks == 0) {
      const Words root = hash_subtree(bytes.data(), chunk_counter_, key_, flags_);
      chunk_counter_ += kSubtreeChunks;
      push_subtree(root, kSubtreeHeight);
      bytes = bytes.subspan(kSubtreeBytes);
      continue;
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
  Output output = chunk_output();
  output.flags |= b3::kChunkEnd;
  for (std::size_t i = stack_size_; i > 0; --i) {
    const Words right = output.chain();
    output = {key_, join(stack_[i - 1], right), 0, b3::kBlockSize, flags_ | b3::kParent};
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
