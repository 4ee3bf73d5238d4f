// SPDX-License-Identifier: Apache-2.0
// Pure arithmetic of the proof of space (docs/spec/02-proof-of-space.md): what one entry, one match
// or one proof needs. Who computes which entry, and in what order, is decided elsewhere.
//
// Bit strings of the proof of space are big-endian: bit 0 is the most significant bit of byte 0.
// BLAKE3 words are little-endian, hence the byte swaps at the border.
#pragma once

#include "furrow/core/bits.hpp"
#include "furrow/core/config.hpp"

namespace furrow::core::pos {

inline constexpr unsigned kParamExt = 6;
inline constexpr std::uint32_t kParamM = 64;
inline constexpr std::uint32_t kParamB = 119;
inline constexpr std::uint32_t kParamC = 127;
/// Width of a bucket in y values.
inline constexpr std::uint32_t kParamBC = kParamB * kParamC;
inline constexpr unsigned kNumTables = 7;
/// Entries kept in a bucket: the ones with the smallest positions (section 4).
inline constexpr std::size_t kReducedBucketSize = 272;
/// Matches kept per pair of buckets: the first ones in match order (section 5).
inline constexpr std::size_t kReducedMatchesCount = 288;
/// Values of x in one proof.
inline constexpr std::size_t kProofEntries = 64;

/// Everything that follows from K.
template <unsigned K>
struct Params {
  static_assert(K >= 15 && K <= 25, "y must fit 32 bits and buckets must exist");

  static constexpr unsigned kYBits = K + kParamExt;
  static constexpr std::uint32_t kTable1Entries = std::uint32_t{1} << K;
  static constexpr std::size_t kNumBuckets = ((std::size_t{1} << kYBits) + kParamBC - 1) / kParamBC;
  static constexpr std::size_t kNumBucketPairs = kNumBuckets - 1;
  /// Upper bound of the entries of tables 2 to 7. 2^K is not one (section 11).
  static constexpr std::size_t kMaxEntries = kNumBucketPairs * kReducedMatchesCount;
  static constexpr std::size_t kProofSize = kProofEntries * K / 8;
};

/// Bits of metadata of an entry of `table`, 1 to 7.
template <unsigned K>
FURROW_HD constexpr unsigned metadata_bits(unsigned table) {
  constexpr unsigned kTimesK[8] = {0, 1, 2, 4, 4, 3, 2, 0};
  return kTimesK[table] * K;
}

/// Bytes hashed by the table function that makes an entry of `table`, 2 to 7.
template <unsigned K>
FURROW_HD constexpr std::uint32_t table_function_input_bytes(unsigned table) {
  return (Params<K>::kYBits + 2 * metadata_bits<K>(table - 1) + 7) / 8;
}

/// y of table 1 from the K keystream bits of x: the low 6 bits are the *high* 6 bits of x.
template <unsigned K>
FURROW_HD constexpr std::uint32_t table1_y(std::uint32_t keystream_bits, std::uint32_t x) {
  return (keystream_bits << kParamExt) | (x >> (K - kParamExt));
}

FURROW_HD constexpr std::uint32_t bucket_of(std::uint32_t y) {
  return y / kParamBC;
}
FURROW_HD constexpr std::uint32_t residue_of(std::uint32_t y) {
  return y % kParamBC;
}

/// Shift of the column of target `m` for a left bucket of the given parity: (2m + parity)^2 mod C.
FURROW_HD constexpr std::uint32_t target_column_shift(std::uint32_t parity, std::uint32_t m) {
  return ((2 * m + parity) * (2 * m + parity)) % kParamC;
}

/// Residue in the right bucket that matches the left residue `r` for `m` in 0..63.
FURROW_HD constexpr std::uint32_t target(std::uint32_t parity, std::uint32_t r, std::uint32_t m) {
  return ((r / kParamC + m) % kParamB) * kParamC +
         (target_column_shift(parity, m) + r % kParamC) % kParamC;
}

/// Whether the residues `left` and `right` match: the direct test of section 5, at most one m fits.
FURROW_HD constexpr bool residues_match(std::uint32_t parity, std::uint32_t left,
                                        std::uint32_t right) {
  const std::uint32_t m = (right / kParamC + kParamB - left / kParamC) % kParamB;
  return m < kParamM && (target_column_shift(parity, m) + left) % kParamC == right % kParamC;
}

/// Input of the table function as BLAKE3 message words: y || left metadata || right metadata,
/// left-aligned, then zero bits. Words beyond the input are zero. At most 8 words are used.
template <unsigned K>
FURROW_HD constexpr void table_function_message(unsigned table, std::uint32_t left_y,
                                                uint128 left_metadata, uint128 right_metadata,
                                                std::uint32_t* words) {
  constexpr unsigned kYBits = Params<K>::kYBits;
  const unsigned p = metadata_bits<K>(table - 1);
  uint128 high = static_cast<uint128>(left_y) << (128 - kYBits);
  high |= left_metadata << (128 - kYBits - p);
  uint128 low = 0;
  const unsigned end = kYBits + 2 * p;
  if (end <= 128) {
    high |= right_metadata << (128 - end);
  } else {
    high |= right_metadata >> (end - 128);
    low = right_metadata << (256 - end);
  }
  // The compiler must see which words are zero: their additions vanish from the hash.
  const auto word = [end](uint128 bits, unsigned first, unsigned i) {
    return first + 32 * i < end ? swap_bytes(static_cast<std::uint32_t>(bits >> (96 - 32 * i))) : 0;
  };
  FURROW_UNROLL
  for (unsigned i = 0; i < 4; ++i) {
    words[i] = word(high, 0, i);
    words[4 + i] = word(low, 128, i);
  }
}

/// y from the first word of the hash.
template <unsigned K>
FURROW_HD constexpr std::uint32_t y_from_hash(std::uint32_t word0) {
  return swap_bytes(word0) >> (32 - Params<K>::kYBits);
}

/// Metadata of an entry of `table`: concatenated for tables 2 and 3, taken from the first four
/// words of the hash (from bit K + 6 on) for tables 4 to 6, nothing for table 7.
template <unsigned K>
FURROW_HD constexpr uint128 table_function_metadata(unsigned table, uint128 left_metadata,
                                                    uint128 right_metadata,
                                                    const std::uint32_t* hash_words) {
  if (table <= 3) {
    return (left_metadata << metadata_bits<K>(table - 1)) | right_metadata;
  }
  const unsigned bits = metadata_bits<K>(table);
  if (bits == 0) {
    return 0;
  }
  uint128 hash = 0;
  for (unsigned i = 0; i < 4; ++i) {
    hash = (hash << 32) | swap_bytes(hash_words[i]);
  }
  return (hash << Params<K>::kYBits) >> (128 - bits);
}

/// `count` bits of `bytes` from bit `first` on, count at most 25.
FURROW_HD constexpr std::uint32_t read_bits(const std::uint8_t* bytes, std::size_t first,
                                            unsigned count) {
  std::uint32_t result = 0;
  for (unsigned i = 0; i < count; ++i) {
    const std::size_t bit = first + i;
    result = (result << 1) | ((static_cast<std::uint32_t>(bytes[bit / 8]) >> (7 - bit % 8)) & 1U);
  }
  return result;
}

}  // namespace furrow::core::pos
