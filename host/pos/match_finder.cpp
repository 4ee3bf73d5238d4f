// SPDX-License-Identifier: Apache-2.0
// The vector form of the search for matches.
//
// A right entry in row r and column k matches a left entry in row b and column c when
//   k = c + (2 (r - b) + p)^2 (mod 127),  0 <= r - b < 64,
// where rows below 63 also count as rows 119 + r, which takes the place of the modulus 119, and p
// is the parity of the left bucket. Written with everything of the left entry on one side:
//   c + (2 b - p)^2 = k + 4 r (2 b - p - r) (mod 127).
// For each left row b the right sides of all right entries, in ascending r, are one line of bytes;
// a left entry compares its left side with the bytes r = b .. b + 63 of line b, a whole vector at a
// time. Hits come out in ascending r, which is ascending m, and entries of equal residue stand in
// the order of their ranks: this is the specification's order. From one line to the next a byte
// grows by 8 r, so a line costs an addition and a reduction.
//
//   right entries, by row:  r = 0 ......... 118 | 119 ......... 181   (second part: rows 0 .. 62)
//   line b:                     [ b ..... b + 63 ]
//
// Compiled once for each target by foreach_target.h.

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "host/pos/match_finder.cpp"
#include "host/pos/match_finder.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <type_traits>

#include <hwy/foreach_target.h>  // must come first
#include <hwy/highway.h>

#include "host/pos/match_finder_scalar.hpp"

#ifndef FURROW_POS_MATCH_FINDER_SCRATCH
#define FURROW_POS_MATCH_FINDER_SCRATCH
namespace furrow {

/// Longest vector of any target, in bytes.
inline constexpr std::size_t kVectorBytes = 64;
inline constexpr std::size_t kMatchRows = core::pos::kParamB + core::pos::kParamM - 1;
/// Bytes of a line that are compared without a look at how many there are.
inline constexpr std::size_t kUsualWindow = 3 * 64;

template <class Rules>
struct MatchScratch {
  /// Entries of a bucket, in whole vectors.
  static constexpr std::size_t kEntries =
      (Rules::kBucketEntries + kVectorBytes / 2 - 1) / (kVectorBytes / 2) * (kVectorBytes / 2);
  static_assert(kEntries <= BucketResidues::kPlaces);
  /// Right entries, those of the repeated rows included, in whole vectors. Lines are an odd number
  /// of vectors apart, so that they spread over the sets of a cache.
  static constexpr std::size_t kMaxLine = (2 * kEntries / kVectorBytes | 1) * kVectorBytes;
  static_assert(2 * kEntries <= kMaxLine && Rules::kBucketEntries + kUsualWindow <= kMaxLine);

  // The right bucket by row.
  alignas(64) std::array<std::uint8_t, kEntries> right_row;
  alignas(64) std::array<std::uint16_t, kMaxLine> residue;  // + 15113 in the repeated rows
  std::array<std::uint16_t, kMaxLine> rank;
  std::array<std::uint16_t, kMatchRows + 1> start;  // of each row
  std::array<std::uint16_t, core::pos::kParamB> row_size;
  std::size_t n_right;  // entries in rows 0 .. 118
  std::size_t n_line;   // with those of the repeated rows
  std::size_t fullest;  // entries in the fullest row

  // The left bucket by rank.
  alignas(64) std::array<std::uint8_t, kEntries> left_row;
  alignas(64) std::array<std::uint8_t, kEntries> left_value;

  // One line more than rows: they are written in pairs.
  alignas(64) std::array<std::array<std::uint8_t, kMaxLine>, core::pos::kParamB + 1> lines;

  std::array<Match, kMaxMatches<Rules> + 2> matches;
};

/// The bits of a window of `length` bytes in its first three words.
struct WindowMask {
  std::uint64_t words[3];
};
inline constexpr auto kWindowMasks = [] {
  std::array<WindowMask, kUsualWindow + 1> masks{};
  for (std::size_t length = 0; length < masks.size(); ++length) {
    for (std::size_t bit = 0; bit < length; ++bit) {
      masks[length].words[bit / 64] |= std::uint64_t{1} << (bit % 64);
    }
  }
  return masks;
}();

/// Sorts the right entries by row, in the order of their ranks within a row.
template <class Rules>
void sort_right(const BucketResidues& right, MatchScratch<Rules>& s) {
  s.row_size = {};
  for (std::size_t i = 0; i < right.size; ++i) {
    ++s.row_size[s.right_row[i]];
  }
  std::array<std::uint16_t, core::pos::kParamB> next;
  std::size_t total = 0;
  std::size_t fullest = 0;
  for (std::size_t row = 0; row < core::pos::kParamB; ++row) {
    next[row] = s.start[row] = static_cast<std::uint16_t>(total);
    total += s.row_size[row];
    fullest = std::max<std::size_t>(fullest, s.row_size[row]);
  }
  for (std::size_t i = 0; i < right.size; ++i) {
    const std::size_t place = next[s.right_row[i]]++;
    s.residue[place] = right.values[i];
    s.rank[place] = static_cast<std::uint16_t>(i);
  }
  s.n_right = total;
  s.fullest = fullest;
}

/// Takes out the third and later entries of equal residue, which are no partners by some rules.
template <class Rules>
void drop_third_copies(MatchScratch<Rules>& s) {
  static_assert(Rules::kPartners == 2);
  std::size_t kept = 0;
  std::size_t from = 0;
  for (std::size_t row = 0; row < core::pos::kParamB; ++row) {
    const std::size_t first = kept;
    const std::size_t end = from + s.row_size[row];
    for (; from < end; ++from) {
      const auto* begin = s.residue.data();
      if (std::count(begin + first, begin + kept, s.residue[from]) < 2) {
        s.residue[kept] = s.residue[from];
        s.rank[kept++] = s.rank[from];
      }
    }
    s.start[row] = static_cast<std::uint16_t>(first);
  }
  s.n_right = kept;
}

/// Repeats rows 0 .. 62 as rows 119 .. 181.
template <class Rules>
void repeat_rows(MatchScratch<Rules>& s) {
  constexpr std::size_t kRepeated = core::pos::kParamM - 1;
  const std::size_t repeated = s.start[kRepeated];
  for (std::size_t i = 0; i < repeated; ++i) {
    s.residue[s.n_right + i] = static_cast<std::uint16_t>(s.residue[i] + core::pos::kParamBC);
    s.rank[s.n_right + i] = s.rank[i];
  }
  for (std::size_t row = 0; row <= kRepeated; ++row) {
    s.start[core::pos::kParamB + row] = static_cast<std::uint16_t>(s.n_right + s.start[row]);
  }
  s.n_line = s.n_right + repeated;
}

}  // namespace furrow
#endif  // FURROW_POS_MATCH_FINDER_SCRATCH

HWY_BEFORE_NAMESPACE();
namespace furrow::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using D8 = hn::CappedTag<std::uint8_t, kVectorBytes>;
using D16 = hn::CappedTag<std::uint16_t, kVectorBytes / 2>;
using V8 = hn::Vec<D8>;
using V16 = hn::Vec<D16>;
/// As many bytes as a vector has 16-bit lanes.
using Half8 = hn::Rebind<std::uint8_t, D16>;

constexpr std::uint16_t kModulus = core::pos::kParamC;

/// x mod 127 for x < 254.
HWY_INLINE V8 reduce(V8 x) {
  const D8 d;
  return hn::Min(x, hn::Sub(x, hn::Set(d, static_cast<std::uint8_t>(kModulus))));
}
HWY_INLINE V16 reduce(V16 x) {
  const D16 d;
  return hn::Min(x, hn::Sub(x, hn::Set(d, kModulus)));
}
/// A smaller number congruent to x modulo 127: at most 127 + x / 128.
HWY_INLINE V16 fold(V16 x) {
  const D16 d;
  return hn::Add(hn::And(x, hn::Set(d, std::uint16_t{127})), hn::ShiftRight<7>(x));
}

/// x / 127 for every x: 127 * 16513 = 2^21 - 1.
HWY_INLINE V16 row_of(V16 residue) {
  const D16 d;
  const V16 next = hn::Add(residue, hn::Set(d, std::uint16_t{1}));
  return hn::ShiftRight<5>(hn::MulHigh(next, hn::Set(d, std::uint16_t{16513})));
}
HWY_INLINE V16 column_of(V16 residue, V16 row) {
  const D16 d;
  return hn::Sub(residue, hn::Mul(row, hn::Set(d, kModulus)));
}

HWY_INLINE void store_bytes(V16 values, std::uint8_t* to) {
  const hn::RebindToSigned<D16> signed_d;
  hn::StoreU(hn::DemoteTo(Half8(), hn::BitCast(signed_d, values)), Half8(), to);
}

template <class Rules>
void find_right_rows(const BucketResidues& right, MatchScratch<Rules>& s) {
  const D16 d;
  for (std::size_t i = 0; i < right.size; i += hn::Lanes(d)) {
    store_bytes(row_of(hn::Load(d, right.values.data() + i)), s.right_row.data() + i);
  }
}

/// Rows of the left entries, and their sides of the equation: c + (2 b - p)^2 mod 127.
template <class Rules>
void find_left_values(std::uint32_t parity, const BucketResidues& left, MatchScratch<Rules>& s) {
  const D16 d;
  for (std::size_t i = 0; i < left.size; i += hn::Lanes(d)) {
    const V16 residue = hn::Load(d, left.values.data() + i);
    const V16 row = row_of(residue);
    const V16 base = hn::Set(d, static_cast<std::uint16_t>(kModulus - parity));
    const V16 root = reduce(fold(hn::Add(hn::Add(row, row), base)));
    const V16 square = fold(hn::Mul(root, root));
    const V16 value = reduce(fold(hn::Add(square, column_of(residue, row))));
    store_bytes(row, s.left_row.data() + i);
    store_bytes(value, s.left_value.data() + i);
  }
}

/// Whether three right entries share a residue: then the first one has two equals behind it, in its
/// row. What an earlier bucket left behind the last entry is compared, too; it may make this true
/// for nothing, which is rare and costs only time.
template <class Rules>
bool has_third_copy(const MatchScratch<Rules>& s) {
  const D16 d;
  V16 most = hn::Zero(d);
  for (std::size_t i = 0; i < s.n_right; i += hn::Lanes(d)) {
    const V16 first = hn::LoadU(d, s.residue.data() + i);
    V16 equal_behind = hn::Zero(d);
    for (std::size_t distance = 1; distance < s.fullest; ++distance) {
      const V16 behind = hn::LoadU(d, s.residue.data() + i + distance);
      equal_behind = hn::Sub(equal_behind, hn::VecFromMask(d, hn::Eq(first, behind)));
    }
    most = hn::Max(most, equal_behind);
  }
  return !hn::AllTrue(d, hn::Lt(most, hn::Set(d, std::uint16_t{2})));
}

/// Bytes of line `row` from place `first` on, and by how much they grow from line to line.
template <class Rules>
HWY_INLINE void first_line(std::uint32_t parity, std::uint32_t row, std::size_t first,
                           const MatchScratch<Rules>& s, std::uint8_t* value,
                           std::uint8_t* growth) {
  const D16 d;
  const auto offset = static_cast<std::uint16_t>(2 * row + 3 * kModulus - parity);
  for (std::size_t i = 0; i < hn::Lanes(D8()); i += hn::Lanes(d)) {
    const V16 residue = hn::Load(d, s.residue.data() + first + i);
    const V16 right_row = row_of(residue);
    const V16 r = reduce(right_row);
    const V16 factor = reduce(fold(hn::Sub(hn::Set(d, offset), right_row)));
    const V16 product = fold(hn::ShiftLeft<2>(hn::Mul(r, factor)));
    store_bytes(reduce(fold(hn::Add(product, column_of(residue, right_row)))), value + i);
    store_bytes(reduce(fold(hn::ShiftLeft<3>(r))), growth + i);
  }
}

/// Writes each vector of right entries into the lines whose windows it overlaps.
template <class Rules>
void write_lines(std::uint32_t parity, MatchScratch<Rules>& s) {
  const D8 d;
  HWY_ALIGN std::uint8_t value[kVectorBytes];
  HWY_ALIGN std::uint8_t growth[kVectorBytes];
  for (std::size_t first = 0; first < s.n_line; first += hn::Lanes(d)) {
    const std::size_t last = std::min(first + hn::Lanes(d), s.n_line) - 1;
    const std::uint32_t first_row = s.residue[first] / kModulus;
    const std::uint32_t last_row = s.residue[last] / kModulus;
    std::uint32_t row = first_row < core::pos::kParamM ? 0 : first_row - (core::pos::kParamM - 1);
    const std::uint32_t end = std::min(last_row + 1, core::pos::kParamB);
    first_line(parity, row, first, s, value, growth);
    const V8 by_one = hn::Load(d, growth);
    // Two lines at a time, because each step waits for the one before.
    const V8 by_two = reduce(hn::Add(by_one, by_one));
    V8 even = hn::Load(d, value);
    V8 odd = reduce(hn::Add(even, by_one));
    for (; row < end; row += 2) {
      hn::Store(even, d, s.lines[row].data() + first);
      hn::Store(odd, d, s.lines[row + 1].data() + first);
      even = reduce(hn::Add(even, by_two));
      odd = reduce(hn::Add(odd, by_two));
    }
  }
}

/// Which of 64 bytes are equal to the lanes of `value`.
HWY_INLINE std::uint64_t equal_bytes(V8 value, const std::uint8_t* bytes) {
  const D8 d;
  std::uint64_t result = 0;
  for (std::size_t i = 0; i < 64; i += hn::Lanes(d)) {
    std::uint64_t bits = 0;
    hn::StoreMaskBits(d, hn::Eq(value, hn::LoadU(d, bytes + i)),
                      reinterpret_cast<std::uint8_t*>(&bits));
    result |= bits << i;
  }
  return result;
}

HWY_INLINE void append_hits(std::uint64_t hits, Match base, Match* matches, std::size_t& found) {
  for (; hits != 0; hits &= hits - 1) {
    matches[found++] = base + static_cast<Match>(std::countr_zero(hits));
  }
}

/// As append_hits, free of mispredicted branches for up to two hits, which is what to expect.
/// Writes two places always.
HWY_INLINE void append_few_hits(std::uint64_t hits, Match base, Match* matches,
                                std::size_t& found) {
  const std::uint64_t behind = hits & (hits - 1);
  matches[found] = base + static_cast<Match>(std::countr_zero(hits));
  matches[found + 1] = base + static_cast<Match>(std::countr_zero(behind));
  const auto count = static_cast<std::size_t>(std::popcount(hits));
  if (HWY_UNLIKELY(count > 2)) {
    append_hits(hits, base, matches, found);
  } else {
    found += count;
  }
}

/// The right half of a match is a place by row here.
template <class Rules>
std::size_t compare_left(const BucketResidues& left, MatchScratch<Rules>& s) {
  const D8 d;
  std::size_t found = 0;
  for (std::size_t i = 0; i < left.size && found < kSearchEnd<Rules>; ++i) {
    const std::size_t row = s.left_row[i];
    const std::size_t first = s.start[row];
    const std::size_t length = s.start[row + core::pos::kParamM] - first;
    const std::uint8_t* line = s.lines[row].data() + first;
    const V8 value = hn::Set(d, s.left_value[i]);
    const Match base = static_cast<Match>(i << 16 | first);
    Match* matches = s.matches.data();
    if (HWY_LIKELY(length <= kUsualWindow)) {
      const std::uint64_t* mask = kWindowMasks[length].words;
      append_few_hits(equal_bytes(value, line) & mask[0], base, matches, found);
      append_few_hits(equal_bytes(value, line + 64) & mask[1], base + 64, matches, found);
      append_hits(equal_bytes(value, line + 128) & mask[2], base + 128, matches, found);
    } else {
      for (std::size_t j = 0; j < length; ++j) {
        if (line[j] == s.left_value[i]) {
          matches[found++] = base + static_cast<Match>(j);
        }
      }
    }
  }
  return found;
}

template <class Rules>
std::size_t find_matches(std::uint32_t parity, const BucketResidues& left,
                         const BucketResidues& right, MatchScratch<Rules>& s) {
  find_right_rows(right, s);
  sort_right(right, s);
  if constexpr (Rules::kPartners < Rules::kBucketEntries) {
    if (has_third_copy(s)) {
      drop_third_copies(s);
    }
  }
  repeat_rows(s);
  write_lines(parity, s);
  find_left_values(parity, left, s);
  const std::size_t found = compare_left(left, s);
  for (std::size_t i = 0; i < found; ++i) {
    const Match match = s.matches[i];
    s.matches[i] = (match & 0xFFFF0000U) | s.rank[match & 0xFFFFU];
  }
  return found;
}

std::size_t FindByAbundanceRules(std::uint32_t parity, const BucketResidues& left,
                                 const BucketResidues& right,
                                 MatchScratch<core::pos::AbundanceRules>& s) {
  return find_matches(parity, left, right, s);
}
std::size_t FindByAutonomysRules(std::uint32_t parity, const BucketResidues& left,
                                 const BucketResidues& right,
                                 MatchScratch<core::pos::AutonomysRules>& s) {
  return find_matches(parity, left, right, s);
}

}  // namespace furrow::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace furrow {

HWY_EXPORT(FindByAbundanceRules);
HWY_EXPORT(FindByAutonomysRules);

/// Only one of the two is used, but the larger is no more than 150 KiB.
template <class Rules>
struct MatchFinder<Rules>::State {
  MatchScratch<Rules> simd{};
  ScalarMatchFinder<Rules> scalar;
  SimdMode mode = SimdMode::kBest;
};

template <class Rules>
MatchFinder<Rules>::MatchFinder(SimdMode mode) : state_(std::make_unique<State>()) {
  state_->mode = mode;
}
template <class Rules>
MatchFinder<Rules>::~MatchFinder() = default;
template <class Rules>
MatchFinder<Rules>::MatchFinder(MatchFinder&&) noexcept = default;
template <class Rules>
MatchFinder<Rules>& MatchFinder<Rules>::operator=(MatchFinder&&) noexcept = default;

template <class Rules>
std::size_t MatchFinder<Rules>::find(std::uint32_t parity, const BucketResidues& left,
                                     const BucketResidues& right) {
  if (uses_scalar(state_->mode)) {
    return state_->scalar.find(parity, {left.values.data(), left.size},
                               {right.values.data(), right.size}, state_->simd.matches.data());
  }
  if constexpr (std::is_same_v<Rules, core::pos::AbundanceRules>) {
    return HWY_DYNAMIC_DISPATCH(FindByAbundanceRules)(parity, left, right, state_->simd);
  } else {
    return HWY_DYNAMIC_DISPATCH(FindByAutonomysRules)(parity, left, right, state_->simd);
  }
}

template <class Rules>
const Match* MatchFinder<Rules>::matches() const {
  return state_->simd.matches.data();
}

template class MatchFinder<core::pos::AbundanceRules>;
template class MatchFinder<core::pos::AutonomysRules>;

}  // namespace furrow
#endif  // HWY_ONCE
