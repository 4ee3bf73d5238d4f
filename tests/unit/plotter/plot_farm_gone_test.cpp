// SPDX-License-Identifier: Apache-2.0
// A farm that goes from its path while nothing is ready to be written.
#include <chrono>
#include <filesystem>
#include <thread>

#include <gtest/gtest.h>

#include "host/plotter/plot_farm.hpp"
#include "tests/support/temp_directory.hpp"
#include "tests/unit/farm/farm_files.hpp"
#include "tests/unit/plotting/plot_pipeline_fixture.hpp"

namespace furrow {
namespace {

TEST(PlotFarmGone, EndsTheRunWhileItWaitsForPieces) {
  const test::TempDirectory directory;
  const std::filesystem::path path = directory.path() / "farm";
  FarmOptions farm_options = test::plot_options(path, 1);
  farm_options.pieces_in_sector = test::kPieces;
  farm_options.allocated_space = allocated_space_for_sectors(1, test::kPieces);
  const auto farm = Farm::open(farm_options);
  std::vector<std::unique_ptr<RecordsEncoder>> encoders;
  encoders.push_back(std::make_unique<FakeEncoder>(FakeEncoder::Options{}));
  EncoderPool pool({.encoders = std::move(encoders)});
  test::MadeUpPieces pieces;
  bool was_stopped = false;
  pieces.before_batch = [&](const std::stop_token& stop) {  // a server that does not answer
    std::filesystem::rename(path, directory.path() / "elsewhere");
    const auto end = std::chrono::steady_clock::now() + std::chrono::minutes(1);
    while (!stop.stop_requested() && std::chrono::steady_clock::now() < end) {
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    was_stopped = stop.stop_requested();
  };
  const PlotPipelineOptions options{
      .download = {.piece_getter = pieces}, .encoders = pool, .sectors_in_memory = 1};
  EXPECT_THROW(plot_farm(*farm, sectors_to_plot(*farm, 1), HistorySize::from_count(2), options, {}),
               FarmGone);
  EXPECT_TRUE(was_stopped);
}

}  // namespace
}  // namespace furrow
