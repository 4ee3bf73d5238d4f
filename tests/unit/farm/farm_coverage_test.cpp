// SPDX-License-Identifier: Apache-2.0
// How large a farm must be to have a whole history.
#include <algorithm>
#include <limits>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "furrow/errors.hpp"

#include "host/crypto/blake3.hpp"
#include "host/farm/history_coverage.hpp"
#include "host/primitives/sector_id.hpp"

namespace furrow {
namespace {

Hash hash_of(const std::string& text) {
  return blake3({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
}

const Hash kKeyHash = hash_of("key");
const Hash kRoot = hash_of("root");

FarmerProtocolInfo protocol(std::uint64_t segments) {
  FarmerProtocolInfo info;
  info.history_size = HistorySize::from_count(segments);
  return info;
}

SectorId id_of(std::uint16_t index, std::uint64_t segments) {
  return derive_sector_id(Network::kAbundance, kKeyHash, kRoot, SectorIndex(index),
                          HistorySize::from_count(segments));
}

/// Whether `sectors` sectors, as the arguments describe them, hold 128 pieces of each segment.
bool covers(std::uint16_t sectors, std::uint64_t segments, std::uint16_t pieces_in_sector,
            const std::vector<std::optional<PlottedSectorId>>& existing = {}) {
  std::vector<std::set<std::uint64_t>> pieces(segments);
  for (std::uint16_t i = 0; i < sectors; ++i) {
    PlottedSectorId sector{id_of(i, segments), HistorySize::from_count(segments)};
    if (i < existing.size() && existing[i]) {
      sector = *existing[i];
    }
    for (std::uint16_t offset = 0; offset < pieces_in_sector; ++offset) {
      const std::uint64_t piece = derive_piece_index(sector.sector_id, PieceOffset(offset),
                                                     protocol(sector.history_size.count()))
                                      .value();
      pieces.at(piece / 256).insert(piece);
    }
  }
  return std::all_of(pieces.begin(), pieces.end(),
                     [](const auto& segment) { return segment.size() >= 128; });
}

TEST(SectorsToCoverHistory, IsTheSmallestNumber) {
  for (const auto& [segments, pieces] :
       std::initializer_list<std::pair<std::uint64_t, std::uint16_t>>{
           {1, 1}, {1, 10}, {1, 1000}, {2, 2}, {5, 32}, {60, 1000}}) {
    SCOPED_TRACE(std::to_string(segments) + " segments, " + std::to_string(pieces) + " pieces");
    const std::uint16_t count =
        sectors_to_cover_history(kKeyHash, kRoot, protocol(segments), pieces);
    EXPECT_TRUE(covers(count, segments, pieces));
    EXPECT_GE(count, 1);
    if (count > 1) {
      EXPECT_FALSE(covers(static_cast<std::uint16_t>(count - 1), segments, pieces));
    }
  }
}

TEST(SectorsToCoverHistory, ExistingSectorsCountWithTheirOwnHistory) {
  // Plotted when there was one segment only: they hold pieces of that one.
  std::vector<std::optional<PlottedSectorId>> existing;
  for (std::uint16_t i = 0; i < 10; ++i) {
    existing.emplace_back(PlottedSectorId{id_of(i, 1), HistorySize::from_count(1)});
  }
  existing[4] = std::nullopt;
  const std::uint16_t count = sectors_to_cover_history(kKeyHash, kRoot, protocol(4), 20, existing);
  EXPECT_TRUE(covers(count, 4, 20, existing));
  EXPECT_FALSE(covers(static_cast<std::uint16_t>(count - 1), 4, 20, existing));
  EXPECT_GT(count, sectors_to_cover_history(kKeyHash, kRoot, protocol(4), 20));
  // Sectors that are there stay, needed or not.
  EXPECT_EQ(sectors_to_cover_history(kKeyHash, kRoot, protocol(1), 1000, existing), 10);
}

TEST(SectorsToCoverHistory, RefusesWhatCannotBeHeld) {
  EXPECT_THROW(sectors_to_cover_history(kKeyHash, kRoot, protocol(1), 0), InvalidArgument);
  // 65534 pieces: enough for 511 segments if none were drawn twice, but they are.
  EXPECT_THROW(sectors_to_cover_history(kKeyHash, kRoot, protocol(511), 1), InvalidArgument);
  EXPECT_THROW(sectors_to_cover_history(kKeyHash, kRoot, protocol(512), 1), InvalidArgument);
  EXPECT_THROW(sectors_to_cover_history(kKeyHash, kRoot,
                                        protocol(std::numeric_limits<std::uint64_t>::max()), 1000),
               InvalidArgument);
}

}  // namespace
}  // namespace furrow
