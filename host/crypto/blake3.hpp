// SPDX-License-Identifier: Apache-2.0
// BLAKE3 of whole messages (docs/spec/01-primitives.md, section 5): plain, keyed, extended output.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "furrow/types.hpp"

namespace furrow {

/// BLAKE3 with 32 bytes of output. Thread-safe, allocates nothing.
Hash blake3(std::span<const std::uint8_t> message);
/// Keyed BLAKE3.
Hash blake3_keyed(const Hash& key, std::span<const std::uint8_t> message);

/// Incremental BLAKE3. Large updates are hashed many chunks at a time with SIMD.
/// Thread-compatible; copying a hasher copies its state.
class Blake3Hasher {
 public:
  Blake3Hasher();
  explicit Blake3Hasher(const Hash& key);

  Blake3Hasher& update(std::span<const std::uint8_t> bytes);
  /// The digest of everything so far; the hasher can go on.
  [[nodiscard]] Hash finalize() const;
  /// Extended output of any length, of which the first 32 bytes are the digest.
  void finalize_extended(std::span<std::uint8_t> out) const;

 private:
  using Words = std::array<std::uint32_t, 8>;
  struct Output;  // the last compression, not yet carried out

  Blake3Hasher(const Words& key, std::uint32_t flags);
  [[nodiscard]] bool at_chunk_start() const {
    return blocks_compressed_ == 0 && block_length_ == 0;
  }
  [[nodiscard]] std::size_t subtree_chunks(std::size_t n_bytes) const;
  void push_subtree(const Words& chaining_value, std::size_t n_chunks);
  void join_subtrees();
  void compress_block();
  void finish_chunk();
  [[nodiscard]] Output chunk_output() const;
  [[nodiscard]] Output root_output() const;

  Words key_;
  std::uint32_t flags_;
  // The chunk under way.
  Words chunk_value_;
  std::uint64_t chunk_counter_ = 0;  // complete chunks before it
  std::array<std::uint8_t, 64> block_{};
  std::size_t block_length_ = 0;
  std::size_t blocks_compressed_ = 0;
  // Complete subtrees to its left, largest first: one for each set bit of chunk_counter_, and one
  // more where the last two are not joined yet.
  std::array<Words, 55> stack_{};
  std::size_t stack_size_ = 0;
};

}  // namespace furrow
