// SPDX-License-Identifier: Apache-2.0
// Proof of space as docs/spec/02-proof-of-space.md and 09-autonomys.md, section 5, write it down: bit
// strings are strings of bits, every match is looked for one by one. Small K only.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

namespace furrow::reference {

struct PosEntry {
  std::uint64_t y;
  std::vector<bool> metadata;
  /// Positions of the two parents, in the table before; 0 in table 1.
  std::size_t left;
  std::size_t right;
};

struct PosProofs {
  /// Bit per s-bucket, least significant bit of byte 0 first.
  std::vector<std::uint8_t> found_proofs;
  std::vector<std::uint16_t> s_buckets;
  /// In the order of the s-buckets, 8 K bytes each.
  std::vector<std::vector<std::uint8_t>> proofs;
  std::vector<std::array<std::uint8_t, 32>> proof_hashes;
  /// Tables 1 to 7, the first one at index 0.
  std::vector<std::vector<PosEntry>> tables;
};

/// By the rules of Abundance.
PosProofs pos_proofs(unsigned k, const std::array<std::uint8_t, 32>& seed);

/// By the rules of Autonomys: nothing is cut, and each table is sorted as a whole, so that positions
/// are ranks. For K = 15 the last bit of an s-bucket's bit string counts as zero.
PosProofs autonomys_pos_proofs(unsigned k, const std::array<std::uint8_t, 32>& seed);

}  // namespace furrow::reference
