// SPDX-License-Identifier: Apache-2.0
// Farms of the C interface: created, plotted into, read again, refused.
#include <algorithm>
#include <array>
#include <filesystem>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/temp_directory.hpp"
#include "tests/unit/capi/plotter_fixture.hpp"

namespace furrow::test {
namespace {

class CFarm : public PlotterTest {};

TEST_F(CFarm, IsPlottedAndItsPiecesComeBack) {
  const TempDirectory folder;
  const std::filesystem::path directory = folder.path() / "farm";
  const std::array<std::uint8_t, FURROW_HASH_SIZE> genesis = {9};
  auto options = made_by(furrow_farm_options_init);
  options.mode = FURROW_FARM_CREATE;
  options.pieces_in_sector = 2;
  options.min_sectors = 3;
  options.cache_percentage = 0;
  options.genesis_root = genesis.data();
  furrow_farm* opened = nullptr;
  ASSERT_EQ(furrow_farm_open(library_.get(), directory.c_str(), &options, &opened), FURROW_OK)
      << furrow_last_error();
  FarmHandle farm(opened);
  // The lock is held.
  furrow_farm* second = nullptr;
  EXPECT_EQ(furrow_farm_open(library_.get(), directory.c_str(), &options, &second),
            FURROW_UNAVAILABLE);
  EXPECT_EQ(last_error().kind, FURROW_ERROR_FARM_IN_USE);

  const SourceHandle source = made_up_source(library_);
  const PlotterHandle plotter = make_plotter(library_, encoder_, source);
  auto request = made_by(furrow_plot_farm_request_init);
  request.farm = farm.get();
  request.history_size = 3;
  request.most_sectors = 2;
  Told told;
  request.on_event = Told::on_event;
  request.user = &told;
  std::size_t given_up = 9;
  ASSERT_EQ(furrow_plotter_plot_farm(plotter.get(), &request, &given_up), FURROW_OK)
      << furrow_last_error();
  EXPECT_EQ(given_up, 0U);
  EXPECT_EQ(std::ranges::count(told.stages, FURROW_PLOT_FINISHED), 2);
  auto info = to_fill<furrow_farm_info>();
  ASSERT_EQ(furrow_farm_get_info(farm.get(), &info), FURROW_OK);
  EXPECT_EQ(info.sector_count, 2U);
  EXPECT_EQ(info.sector_room, 3U);
  EXPECT_EQ(info.pieces_in_sector, 2U);

  // The third one by hand: planned by the farm, plotted into buffers, written.
  auto plan = to_fill<furrow_sector_plan>();
  ASSERT_EQ(furrow_farm_plan_sector(farm.get(), 2, 3, &plan), FURROW_OK) << furrow_last_error();
  Outputs outputs(plan);
  ASSERT_EQ(outputs.plot(plotter), FURROW_OK) << furrow_last_error();
  ASSERT_EQ(furrow_farm_write_sector(farm.get(), 2, outputs.sector.data(), outputs.sector.size(),
                                     outputs.metadata.data()),
            FURROW_OK)
      << furrow_last_error();
  EXPECT_EQ(
      furrow_farm_write_sector(farm.get(), 2, outputs.sector.data(), 7, outputs.metadata.data()),
      FURROW_INVALID_ARGUMENT);
  EXPECT_TRUE(last_error_says("sector_size: expected")) << furrow_last_error();
  auto sector = to_fill<furrow_farm_sector>();
  ASSERT_EQ(furrow_farm_get_sector(farm.get(), 2, &sector), FURROW_OK);
  EXPECT_EQ(sector.state, FURROW_SECTOR_PLOTTED);
  EXPECT_EQ(sector.history_size, 3U);
  std::array<std::uint8_t, FURROW_HASH_SIZE> id{};
  ASSERT_EQ(furrow_sector_id(&plan, id.data()), FURROW_OK);
  EXPECT_TRUE(std::ranges::equal(id, sector.sector_id));
  std::vector<std::uint8_t> metadata(FURROW_SECTOR_METADATA_SIZE);
  ASSERT_EQ(furrow_farm_sector_metadata(farm.get(), 2, metadata.data()), FURROW_OK);
  EXPECT_EQ(metadata, outputs.metadata);
  std::vector<std::uint8_t> bytes(outputs.sector.size());
  ASSERT_EQ(furrow_farm_read_sector(farm.get(), 2, 0, bytes.data(), bytes.size()), FURROW_OK);
  EXPECT_EQ(bytes, outputs.sector);
  farm.reset();

  ASSERT_EQ(furrow_farm_open(library_.get(), directory.c_str(), nullptr, &opened), FURROW_OK)
      << furrow_last_error();
  farm.reset(opened);
  std::array<furrow_piece_place, 8> places{};
  std::size_t count = 0;
  ASSERT_EQ(
      furrow_farm_find_piece(farm.get(), outputs.indices[1], places.data(), places.size(), &count),
      FURROW_OK);
  EXPECT_TRUE(std::any_of(places.begin(), places.begin() + static_cast<std::ptrdiff_t>(count),
                          [](const furrow_piece_place& place) {
                            return place.sector_index == 2 && place.piece_offset == 1;
                          }));
  furrow_piece_source* made = nullptr;
  ASSERT_EQ(furrow_piece_source_of_farm(farm.get(), 1, &made), FURROW_OK);
  const SourceHandle back(made);
  farm.reset();  // the source keeps it open
  std::vector<std::uint8_t> piece(FURROW_PIECE_SIZE);
  ASSERT_EQ(furrow_piece_source_get_piece(back.get(), outputs.indices[1], piece.data(), nullptr),
            FURROW_OK)
      << furrow_last_error();
  EXPECT_TRUE(std::ranges::equal(piece, bytes_of(*made_up_piece(PieceIndex(outputs.indices[1])))));
  EXPECT_EQ(furrow_piece_source_get_piece(back.get(), 1'000'000, piece.data(), nullptr),
            FURROW_UNAVAILABLE);
}

TEST_F(CFarm, RefusesWhatItCannotBe) {
  const TempDirectory folder;
  furrow_farm* farm = nullptr;
  const std::string nowhere = (folder.path() / "nowhere").string();
  EXPECT_EQ(furrow_farm_open(library_.get(), nowhere.c_str(), nullptr, &farm), FURROW_UNAVAILABLE);
  EXPECT_EQ(last_error().kind, FURROW_ERROR_FARM_NOT_FOUND);
  EXPECT_EQ(farm, nullptr);
  auto options = made_by(furrow_farm_options_init);
  options.mode = FURROW_FARM_PLOT;
  options.min_sectors = 1;
  const std::array<std::uint8_t, FURROW_HASH_SIZE> genesis = {9};
  options.genesis_root = genesis.data();
  EXPECT_NE(furrow_farm_open(library_.get(), nowhere.c_str(), &options, &farm), FURROW_OK)
      << "plotting creates no farm";
  EXPECT_FALSE(std::filesystem::exists(nowhere));
  options.mode = static_cast<furrow_farm_mode>(9);
  EXPECT_EQ(furrow_farm_open(library_.get(), nowhere.c_str(), &options, &farm),
            FURROW_INVALID_ARGUMENT);
  options.mode = FURROW_FARM_CREATE;
  options.min_sectors = 70'000;
  EXPECT_EQ(furrow_farm_open(library_.get(), nowhere.c_str(), &options, &farm),
            FURROW_INVALID_ARGUMENT);
  EXPECT_TRUE(last_error_says("min_sectors")) << furrow_last_error();
  options.min_sectors = 2;
  options.allocated_space = std::uint64_t{1} << 30;
  EXPECT_EQ(furrow_farm_open(library_.get(), nowhere.c_str(), &options, &farm),
            FURROW_INVALID_ARGUMENT);
  EXPECT_TRUE(last_error_says("actual both")) << furrow_last_error();
  options.mode = FURROW_FARM_READ;
  options.allocated_space = 0;
  EXPECT_EQ(furrow_farm_open(library_.get(), nowhere.c_str(), &options, &farm),
            FURROW_INVALID_ARGUMENT);
  EXPECT_TRUE(last_error_says("keeps its size")) << furrow_last_error();
  furrow_piece_source* source = nullptr;
  EXPECT_EQ(furrow_piece_source_open_store(library_.get(), "", &source), FURROW_INVALID_ARGUMENT);
  EXPECT_TRUE(last_error_says("directory is empty")) << furrow_last_error();
  EXPECT_EQ(furrow_farm_open(library_.get(), "", nullptr, &farm), FURROW_INVALID_ARGUMENT);
  EXPECT_EQ(furrow_farm_open(library_.get(), nullptr, nullptr, &farm), FURROW_INVALID_ARGUMENT);
}

}  // namespace
}  // namespace furrow::test
