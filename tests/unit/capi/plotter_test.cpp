// SPDX-License-Identifier: Apache-2.0
// Plotters of the C interface: what they plot, refuse and tell, and how they end.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "host/plotting/cpu_records_encoder.hpp"
#include "host/plotting/plot_sector.hpp"
#include "tests/unit/capi/plotter_fixture.hpp"

namespace furrow::test {
namespace {

using namespace std::chrono_literals;

/// The same pieces for the engine itself.
class MadeUpGetter final : public PieceGetter {
 public:
  void get_pieces(std::span<const PieceIndex> indices, const Sink& sink, std::stop_token) override {
    for (const PieceIndex index : indices) {
      sink(index, PieceAnswer::found(made_up_piece(index)));
    }
  }
};

class CPlotter : public PlotterTest {
 protected:
  /// What plotting with the made-up pieces gives, whatever source they come from.
  void expect_right(const Outputs& outputs) {
    SectorPlan plan;
    std::memcpy(plan.public_key_hash.data(), outputs.plan.public_key_hash, kHashSize);
    std::memcpy(plan.shard_commitments_root.data(), outputs.plan.shard_commitments_root, kHashSize);
    plan.sector_index = SectorIndex(outputs.plan.sector_index);
    plan.pieces_in_sector = outputs.plan.pieces_in_sector;
    plan.protocol_info.history_size = HistorySize::from_count(outputs.plan.history_size);
    MadeUpGetter getter;
    CpuRecordsEncoder encoder({.threads = 2});
    std::vector<std::uint8_t> bytes;
    const std::optional<PlottedSector> plotted =
        plot_sector(plan, {.download = {.piece_getter = getter}, .encoder = encoder}, bytes, {});
    ASSERT_TRUE(plotted.has_value());
    EXPECT_TRUE(std::equal(bytes.begin(), bytes.end(), outputs.request.sector));
    EXPECT_EQ(plotted->sector_metadata.encode(), outputs.metadata);
    EXPECT_EQ(plotted->encode(), outputs.scale);
    for (std::size_t i = 0; i < outputs.indices.size(); ++i) {
      EXPECT_EQ(plotted->piece_indexes[i].value(), outputs.indices[i]);
    }
  }
};

TEST_F(CPlotter, PlotsWhatTheEnginePlots) {
  const SourceHandle source = made_up_source(library_);
  const PlotterHandle plotter = make_plotter(library_, encoder_, source);
  Outputs outputs(made_up_plan(3));
  ASSERT_EQ(outputs.plot(plotter), FURROW_OK) << furrow_last_error();
  expect_right(outputs);
  Outputs odd(made_up_plan(3), 1);
  ASSERT_EQ(odd.plot(plotter), FURROW_OK) << furrow_last_error();
  EXPECT_TRUE(odd == outputs);
}

TEST_F(CPlotter, ABatchMayBeAnsweredInAnyOrderFromAnyThread) {
  BatchSource backwards([](furrow_piece_batch* batch, std::vector<std::uint64_t> indices) {
    std::reverse(indices.begin(), indices.end());
    for (const std::uint64_t index : indices) {
      EXPECT_EQ(furrow_piece_batch_is_over(batch), 0);
      EXPECT_EQ(answer_made_up(batch, index), FURROW_OK);
    }
    furrow_piece_batch_release(batch);
  });
  const SourceHandle source = make_source(library_, backwards.callbacks());
  const PlotterHandle plotter = make_plotter(library_, encoder_, source);
  Outputs outputs(made_up_plan(3));
  ASSERT_EQ(outputs.plot(plotter), FURROW_OK) << furrow_last_error();
  expect_right(outputs);
}

TEST_F(CPlotter, OutputsThatNobodyWantsAreLeftOut) {
  const SourceHandle source = made_up_source(library_);
  const PlotterHandle plotter = make_plotter(library_, encoder_, source);
  Outputs all(made_up_plan(1));
  ASSERT_EQ(all.plot(plotter), FURROW_OK);
  Outputs one(made_up_plan(1));
  one.request.sector = nullptr;
  one.request.sector_size = 0;
  one.request.metadata = nullptr;
  one.request.metadata_size = 0;
  one.request.piece_indices = nullptr;
  one.request.piece_index_count = 0;
  ASSERT_EQ(one.plot(plotter), FURROW_OK) << furrow_last_error();
  EXPECT_EQ(one.scale, all.scale);
}

TEST_F(CPlotter, WrongOutputsAreRefusedAndNamed) {
  const SourceHandle source = made_up_source(library_);
  const PlotterHandle plotter = make_plotter(library_, encoder_, source);
  const auto refused = [&](const std::string& says,
                           const std::function<void(Outputs & outputs)>& spoil) {
    Outputs outputs(made_up_plan(2));
    spoil(outputs);
    EXPECT_EQ(outputs.plot(plotter), FURROW_INVALID_ARGUMENT) << says;
    EXPECT_TRUE(last_error_says(says)) << furrow_last_error();
    EXPECT_TRUE(outputs.are_untouched()) << says;
  };
  refused("size of sector: expected", [](Outputs& out) { --out.request.sector_size; });
  refused("size of metadata: expected 131116", [](Outputs& out) { out.request.metadata_size = 1; });
  refused("size of piece_indices: expected 2",
          [](Outputs& out) { out.request.piece_index_count = 3; });
  refused("size of plotted_sector", [](Outputs& out) { out.request.plotted_sector_size = 0; });
  refused("argument sector is NULL", [](Outputs& out) { out.request.sector = nullptr; });
  refused("furrow_sector_plan is NULL", [](Outputs& out) { out.request.plan = nullptr; });
  refused("sector and metadata overlap",
          [](Outputs& out) { out.request.metadata = out.request.sector + 1; });
  refused("no output is set", [](Outputs& out) {
    out.request.sector = out.request.metadata = out.request.plotted_sector = nullptr;
    out.request.piece_indices = nullptr;
    out.request.sector_size = out.request.metadata_size = out.request.plotted_sector_size = 0;
    out.request.piece_index_count = 0;
  });
  refused("pieces_in_sector", [](Outputs& out) { out.plan.pieces_in_sector = 0; });
  refused("history_size", [](Outputs& out) { out.plan.history_size = 0; });
}

TEST_F(CPlotter, TellsHowFarItIs) {
  const SourceHandle source = made_up_source(library_);
  const PlotterHandle plotter = make_plotter(library_, encoder_, source);
  Outputs outputs(made_up_plan(3));
  Told told;
  outputs.request.on_event = Told::on_event;
  outputs.request.user = &told;
  ASSERT_EQ(outputs.plot(plotter), FURROW_OK);
  EXPECT_EQ(told.stages,
            (std::vector{FURROW_PLOT_DOWNLOADING, FURROW_PLOT_DOWNLOADED, FURROW_PLOT_ENCODING,
                         FURROW_PLOT_ENCODED, FURROW_PLOT_FINISHED}));
  std::sort(told.records.begin(), told.records.end());
  EXPECT_EQ(told.records, (std::vector<std::uint64_t>{1, 2, 3}));
}

TEST_F(CPlotter, BadAnswersAreRefusedAndGoodOnesCount) {
  BatchSource careless([](furrow_piece_batch* batch, const std::vector<std::uint64_t>& indices) {
    EXPECT_EQ(furrow_piece_batch_answer(batch, indices[0], FURROW_OK, nullptr, nullptr),
              FURROW_INVALID_ARGUMENT);
    EXPECT_EQ(answer_made_up(batch, indices[0] + 1'000'000), FURROW_INVALID_ARGUMENT);
    EXPECT_TRUE(last_error_says("is not in the batch"));
    for (const std::uint64_t index : indices) {
      EXPECT_EQ(answer_made_up(batch, index), FURROW_OK);
      if (index != indices.back()) {  // after the last one nobody may wait any more
        EXPECT_EQ(answer_made_up(batch, index), FURROW_INVALID_ARGUMENT);
        EXPECT_TRUE(last_error_says("answered before"));
      }
    }
    furrow_piece_batch_release(batch);
  });
  const SourceHandle source = make_source(library_, careless.callbacks());
  const PlotterHandle plotter = make_plotter(library_, encoder_, source);
  Outputs outputs(made_up_plan(2));
  ASSERT_EQ(outputs.plot(plotter), FURROW_OK) << furrow_last_error();
  expect_right(outputs);
}

TEST_F(CPlotter, AnAbortEndsTheWaitForASourceAndLeavesOutputsAlone) {
  BatchSource silent([](furrow_piece_batch* batch, const std::vector<std::uint64_t>&) {
    while (furrow_piece_batch_is_over(batch) == 0) {
      std::this_thread::sleep_for(1ms);
    }
    furrow_piece_batch_release(batch);
  });
  const SourceHandle source = make_source(library_, silent.callbacks());
  const PlotterHandle plotter = make_plotter(library_, encoder_, source);
  Outputs outputs(made_up_plan(2));
  volatile std::uint8_t abort_flag = 0;
  outputs.request.abort_flag = &abort_flag;
  std::jthread aborter([&] {
    std::this_thread::sleep_for(20ms);
    __atomic_store_n(&abort_flag, 1, __ATOMIC_RELEASE);
  });
  EXPECT_EQ(outputs.plot(plotter), FURROW_CANCELLED);
  EXPECT_EQ(last_error().kind, FURROW_ERROR_CANCELLED);
  EXPECT_FALSE(std::string(furrow_last_error()).empty());
  EXPECT_TRUE(outputs.are_untouched());
}

TEST_F(CPlotter, DestroyingItEndsItsCallsAndLeavesItsPartsAlone) {
  BatchSource silent([](furrow_piece_batch* batch, const std::vector<std::uint64_t>&) {
    while (furrow_piece_batch_is_over(batch) == 0) {
      std::this_thread::sleep_for(1ms);
    }
    furrow_piece_batch_release(batch);
  });
  SourceHandle source = make_source(library_, silent.callbacks());
  PlotterHandle plotter = make_plotter(library_, encoder_, source);
  source.reset();  // the plotter has what it needs of it
  std::atomic<bool> is_waiting = false;
  Outputs outputs(made_up_plan(1));
  outputs.request.user = &is_waiting;
  outputs.request.on_event = [](void* user, const furrow_plot_event*) {
    *static_cast<std::atomic<bool>*>(user) = true;
  };
  furrow_plotter* const raw = plotter.get();
  std::atomic<furrow_status> status = FURROW_OK;
  std::jthread caller([&] { status = furrow_plotter_plot_sector(raw, &outputs.request); });
  while (!is_waiting) {
    std::this_thread::sleep_for(1ms);
  }
  plotter.reset();
  caller.join();
  EXPECT_EQ(status, FURROW_CANCELLED);
}

}  // namespace
}  // namespace furrow::test
