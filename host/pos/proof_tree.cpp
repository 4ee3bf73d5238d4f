// SPDX-License-Identifier: Apache-2.0
#include "host/pos/proof_tree.hpp"

#include <bit>
#include <cstring>

#include "host/pos/supported_k.hpp"

namespace furrow {
namespace {

static_assert(std::endian::native == std::endian::little, "numbers are swapped to big-endian");

constexpr std::size_t kTable3Entries = core::pos::kProofEntries / 4;

/// Big-endian bytes of a number.
std::array<std::uint8_t, 16> bytes_of(uint128 number) {
  const std::uint64_t halves[2] = {__builtin_bswap64(static_cast<std::uint64_t>(number >> 64)),
                                   __builtin_bswap64(static_cast<std::uint64_t>(number))};
  std::array<std::uint8_t, 16> bytes;
  std::memcpy(bytes.data(), halves, sizeof(halves));
  return bytes;
}

/// Writes two numbers of 4 K bits each, their high ends first, as K bytes.
template <unsigned K>
void write_pair(uint128 first, uint128 second, std::uint8_t* out) {
  constexpr std::size_t kHalf = K / 2;
  const std::array<std::uint8_t, 16> head = bytes_of(first << (128 - 4 * K));
  if constexpr (K % 2 == 0) {
    const std::array<std::uint8_t, 16> tail = bytes_of(second << (128 - 4 * K));
    std::memcpy(out, head.data(), kHalf);
    std::memcpy(out + kHalf, tail.data(), kHalf);
  } else {  // the byte in the middle belongs to both
    const std::array<std::uint8_t, 16> tail = bytes_of(second << (124 - 4 * K));
    std::memcpy(out, head.data(), kHalf);
    out[kHalf] = head[kHalf] | tail[0];
    std::memcpy(out + kHalf + 1, tail.data() + 1, kHalf);
  }
}

/// Slots of the parents of `count` origins, left before right.
void expand(std::uint32_t bucket_places, const Origin* from, std::size_t count,
            std::uint32_t* slots) {
  for (std::size_t i = 0; i < count; ++i) {
    slots[2 * i] = from[i].left_slot(bucket_places);
    slots[2 * i + 1] = from[i].right_slot(bucket_places);
  }
}

}  // namespace

void ProofTree::write_proofs(unsigned k, std::span<const Origin> targets, std::uint8_t* out) const {
  std::array<std::uint32_t, kMaxBatch * kTable3Entries> slots;
  std::array<Origin, kMaxBatch * kTable3Entries / 2> level;
  expand(bucket_places, targets.data(), targets.size(), slots.data());
  std::size_t count = 2 * targets.size();
  const auto prefetch_all = [&](const std::uint32_t* array, std::size_t words) {
    for (std::size_t i = 0; i < count; ++i) {
      __builtin_prefetch(array + slots[i] * words);
    }
  };
  for (unsigned table = 6; table > 3; --table, count *= 2) {
    prefetch_all(origins[table - 4], 1);
    for (std::size_t i = 0; i < count; ++i) {
      level[i] = Origin::from_bits(origins[table - 4][slots[i]]);
    }
    expand(bucket_places, level.data(), count, slots.data());
  }
  prefetch_all(table3, entry_words(3));
  with_supported_k(k, [&]<unsigned K>() {
    const auto metadata = [&](std::size_t i) {
      return entry_metadata(3, table3 + slots[i] * entry_words(3));
    };
    for (std::size_t i = 0; i < count; i += 2) {
      write_pair<K>(metadata(i), metadata(i + 1), out + i / 2 * K);
    }
  });
}

}  // namespace furrow
