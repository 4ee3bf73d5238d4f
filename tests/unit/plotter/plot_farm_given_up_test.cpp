// SPDX-License-Identifier: Apache-2.0
// A sector that no encoder can encode is not in the farm, neither counted nor half written, and the
// next run plots it.
#include <gtest/gtest.h>

#include "host/plotter/plot_farm.hpp"
#include "host/primitives/sector_id.hpp"
#include "tests/support/temp_directory.hpp"
#include "tests/unit/farm/farm_files.hpp"
#include "tests/unit/plotting/plot_pipeline_fixture.hpp"

namespace furrow {
namespace {

constexpr std::uint16_t kSectors = 4;

class PlotFarmGivenUp : public testing::Test {
 protected:
  /// Plots what is missing with an encoder that cannot encode the sectors of `broken`.
  PlotResult plot(Farm& farm, const std::vector<SectorIndex>& broken) {
    std::vector<SectorId> ids;
    for (const SectorIndex index : broken) {
      ids.push_back(derive_sector_id(Network::kAbundance, farm.identity().public_key_hash(),
                                     farm.shard_commitments_root(HistorySize::from_count(2)), index,
                                     HistorySize::from_count(2)));
    }
    std::vector<std::unique_ptr<RecordsEncoder>> encoders;
    encoders.push_back(std::make_unique<FakeEncoder>(FakeEncoder::Options{
        .before_batch_of =
            [ids](const SectorId& id) {
              if (std::find(ids.begin(), ids.end(), id) != ids.end()) {
                throw TooFewProofs(PieceOffset(0), 17);
              }
            },
        .after_record = [](PieceOffset, Record&,
                           FoundProofs& found_proofs) { found_proofs.bytes.fill(0x5A); }}));
    EncoderPool pool({.encoders = std::move(encoders)});
    test::MadeUpPieces pieces;
    const PlotPipelineOptions options{
        .download = {.piece_getter = pieces}, .encoders = pool, .sectors_in_memory = 1};
    return plot_farm(farm, sectors_to_plot(farm, kSectors), HistorySize::from_count(2), options,
                     {});
  }
  [[nodiscard]] std::unique_ptr<Farm> open() const {
    FarmOptions options = test::plot_options(directory_.path() / "farm", kSectors);
    options.pieces_in_sector = test::kPieces;
    options.allocated_space = allocated_space_for_sectors(kSectors, test::kPieces);
    return Farm::open(options);
  }

  test::TempDirectory directory_;
};

TEST_F(PlotFarmGivenUp, IsLostUntilItIsPlotted) {
  {
    const auto farm = open();
    const PlotResult result = plot(*farm, {SectorIndex(1), SectorIndex(3)});
    EXPECT_EQ(result.outcome, PlotOutcome::kFinished);
    ASSERT_EQ(result.given_up.size(), 2U);
    EXPECT_EQ(result.given_up[0].sector_index, SectorIndex(1));
    EXPECT_EQ(result.given_up[1].sector_index, SectorIndex(3));
    EXPECT_TRUE(farm->begin_modifying(SectorIndex(1)).has_value()) << "nobody is at it any more";
  }
  const auto farm = open();
  EXPECT_EQ(farm->sector_count(), 3) << "nothing follows the last one";
  EXPECT_EQ(farm->sector_state(SectorIndex(1)), SectorState::kLost);
  EXPECT_EQ(farm->sectors_in_state(SectorState::kPlotted),
            (std::vector<SectorIndex>{SectorIndex(0), SectorIndex(2)}));
  EXPECT_EQ(sectors_to_plot(*farm, kSectors),
            (std::vector<SectorIndex>{SectorIndex(1), SectorIndex(3)}));

  EXPECT_TRUE(plot(*farm, {}).given_up.empty());
  EXPECT_EQ(farm->sectors_in_state(SectorState::kPlotted).size(), kSectors);
}

}  // namespace
}  // namespace furrow
