// SPDX-License-Identifier: Apache-2.0
// Entries of the tables made anew from the x values of a proof, without any table.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "furrow/core/pos.hpp"
#include "furrow/types.hpp"

namespace furrow {

/// What the table functions work on.
struct ProofEntry {
  std::uint32_t y;
  uint128 metadata;
};

/// Entries of one seed, each computed when asked for. Thread-compatible.
template <unsigned K>
class EntriesOfSeed {
 public:
  explicit EntriesOfSeed(const PosSeed& seed);

  /// Value `index`, 0 to 63, of a proof of 8 K bytes.
  [[nodiscard]] static std::uint32_t x_of(std::span<const std::uint8_t> proof, std::size_t index) {
    return core::pos::read_bits(proof.data(), K * index, K);
  }
  /// The entry of table 1 of x.
  [[nodiscard]] ProofEntry first(std::uint32_t x) const;
  /// The entry of `table`, 2 to 7, whose parents are `left` and `right`.
  [[nodiscard]] static ProofEntry combine(unsigned table, const ProofEntry& left,
                                          const ProofEntry& right);

 private:
  std::array<std::uint32_t, 8> key_;
};

}  // namespace furrow
