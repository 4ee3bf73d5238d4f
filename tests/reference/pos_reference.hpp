// Proof of space as docs/spec/02-proof-of-space.md writes it down: bit strings are strings of bits,
// every match is looked for one by one. Small K only.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

namespace furrow::reference {

struct PosProofs {
  /// Bit per s-bucket, least significant bit of byte 0 first.
  std::vector<std::uint8_t> found_proofs;
  std::vector<std::uint16_t> s_buckets;
  /// In the order of the s-buckets, 8 K bytes each.
  std::vector<std::vector<std::uint8_t>> proofs;
  std::vector<std::array<std::uint8_t, 32>> proof_hashes;
  /// Entries of tables 1 to 6.
  std::vector<std::size_t> table_sizes;
};

PosProofs pos_proofs(unsigned k, const std::array<std::uint8_t, 32>& seed);

/// BLAKE3 of at most 1024 bytes.
std::array<std::uint8_t, 32> small_blake3(const std::vector<std::uint8_t>& message);

}  // namespace furrow::reference
