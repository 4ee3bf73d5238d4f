// SPDX-License-Identifier: Apache-2.0
// Whole plotting runs as a face makes them: a request, what is told meanwhile, and the summary.
#include "host/plotter/plot_run.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <variant>
#include <vector>

#include <gtest/gtest.h>

#include "host/archive/file_archive.hpp"
#include "host/farm/data_directories.hpp"
#include "host/plotter/plot_forecast.hpp"
#include "tests/support/temp_directory.hpp"

namespace furrow {
namespace {

namespace fs = std::filesystem;

/// A store with one segment, made once, and a farm that is not there yet.
class PlotRun : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    store_directory_ = new test::TempDirectory;
    std::ofstream(store_directory_->path() / "file") << "history";
    const std::vector<fs::path> files = {store_directory_->path() / "file"};
    archive_files(files, store(), {});
  }
  static void TearDownTestSuite() {
    delete store_directory_;
    store_directory_ = nullptr;
  }
  static fs::path store() { return store_directory_->path() / "store"; }

  [[nodiscard]] fs::path farm() const { return directory_.path() / "farm"; }
  [[nodiscard]] PlotRequest request(FarmSize size) const {
    PlotRequest result;
    result.farm = {.directory = farm(), .size = size, .pieces_in_sector = 1};
    result.pieces.sources = {store().native()};
    result.engine = {.encoder = "cpu", .threads = 1};
    return result;
  }
  [[nodiscard]] PlotObserver observer() {
    return {.on_warning = [this](const std::string& line) { told_.push_back("warning " + line); },
            .on_farm =
                [this](const PlotBeginning& beginning) {
                  told_.push_back("farm " + std::to_string(beginning.sectors_to_plot) + " of " +
                                  std::to_string(beginning.sectors));
                },
            .on_begin =
                [this](PlotMonitor& monitor) {
                  monitor_ = &monitor;
                  told_.push_back("begin");
                },
            .on_end =
                [this] {
                  told_.push_back("end " + std::to_string(monitor_->moment().sectors));
                  monitor_ = nullptr;
                },
            .on_event =
                [this](SectorIndex index, const PlottingEvent& event) {
                  if (std::holds_alternative<Finished>(event)) {
                    told_.push_back("sector " + std::to_string(index.value()));
                  }
                  if (on_event_) {
                    on_event_(event);
                  }
                }};
  }
  PlotSummary run(const PlotRequest& request) {
    return run_plot(plan_plot(request, observer()), observer(), gate_, stop_.get_token());
  }

  static inline test::TempDirectory* store_directory_ = nullptr;
  const test::TempDirectory directory_;
  Gate gate_;
  std::stop_source stop_;
  std::vector<std::string> told_;
  PlotMonitor* monitor_ = nullptr;
  std::function<void(const PlottingEvent&)> on_event_;
};

using Told = std::vector<std::string>;

TEST_F(PlotRun, TellsOfTheFarmAndEachSectorAndSumsUp) {
  const PlotSummary summary = run(request(SectorsInAll{2}));
  ASSERT_EQ(told_.size(), 5);
  std::sort(told_.begin() + 2, told_.begin() + 4);  // they may overtake one another
  EXPECT_EQ(told_, (Told{"farm 2 of 2", "begin", "sector 0", "sector 1", "end 2"}));
  EXPECT_EQ(summary.outcome, PlotOutcome::kFinished);
  EXPECT_EQ(summary.sectors_plotted, 2);
  EXPECT_EQ(summary.farm.sectors, 2);
  EXPECT_EQ(summary.farm.directory, farm());
  EXPECT_TRUE(summary.farm.lost.empty());
  EXPECT_TRUE(summary.damage.empty());
  ASSERT_EQ(summary.sources.size(), 1);
  EXPECT_EQ(summary.sources.front().name, store().native());
  EXPECT_GE(summary.sources.front().counters.found, 1);
  ASSERT_TRUE(summary.last_moment.has_value());
  EXPECT_EQ(summary.last_moment->records, 2);

  told_.clear();
  const PlotSummary again = run(request(SizeAsItIs{}));
  EXPECT_EQ(told_, (Told{"farm 0 of 2"})) << "there is nothing to plot, and so no course of it";
  EXPECT_EQ(again.sectors_plotted, 0);
  EXPECT_FALSE(again.last_moment.has_value());
}

TEST_F(PlotRun, TellsOfTheEndWhenItFails) {
  on_event_ = [this](const PlottingEvent& event) {
    if (std::holds_alternative<Downloading>(event)) {
      fs::rename(farm(), directory_.path() / "elsewhere");
    }
  };
  EXPECT_THROW(run(request(SectorsInAll{1})), FarmGone);
  EXPECT_EQ(told_, (Told{"farm 1 of 1", "begin", "end 0"}));
}

TEST_F(PlotRun, AStopIsAnOutcome) {
  on_event_ = [this](const PlottingEvent&) { stop_.request_stop(); };
  const PlotSummary summary = run(request(SectorsInAll{1}));
  EXPECT_EQ(summary.outcome, PlotOutcome::kCancelled);
  EXPECT_EQ(summary.sectors_plotted, 0);
  EXPECT_EQ(told_.back(), "end 0");
}

TEST_F(PlotRun, ANewFarmNeedsASizeAndIsNotMadeWithout) {
  EXPECT_THROW(run(request(SizeAsItIs{})), NewFarmNeedsSize);
  EXPECT_FALSE(fs::exists(farm()));
}

TEST_F(PlotRun, RefusesBeforeAnythingIsMade) {
  PlotRequest nested = request(SectorsInAll{1});
  nested.pieces.cache_directory = farm() / "cache";
  EXPECT_THROW(run(nested), PlaceTaken);
  PlotRequest taken = request(SectorsInAll{1});
  taken.farm.directory = store();
  EXPECT_THROW(run(taken), PlaceTaken);
  PlotRequest unknown = request(SectorsInAll{1});
  unknown.engine.encoder = "abacus";
  EXPECT_THROW(run(unknown), InvalidArgument);
  PlotRequest too_many = request(SectorsInAll{1});
  too_many.farm.pieces_in_sector = 1001;
  EXPECT_THROW(run(too_many), InvalidArgument);
  EXPECT_FALSE(fs::exists(farm()));
}

TEST_F(PlotRun, TheForecastMakesNothing) {
  const PlotPlan plan = plan_plot(request(UntilCovered{}), observer());
  const PlotForecast forecast = forecast_plot(plan, false, observer());
  ASSERT_TRUE(forecast.disk.has_value());
  EXPECT_GE(forecast.disk->sectors, 128) << "one piece a sector, and 128 rebuild a segment";
  EXPECT_FALSE(forecast.seconds().has_value()) << "the speed was not measured";
  EXPECT_FALSE(fs::exists(farm()));
}

}  // namespace
}  // namespace furrow
