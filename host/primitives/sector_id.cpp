// SPDX-License-Identifier: Apache-2.0
#include "host/primitives/sector_id.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "furrow/core/bits.hpp"
#include "furrow/core/evaluation_seed.hpp"
#include "furrow/errors.hpp"

#include "host/base/counted.hpp"
#include "host/crypto/blake3.hpp"
#include "host/primitives/merkle.hpp"

namespace furrow {
namespace {

constexpr std::size_t kNumShardCommitments = std::size_t{1} << 20;

/// Message or key of fixed length, filled from the front.
template <std::size_t N>
class Message {
 public:
  template <class T>
  Message& integer(T value) {
    for (std::size_t i = 0; i < sizeof(T); ++i) {
      bytes_[length_++] = static_cast<std::uint8_t>(value >> (8 * i));
    }
    return *this;
  }
  Message& append(std::span<const std::uint8_t> bytes) {
    std::copy(bytes.begin(), bytes.end(), bytes_.begin() + static_cast<std::ptrdiff_t>(length_));
    length_ += bytes.size();
    return *this;
  }
  [[nodiscard]] const std::array<std::uint8_t, N>& bytes() const { return bytes_; }

 private:
  std::array<std::uint8_t, N> bytes_{};
  std::size_t length_ = 0;
};

std::uint64_t checked_product(std::uint64_t a, std::uint64_t b, const char* what) {
  std::uint64_t product = 0;
  if (__builtin_mul_overflow(a, b, &product)) {
    throw InvalidArgument(std::string("protocol parameters overflow: ") + what + " (" +
                          std::to_string(a) + " * " + std::to_string(b) + ")");
  }
  return product;
}

/// Drawn from a commitment to history at history_size + min_sector_lifetime.
std::optional<HistorySize> expiration(const SectorId& sector_id, HistorySize history_size,
                                      std::span<const std::uint8_t> commitment,
                                      HistorySize min_sector_lifetime) {
  const std::uint64_t lifetime = min_sector_lifetime.count();
  std::uint64_t check = 0;
  std::uint64_t last = 0;
  if (__builtin_add_overflow(history_size.count(), lifetime, &check) ||
      __builtin_mul_overflow(history_size.count(), std::uint64_t{4}, &last) ||
      __builtin_add_overflow(last, lifetime, &last)) {
    return std::nullopt;
  }
  const Hash hash = Blake3Hasher().update(sector_id.bytes).update(commitment).finalize();
  // last - check = 3 * history size >= 3, and check + (last - check) - 1 < last: nothing can fail.
  return HistorySize::from_count(check + u256_modulo(hash.bytes, last - check));
}

}  // namespace

std::uint64_t u256_modulo(std::span<const std::uint8_t, 32> bytes, std::uint64_t divisor) {
  std::uint64_t remainder = 0;
  for (std::size_t word = 4; word-- > 0;) {
    const uint128 value =
        (static_cast<uint128>(remainder) << 64) | core::load_le64(bytes.data() + 8 * word);
    remainder = static_cast<std::uint64_t>(value % divisor);
  }
  return remainder;
}

Hash public_key_hash(const PublicKey& public_key) {
  return blake3(public_key.bytes);
}

Hash shard_commitments_root(SimdMode mode, const Hash& seed, HistorySize history_size) {
  std::vector<std::uint8_t> leaves(kNumShardCommitments * kHashSize);
  Blake3Hasher(seed)
      .update(Message<8>().integer(history_size.stored()).bytes())
      .finalize_extended(leaves);
  return balanced_merkle_root(mode, leaves);
}

SectorId derive_sector_id(Network network, const Hash& public_key_hash,
                          const Hash& shard_commitments_root, SectorIndex sector_index,
                          HistorySize history_size) {
  const auto place = [&](auto message) {
    return message.integer(sector_index.value()).integer(history_size.count());
  };
  const Hash id =
      network == Network::kAbundance
          ? blake3_keyed(public_key_hash,
                         place(Message<42>()).append(shard_commitments_root.bytes).bytes())
          : blake3_keyed(public_key_hash, place(Message<10>()).bytes());
  return {id.bytes};
}

PieceIndex derive_piece_index(const SectorId& sector_id, PieceOffset offset,
                              const FarmerProtocolInfo& info) {
  const std::uint64_t recent = info.recent_segments.in_pieces();
  const std::uint64_t numerator = info.recent_history_numerator.in_pieces();
  const std::uint64_t denominator = info.recent_history_denominator.in_pieces();
  const std::uint64_t history = info.history_size.in_pieces();
  const std::uint64_t min_history =
      checked_product(recent, denominator, "recent segments * fraction denominator") / numerator;
  const std::uint64_t interleaved =
      std::max<std::uint64_t>(1, checked_product(info.max_pieces_in_sector, numerator,
                                                 "pieces in sector * fraction numerator") /
                                     denominator * 2);

  const Hash key{Message<kHashSize>().integer(offset.value()).bytes()};
  const Hash hash = blake3_keyed(key, sector_id.bytes);

  if (history > min_history && offset.value() < interleaved && offset.value() % 2 == 1) {
    if (history < recent) {
      throw InvalidArgument("protocol parameters: history of " + counted(history, "piece") +
                            " is shorter than its recent part of " + std::to_string(recent));
    }
    return PieceIndex(u256_modulo(hash.bytes, recent) + (history - recent));
  }
  return PieceIndex(u256_modulo(hash.bytes, history));
}

PosSeed derive_evaluation_seed(const SectorId& sector_id, PieceOffset offset) {
  PosSeed seed;
  core::evaluation_seed(sector_id.data(), offset.value(), seed.data());
  return seed;
}

SectorSlotChallenge derive_sector_slot_challenge(const SectorId& sector_id,
                                                 const GlobalChallenge& global_challenge) {
  SectorSlotChallenge challenge;
  for (std::size_t i = 0; i < challenge.size(); ++i) {
    challenge.bytes[i] = sector_id.bytes[i] ^ global_challenge.bytes[i];
  }
  return challenge;
}

SBucket s_bucket_audit_index(const SectorSlotChallenge& challenge) {
  return SBucket(static_cast<std::uint16_t>(challenge.bytes[0] | (challenge.bytes[1] << 8)));
}

std::optional<HistorySize> derive_expiration_history_size(const SectorId& sector_id,
                                                          HistorySize history_size,
                                                          const Hash& super_segment_root,
                                                          HistorySize min_sector_lifetime) {
  return expiration(sector_id, history_size, super_segment_root.bytes, min_sector_lifetime);
}

std::optional<HistorySize> derive_expiration_history_size(const SectorId& sector_id,
                                                          HistorySize history_size,
                                                          const G1Point& segment_commitment,
                                                          HistorySize min_sector_lifetime) {
  return expiration(sector_id, history_size, segment_commitment.bytes, min_sector_lifetime);
}

}  // namespace furrow
