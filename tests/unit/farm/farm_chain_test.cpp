// SPDX-License-Identifier: Apache-2.0
// What the chain of a farm has decided, in furrow.json.
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "host/farm/chain_parameters.hpp"
#include "host/farm/farm.hpp"
#include "host/farm/piece_finder.hpp"
#include "host/farm/scrub.hpp"
#include "tests/support/made_up_farm.hpp"
#include "tests/support/temp_directory.hpp"

namespace furrow {
namespace {

namespace fs = std::filesystem;

ChainParameters other_chain() {
  ChainParameters chain;
  chain.max_pieces_in_sector = 500;
  chain.recent_segments = HistorySize::from_count(7);
  chain.recent_history_numerator = HistorySize::from_count(1);
  chain.recent_history_denominator = HistorySize::from_count(3);
  chain.min_sector_lifetime = HistorySize::from_count(9);
  return chain;
}

TEST(ChainParameters, TheTextOfADevelopmentChain) {
  EXPECT_EQ(ChainParameters().to_text(),
            R"({"v0":{"maxPiecesInSector":1000,"recentSegments":5,"recentHistoryNumerator":1,)"
            R"("recentHistoryDenominator":10,"minSectorLifetime":4,"checksum":)"
            R"("235e8399864d5a508561f1fca8f2b6072c6efbbc95b514dcda8e752242baafc4"}})");
}

TEST(ChainParameters, AreReadAsTheyWereWritten) {
  const ChainParameters chain = other_chain();
  EXPECT_EQ(ChainParameters::parse(chain.to_text(), "file"), chain);
  const FarmerProtocolInfo info = chain.at(HistorySize::from_count(20));
  EXPECT_EQ(info.history_size.count(), 20);
  EXPECT_EQ(info.max_pieces_in_sector, 500);
  EXPECT_EQ(info.recent_segments.count(), 7);
  EXPECT_EQ(info.recent_history_denominator.count(), 3);
  EXPECT_EQ(info.min_sector_lifetime.count(), 9);
}

TEST(ChainParameters, NoChangedBitIsTakenForOtherValues) {
  const std::string text = other_chain().to_text();
  for (std::size_t i = 0; i < text.size(); ++i) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string changed = text;
      changed[i] = static_cast<char>(changed[i] ^ (1 << bit));
      try {
        EXPECT_EQ(ChainParameters::parse(changed, "file"), other_chain()) << changed;
      } catch (const MalformedData& error) {
        EXPECT_NE(std::string(error.what()).find("file"), std::string::npos);
      }
    }
    EXPECT_THROW((void)ChainParameters::parse(text.substr(0, i), "file"), MalformedData) << i;
  }
}

TEST(FarmChain, DifferencesAreNamed) {
  ChainParameters chain;
  EXPECT_EQ(chain.differing_from(chain), "");
  chain.max_pieces_in_sector = 7;
  chain.recent_segments = HistorySize::from_count(9);
  EXPECT_EQ(chain.differing_from(ChainParameters()), "maxPiecesInSector 7, recentSegments 9");
}

TEST(FarmChain, ANewFarmStatesItAndKeepsToIt) {
  const test::TempDirectory directory;
  const fs::path path = directory.path() / "farm";
  FarmOptions options = test::plot_options(path, 2);
  options.chain_parameters = other_chain();
  Farm::open(options).reset();
  const auto farm = Farm::open(test::read_options(path));
  EXPECT_TRUE(farm->states_chain_parameters());
  EXPECT_EQ(farm->chain_parameters(), other_chain());
  options.chain_parameters = ChainParameters();
  try {
    Farm::open(options);
    ADD_FAILURE() << "other parameters are accepted";
  } catch (const ChainParametersMismatch& error) {
    EXPECT_EQ(error.fields().expected, ChainParameters().differing_from(other_chain()));
    EXPECT_EQ(error.fields().actual, other_chain().differing_from(ChainParameters()));
  }
  options.chain_parameters.reset();
  EXPECT_EQ(Farm::open(options)->chain_parameters(), other_chain());
}

TEST(FarmChain, AFarmThatStatesNoneIsOfADevelopmentChain) {
  const test::TempDirectory directory;
  const fs::path path = directory.path() / "farm";
  test::make_farm(path, 2, 1);
  EXPECT_TRUE(Farm::open(test::read_options(path))->states_chain_parameters());
  fs::remove(path / kChainFileName);
  const auto farm = Farm::open(test::plot_options(path, 2));
  EXPECT_FALSE(farm->states_chain_parameters());
  EXPECT_EQ(farm->chain_parameters(), ChainParameters());
  EXPECT_FALSE(fs::exists(path / kChainFileName)) << "what is not known is not made up";
}

TEST(FarmChain, DecidesWhichPiecesASectorHolds) {
  const test::TempDirectory directory;
  const fs::path path = directory.path() / "farm";
  FarmOptions options = test::plot_options(path, 1);
  options.chain_parameters = other_chain();
  const auto farm = Farm::open(options);
  const test::MadeUpSector sector = test::made_up_sector(0);
  farm->write_sector(SectorIndex(0), sector.bytes, sector.metadata);
  const IndexedSector plotted{SectorIndex(0), sector.metadata.history_size};
  const std::vector<PieceIndex> pieces = farm->pieces_of(plotted);
  const SectorId id = farm->sector_id(SectorIndex(0));
  EXPECT_EQ(pieces, pieces_of_sector(id, other_chain().at(plotted.history_size), 1));
  const HistorySize later = HistorySize::from_count(60);  // recent history counts from 51 on
  EXPECT_NE(pieces_of_sector(id, other_chain().at(later), 10),
            pieces_of_sector(id, ChainParameters().at(later), 10));
  EXPECT_EQ(PieceFinder(*farm).find(pieces.front()).size(), 1);
}

TEST(FarmChain, ADamagedFileIsRefusedAndNothingIsWritten) {
  const test::TempDirectory directory;
  const fs::path path = directory.path() / "farm";
  test::make_farm(path, 1, 1);
  const std::string before = test::file_text(path / kMetadataFileName);
  test::flip_byte(path / kChainFileName, 10);
  EXPECT_THROW(Farm::open(test::plot_options(path, 2)), MalformedData);
  EXPECT_THROW(Farm::open(test::read_options(path)), MalformedData);
  EXPECT_EQ(test::file_text(path / kMetadataFileName), before);
}

TEST(FarmChain, ScrubFindsADamagedFileAndNothingAmissWithoutOne) {
  const test::TempDirectory directory;
  const fs::path path = directory.path() / "farm";
  test::make_farm(path, 1, 1);
  const auto broken = [&] {
    std::vector<std::string> things;
    for (const ScrubFinding& finding : scrub_farm({.directory = path}).broken) {
      things.push_back(finding.thing);
    }
    return things;
  };
  EXPECT_EQ(broken(), std::vector<std::string>());
  test::flip_byte(path / kChainFileName, 10);
  EXPECT_EQ(broken(), std::vector<std::string>{kChainFileName});
  fs::remove(path / kChainFileName);
  EXPECT_EQ(broken(), std::vector<std::string>());
}

}  // namespace
}  // namespace furrow
