// SPDX-License-Identifier: Apache-2.0
#include "host/pos/proof_entry.hpp"

#include "furrow/core/blake3.hpp"
#include "furrow/core/chacha8.hpp"

namespace furrow {
namespace {

/// K bits of the keystream of the seed; they may straddle two blocks.
template <unsigned K>
std::uint32_t keystream_bits(const std::array<std::uint32_t, 8>& key, std::uint32_t x) {
  const std::size_t first_bit = std::size_t{x} * K;
  constexpr std::size_t kBlockBits = 8 * core::chacha8::kBlockSize;
  std::array<std::uint8_t, 2 * core::chacha8::kBlockSize> bytes{};
  for (std::size_t block = 0; block < 2; ++block) {
    std::array<std::uint32_t, 16> words{};
    core::chacha8::keystream_block(
        key.data(), static_cast<std::uint32_t>(first_bit / kBlockBits + block), words.data());
    for (std::size_t w = 0; w < words.size(); ++w) {
      core::store_le32(bytes.data() + block * core::chacha8::kBlockSize + 4 * w, words[w]);
    }
  }
  return core::pos::read_bits(bytes.data(), first_bit % kBlockBits, K);
}

}  // namespace

template <unsigned K>
EntriesOfSeed<K>::EntriesOfSeed(const PosSeed& seed) {
  for (std::size_t i = 0; i < key_.size(); ++i) {
    key_[i] = core::load_le32(seed.data() + 4 * i);
  }
}

template <unsigned K>
ProofEntry EntriesOfSeed<K>::first(std::uint32_t x) const {
  return {core::pos::table1_y<K>(keystream_bits<K>(key_, x), x), x};
}

template <unsigned K>
ProofEntry EntriesOfSeed<K>::combine(unsigned table, const ProofEntry& left,
                                     const ProofEntry& right) {
  std::array<std::uint32_t, 16> message{};
  core::pos::table_function_message<K>(table, left.y, left.metadata, right.metadata,
                                       message.data());
  std::array<std::uint32_t, 8> hash{};
  core::blake3::hash_single_block(message.data(), core::pos::table_function_input_bytes<K>(table),
                                  hash.data());
  return {core::pos::y_from_hash<K>(hash[0]),
          core::pos::table_function_metadata<K>(table, left.metadata, right.metadata, hash.data())};
}

template class EntriesOfSeed<15>;
template class EntriesOfSeed<16>;
template class EntriesOfSeed<17>;
template class EntriesOfSeed<18>;
template class EntriesOfSeed<20>;

}  // namespace furrow
