// SPDX-License-Identifier: Apache-2.0
// Verification of one proof (docs/spec/02-proof-of-space.md, section 10). Adjacency of buckets is
// not checked: the network accepts proofs whose residues fit, so they are accepted here too.
#include <array>

#include "furrow/core/blake3.hpp"
#include "furrow/core/chacha8.hpp"
#include "furrow/core/pos.hpp"
#include "furrow/errors.hpp"

#include "host/pos/proof_table.hpp"
#include "host/pos/supported_k.hpp"

namespace furrow {
namespace {

struct Entry {
  std::uint32_t y;
  uint128 metadata;
};

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

template <unsigned K>
Entry combine(unsigned table, const Entry& left, const Entry& right) {
  std::array<std::uint32_t, 16> message{};
  core::pos::table_function_message<K>(table, left.y, left.metadata, right.metadata,
                                       message.data());
  std::array<std::uint32_t, 8> hash{};
  core::blake3::hash_single_block(message.data(), core::pos::table_function_input_bytes<K>(table),
                                  hash.data());
  return {core::pos::y_from_hash<K>(hash[0]),
          core::pos::table_function_metadata<K>(table, left.metadata, right.metadata, hash.data())};
}

template <unsigned K>
bool verify(const PosSeed& seed, SBucket s_bucket, std::span<const std::uint8_t> proof) {
  if (proof.size() != core::pos::Params<K>::kProofSize) {
    return false;
  }
  std::array<std::uint32_t, 8> key{};
  for (std::size_t i = 0; i < key.size(); ++i) {
    key[i] = core::load_le32(seed.data() + 4 * i);
  }
  std::array<Entry, core::pos::kProofEntries> entries{};
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const std::uint32_t x = core::pos::read_bits(proof.data(), K * i, K);
    entries[i] = {core::pos::table1_y<K>(keystream_bits<K>(key, x), x), x};
  }
  std::size_t count = entries.size();
  for (unsigned table = 2; table <= core::pos::kNumTables; ++table, count /= 2) {
    for (std::size_t i = 0; i < count; i += 2) {
      const Entry& left = entries[i];
      const Entry& right = entries[i + 1];
      if (!core::pos::residues_match(core::pos::bucket_of(left.y) % 2,
                                     core::pos::residue_of(left.y),
                                     core::pos::residue_of(right.y))) {
        return false;
      }
      entries[i / 2] = combine<K>(table, left, right);
    }
  }
  return entries[0].y >> core::pos::kParamExt == s_bucket.value();
}

}  // namespace

bool is_proof_valid(unsigned k, const PosSeed& seed, SBucket s_bucket,
                    std::span<const std::uint8_t> proof) {
  return with_supported_k(k, [&]<unsigned K>() { return verify<K>(seed, s_bucket, proof); });
}

}  // namespace furrow
