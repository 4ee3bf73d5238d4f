// SPDX-License-Identifier: Apache-2.0
#include "host/pos/match_finder_scalar.hpp"

#include <bit>

namespace furrow {
namespace {

using core::pos::kParamB;
using core::pos::kParamBC;
using core::pos::kParamC;
using core::pos::kParamM;

constexpr auto kColumnShifts = [] {
  std::array<std::array<std::uint8_t, kParamM>, 2> shifts{};
  for (std::uint32_t parity = 0; parity < 2; ++parity) {
    for (std::uint32_t m = 0; m < kParamM; ++m) {
      shifts[parity][m] = static_cast<std::uint8_t>(core::pos::target_column_shift(parity, m));
    }
  }
  return shifts;
}();

}  // namespace

template <class Rules>
void ScalarMatchFinder<Rules>::insert_right(std::span<const std::uint16_t> right) {
  for (std::size_t rank = right.size(); rank-- > 0;) {
    const std::uint32_t residue = right[rank];
    next_[rank + 1] = first_[residue];
    first_[residue] = static_cast<std::uint16_t>(rank + 1);
    for (std::uint32_t row = residue / kParamC; row < kRows; row += kParamB) {
      for (std::uint32_t column = residue % kParamC; column < 2 * kParamC; column += kParamC) {
        rows_[row][column / 64] |= std::uint64_t{1} << (column % 64);
      }
    }
  }
}

template <class Rules>
void ScalarMatchFinder<Rules>::clear_right(std::span<const std::uint16_t> right) {
  rows_ = {};
  for (const std::uint16_t residue : right) {
    first_[residue] = 0;
  }
}

/// Bit m says whether target m of the left residue is taken in the right bucket.
template <class Rules>
std::uint64_t ScalarMatchFinder<Rules>::targets_hit(const std::uint8_t* shifts,
                                                    std::uint32_t residue) const {
  const std::array<std::uint64_t, kWordsPerRow>* row = &rows_[residue / kParamC];
  const std::uint32_t column = residue % kParamC;
  std::uint64_t hits = 0;
  for (std::uint32_t m = 0; m < kParamM; ++m) {
    const std::uint32_t bit = column + shifts[m];
    hits |= ((row[m][bit / 64] >> (bit % 64)) & 1) << m;
  }
  return hits;
}

template <class Rules>
std::size_t ScalarMatchFinder<Rules>::find(std::uint32_t parity,
                                           std::span<const std::uint16_t> left,
                                           std::span<const std::uint16_t> right, Match* out) {
  insert_right(right);
  const std::uint8_t* shifts = kColumnShifts[parity].data();
  std::size_t found = 0;
  for (std::uint32_t rank = 0; rank < left.size() && found < kSearchEnd<Rules>; ++rank) {
    const std::uint32_t residue = left[rank];
    for (std::uint64_t hits = targets_hit(shifts, residue); hits != 0; hits &= hits - 1) {
      const auto m = static_cast<std::uint32_t>(std::countr_zero(hits));
      std::size_t partners = 0;
      for (std::uint16_t partner = first_[core::pos::target(parity, residue, m)];
           partner != 0 && partners < Rules::kPartners; partner = next_[partner], ++partners) {
        out[found++] = rank << 16 | (partner - 1U);
      }
    }
  }
  clear_right(right);
  return found;
}

template class ScalarMatchFinder<core::pos::AbundanceRules>;
template class ScalarMatchFinder<core::pos::AutonomysRules>;

}  // namespace furrow
