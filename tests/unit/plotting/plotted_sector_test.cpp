// SPDX-License-Identifier: Apache-2.0
// The SCALE form of a plotted sector, against messages of the reference's cluster that hold one
// (docs/spec/03, section 4.2; docs/spec/07, section 7.3).
#include "host/plotting/plotted_sector.hpp"

#include <gtest/gtest.h>

#include "host/base/hex.hpp"
#include "host/crypto/blake3.hpp"
#include "host/primitives/scale.hpp"
#include "tools/vectors/golden_stream.hpp"

namespace furrow {
namespace {

PlottedSector empty_sector() {
  PlottedSector sector;
  sector.sector_id.bytes.fill(0xCC);
  sector.sector_index = SectorIndex(7);
  sector.sector_metadata.sector_index = SectorIndex(7);
  sector.sector_metadata.pieces_in_sector = 1;
  sector.sector_metadata.history_size = HistorySize::from_count(42);
  sector.piece_indexes = {PieceIndex(300)};
  return sector;
}

PlottedSector sector_of_three_pieces() {
  PlottedSector sector = empty_sector();
  SectorMetadata& metadata = sector.sector_metadata;
  metadata.pieces_in_sector = 3;
  metadata.history_size = HistorySize::from_count(1);
  const std::vector<std::uint8_t> sizes = vectors::stream(0x1001, 2 * kNumSBuckets);
  for (std::size_t s = 0; s < kNumSBuckets; ++s) {
    metadata.s_bucket_sizes[s] = static_cast<std::uint16_t>(sizes[2 * s] | sizes[2 * s + 1] << 8);
  }
  sector.piece_indexes = {PieceIndex(5), PieceIndex(5), PieceIndex(std::uint64_t{1} << 40)};
  return sector;
}

/// The message "Finished" around it: a variant before, a duration behind.
std::string digest_of_message(const PlottedSector& sector) {
  ScaleWriter message;
  message.u8(6).raw(sector.encode()).u64(3).u32(250'000'000);
  return to_hex(blake3(message.bytes()).bytes);
}

TEST(PlottedSector, HasTheBytesOfTheReference) {
  EXPECT_EQ(empty_sector().encode().size(), 131'159U);
  EXPECT_EQ(digest_of_message(empty_sector()),
            "6d37a2b7016f0198cc45845500329d6490c8b81387b47b12836f9b30cfca49d1");
  EXPECT_EQ(digest_of_message(sector_of_three_pieces()),
            "e4048ffa99f072c5e0b7b6972d464534e591e92d140798ae742429f7656baefe");
}

TEST(PlottedSector, SurvivesTheRoundTrip) {
  for (const PlottedSector& sector : {empty_sector(), sector_of_three_pieces()}) {
    EXPECT_EQ(PlottedSector::decode(Network::kAbundance, sector.encode(), "test"), sector);
  }
}

TEST(PlottedSector, OfTheWrongLengthIsRefused) {
  std::vector<std::uint8_t> bytes = sector_of_three_pieces().encode();
  for (const std::size_t length :
       {std::size_t{0}, std::size_t{31}, std::size_t{33}, std::size_t{34}, std::size_t{131'149},
        std::size_t{131'150}, bytes.size() - 1}) {
    EXPECT_THROW(PlottedSector::decode(Network::kAbundance, std::span(bytes).first(length), "test"),
                 ScaleError)
        << length;
  }
  bytes.push_back(0);
  EXPECT_THROW(PlottedSector::decode(Network::kAbundance, bytes, "test"), ScaleError);
}

TEST(PlottedSector, OfChangedMetadataIsRefused) {
  std::vector<std::uint8_t> bytes = sector_of_three_pieces().encode();
  bytes[34 + 1000] ^= 1;
  EXPECT_THROW(PlottedSector::decode(Network::kAbundance, bytes, "test"), ChecksumMismatch);
}

TEST(PlottedSector, ThatContradictsItselfIsRefused) {
  PlottedSector sector = sector_of_three_pieces();
  sector.piece_indexes.pop_back();
  EXPECT_THROW(PlottedSector::decode(Network::kAbundance, sector.encode(), "test"), ScaleError);
  sector = sector_of_three_pieces();
  sector.sector_index = SectorIndex(8);
  EXPECT_THROW(PlottedSector::decode(Network::kAbundance, sector.encode(), "test"), ScaleError);
  // A count that would take all memory, were it believed.
  std::vector<std::uint8_t> bytes = sector_of_three_pieces().encode();
  bytes.resize(131'150);
  bytes.insert(bytes.end(), {0x13, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF});
  EXPECT_THROW(PlottedSector::decode(Network::kAbundance, bytes, "test"), ScaleError);
}

}  // namespace
}  // namespace furrow
