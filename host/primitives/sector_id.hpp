// SPDX-License-Identifier: Apache-2.0
// What follows from the place of a sector: its id, its pieces, its seeds, its end
// (docs/spec/01-primitives.md, section 9; docs/spec/09-autonomys.md, section 4).
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "furrow/piece.hpp"
#include "furrow/types.hpp"

#include "host/base/simd_mode.hpp"

namespace furrow {

/// Remainder of the little-endian 256-bit integer `bytes` by `divisor`. Pre: divisor != 0.
std::uint64_t u256_modulo(std::span<const std::uint8_t, 32> bytes, std::uint64_t divisor);

Hash public_key_hash(const PublicKey& public_key);

/// Root of the 2^20 shard commitments that belong to `seed` and the history size (section 9.2).
/// Takes a good part of a second; keep the result.
Hash shard_commitments_root(SimdMode mode, const Hash& seed, HistorySize history_size);

/// `shard_commitments_root` is of Abundance and not looked at for another network.
SectorId derive_sector_id(Network network, const Hash& public_key_hash,
                          const Hash& shard_commitments_root, SectorIndex sector_index,
                          HistorySize history_size);

/// Index of the piece at `offset` of a sector (section 9.4). Throws InvalidArgument for parameters
/// beyond any chain, for which the rule overflows or is not defined.
PieceIndex derive_piece_index(const SectorId& sector_id, PieceOffset offset,
                              const FarmerProtocolInfo& info);

/// Seed of the proof of space for the record at `offset`.
PosSeed derive_evaluation_seed(const SectorId& sector_id, PieceOffset offset);

SectorSlotChallenge derive_sector_slot_challenge(const SectorId& sector_id,
                                                 const GlobalChallenge& global_challenge);
/// The s-bucket that the challenge audits.
SBucket s_bucket_audit_index(const SectorSlotChallenge& challenge);

/// History size at which the sector expires; none when the arithmetic overflows (section 9.7).
/// `super_segment_root` covers the segment at history_size + min_sector_lifetime.
std::optional<HistorySize> derive_expiration_history_size(const SectorId& sector_id,
                                                          HistorySize history_size,
                                                          const Hash& super_segment_root,
                                                          HistorySize min_sector_lifetime);
/// The same for Autonomys: `segment_commitment` is that of the segment itself.
std::optional<HistorySize> derive_expiration_history_size(const SectorId& sector_id,
                                                          HistorySize history_size,
                                                          const G1Point& segment_commitment,
                                                          HistorySize min_sector_lifetime);

}  // namespace furrow
