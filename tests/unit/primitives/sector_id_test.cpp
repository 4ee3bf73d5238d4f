// SPDX-License-Identifier: Apache-2.0
// Derivations: known answers of docs/spec/01, section 11, and refusals.
#include "host/primitives/sector_id.hpp"

#include <gtest/gtest.h>

#include "furrow/errors.hpp"

#include "host/base/hex.hpp"
#include "host/crypto/blake3.hpp"

namespace furrow {
namespace {

FarmerProtocolInfo info_with_history(std::uint64_t segments) {
  FarmerProtocolInfo info;
  info.history_size = HistorySize::from_count(segments);
  return info;
}

TEST(SectorId, RemainderKnownAnswers) {
  const Hash h = blake3(std::vector<std::uint8_t>{1, 2, 3});
  EXPECT_EQ(u256_modulo(h.bytes, 749265838), 96295755U);
  EXPECT_EQ(u256_modulo(h.bytes, std::uint64_t{1} << 32), 468481969U);
  EXPECT_EQ(u256_modulo(h.bytes, ~std::uint64_t{0}), 11641615165612301982U);
}

TEST(SectorId, SectorsAAndBOfTheSpecification) {
  const Hash key_hash = public_key_hash(PublicKey{});
  EXPECT_EQ(to_hex(key_hash.bytes),
            "2ada83c1819a5372dae1238fc1ded123c8104fdaa15862aaee69428a1820fcda");
  const Hash root_a = shard_commitments_root(SimdMode::kBest, Hash{}, HistorySize::from_count(1));
  EXPECT_EQ(to_hex(root_a.bytes),
            "bfeee57bde1fb91fafbb75f78cf0685d62961625c6ff18a0f85892d6089af1cf");
  const Hash root_b =
      shard_commitments_root(SimdMode::kBest, Hash{}, HistorySize::from_count(1000));
  EXPECT_EQ(to_hex(root_b.bytes),
            "72c918dafe925676479182dfa4d8add1fc4f18798a26fcb894515541025afe46");

  const SectorId a = derive_sector_id(Network::kAbundance, key_hash, root_a, SectorIndex(0),
                                      HistorySize::from_count(1));
  EXPECT_EQ(to_hex(a.bytes), "e52fa29b2d4fa8c07cb53806ad7f1349a3e8f1171285174df9c32ba994e23956");
  const SectorId b = derive_sector_id(Network::kAbundance, key_hash, root_b, SectorIndex(7),
                                      HistorySize::from_count(1000));
  EXPECT_EQ(to_hex(b.bytes), "390eeb002370a9020e7ef181a0e519dff2bbbf4edae32c6c8f4ce4103b829480");

  const std::uint16_t offsets[] = {0, 1, 2, 3, 198, 199, 200, 201, 999};
  const std::uint64_t pieces_a[] = {133, 7, 82, 113, 186, 194, 86, 252, 136};
  const std::uint64_t pieces_b[] = {225131, 255689, 117517, 255041, 143134,
                                    255849, 201580, 175225, 29061};
  for (std::size_t i = 0; i < std::size(offsets); ++i) {
    const PieceOffset offset(offsets[i]);
    EXPECT_EQ(derive_piece_index(a, offset, info_with_history(1)).value(), pieces_a[i]);
    EXPECT_EQ(derive_piece_index(b, offset, info_with_history(1000)).value(), pieces_b[i]);
  }
  EXPECT_EQ(to_hex(derive_evaluation_seed(b, PieceOffset(1)).bytes),
            "93c2471150683bb988da2cf55e7c55bb3ab83bca878ec99feb137561dfab50a5");
  GlobalChallenge challenge;
  for (std::size_t i = 0; i < challenge.size(); ++i) {
    challenge.bytes[i] = static_cast<std::uint8_t>(i);
  }
  const SectorSlotChallenge slot = derive_sector_slot_challenge(b, challenge);
  EXPECT_EQ(to_hex(slot.bytes), "390fe9032775af050677fb8aace817d0e2aaad5dcef63a7b9755fe0b279f8a9f");
  EXPECT_EQ(s_bucket_audit_index(slot), SBucket(3897));
  Hash root;
  root.bytes.fill(0x22);
  EXPECT_EQ(derive_expiration_history_size(b, HistorySize::from_count(1000), root,
                                           HistorySize::from_count(4)),
            HistorySize::from_count(1799));
}

TEST(SectorId, ParametersBeyondAnyChainAreRefused) {
  FarmerProtocolInfo info = info_with_history(1000);
  info.recent_segments = HistorySize::from_count(std::uint64_t{1} << 40);
  info.recent_history_denominator = HistorySize::from_count(std::uint64_t{1} << 40);
  EXPECT_THROW(derive_piece_index(SectorId{}, PieceOffset(0), info), InvalidArgument);
  info = info_with_history(6);  // fraction above one: the recent part can exceed the history
  info.recent_segments = HistorySize::from_count(10);
  info.recent_history_numerator = HistorySize::from_count(2);
  info.recent_history_denominator = HistorySize::from_count(1);
  EXPECT_THROW(derive_piece_index(SectorId{}, PieceOffset(1), info), InvalidArgument);
}

TEST(HistorySize, ViewsSaturate) {
  const HistorySize largest = HistorySize::from_stored(~std::uint64_t{0});
  EXPECT_EQ(largest.count(), ~std::uint64_t{0});
  EXPECT_EQ(largest.in_pieces(), ~std::uint64_t{0});
  EXPECT_EQ(HistorySize::from_count(std::uint64_t{1} << 56).in_pieces(), ~std::uint64_t{0});
  EXPECT_EQ(HistorySize::from_count((std::uint64_t{1} << 56) - 1).in_pieces(),
            ((std::uint64_t{1} << 56) - 1) * 256);
  EXPECT_EQ(HistorySize::from_count(1).stored(), 0U);
}

}  // namespace
}  // namespace furrow
