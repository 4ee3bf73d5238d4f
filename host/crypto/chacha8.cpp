#include "host/crypto/chacha8.hpp"

#include <algorithm>
#include <array>
#include <cstring>

#include "furrow/core/chacha8.hpp"

namespace furrow {

void chacha8_keystream(std::span<const std::uint8_t, 32> key, std::span<std::uint8_t> out) {
  std::array<std::uint32_t, 8> key_words{};
  for (std::size_t i = 0; i < key_words.size(); ++i) {
    key_words[i] = core::load_le32(key.data() + 4 * i);
  }
  std::array<std::uint32_t, 16> words{};
  std::array<std::uint8_t, core::chacha8::kBlockSize> block{};
  for (std::uint32_t counter = 0; !out.empty(); ++counter) {
    core::chacha8::keystream_block(key_words.data(), counter, words.data());
    for (std::size_t i = 0; i < words.size(); ++i) {
      core::store_le32(block.data() + 4 * i, words[i]);
    }
    const std::size_t take = std::min(block.size(), out.size());
    std::memcpy(out.data(), block.data(), take);
    out = out.subspan(take);
  }
}

}  // namespace furrow
