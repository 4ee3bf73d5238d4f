#include "host/pos/proof_tree.hpp"

#include "host/pos/supported_k.hpp"

namespace furrow {
namespace {

constexpr std::size_t kTable3Entries = core::pos::kProofEntries / 4;

/// Writes two numbers of 4 K bits each, the high ends of which come first, as K bytes.
template <unsigned K>
void write_pair(uint128 first, uint128 second, std::uint8_t* out) {
  constexpr std::size_t kHalf = K / 2;
  if constexpr (K % 2 == 0) {
    for (std::size_t i = 0; i < kHalf; ++i) {
      out[i] = static_cast<std::uint8_t>(first >> (8 * (kHalf - 1 - i)));
      out[kHalf + i] = static_cast<std::uint8_t>(second >> (8 * (kHalf - 1 - i)));
    }
  } else {  // the byte in the middle belongs to both
    for (std::size_t i = 0; i < kHalf; ++i) {
      out[i] = static_cast<std::uint8_t>(first >> (8 * (kHalf - 1 - i) + 4));
      out[kHalf + 1 + i] = static_cast<std::uint8_t>(second >> (8 * (kHalf - 1 - i)));
    }
    out[kHalf] = static_cast<std::uint8_t>((first & 15) << 4 | second >> (8 * kHalf));
  }
}

/// Slots of the parents of `count` origins, left before right.
void expand(const Origin* from, std::size_t count, std::uint32_t* slots) {
  for (std::size_t i = 0; i < count; ++i) {
    slots[2 * i] = from[i].left_slot();
    slots[2 * i + 1] = from[i].right_slot();
  }
}

}  // namespace

void ProofTree::write_proofs(unsigned k, std::span<const Origin> targets, std::uint8_t* out) const {
  std::array<std::uint32_t, kMaxBatch * kTable3Entries> slots;
  std::array<Origin, kMaxBatch * kTable3Entries / 2> level;
  expand(targets.data(), targets.size(), slots.data());
  std::size_t count = 2 * targets.size();
  for (unsigned table = 6; table > 3; --table, count *= 2) {
    for (std::size_t i = 0; i < count; ++i) {
      level[i] = Origin::from_bits(origins[table - 4][slots[i]]);
    }
    expand(level.data(), count, slots.data());
  }
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
