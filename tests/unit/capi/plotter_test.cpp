// SPDX-License-Identifier: Apache-2.0
// Plotters and piece sources of the C interface, with callbacks that behave and callbacks that do not.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host/base/mutex.hpp"
#include "host/plotting/cpu_records_encoder.hpp"
#include "host/plotting/plot_sector.hpp"
#include "tests/support/temp_directory.hpp"
#include "tests/unit/capi/handles.hpp"

namespace furrow::test {
namespace {

using namespace std::chrono_literals;

/// A batch source whose answers are what `answer` makes of them, on a thread of its own.
struct BatchSource {
  using Answer = std::function<void(furrow_piece_batch*, std::vector<std::uint64_t>)>;

  explicit BatchSource(Answer own) : answer(std::move(own)) {}

  [[nodiscard]] furrow_piece_source_callbacks callbacks() {
    auto result = made_by(furrow_piece_source_callbacks_init);
    result.user = this;
    result.get_pieces = [](void* user, const std::uint64_t* indices, std::size_t count,
                           furrow_piece_batch* batch) {
      auto& own = *static_cast<BatchSource*>(user);
      const Lock lock(own.mutex);
      own.threads.emplace_back([&own, batch, wanted = std::vector(indices, indices + count)] {
        own.answer(batch, wanted);
      });
    };
    return result;
  }

  Answer answer;
  Mutex mutex;
  std::vector<std::jthread> threads;
};

furrow_status answer_made_up(furrow_piece_batch* batch, std::uint64_t index) {
  return furrow_piece_batch_answer(batch, index, FURROW_OK,
                                   bytes_of(*made_up_piece(PieceIndex(index))).data(), nullptr);
}

/// The same pieces for the engine itself.
class MadeUpGetter final : public PieceGetter {
 public:
  void get_pieces(std::span<const PieceIndex> indices, const Sink& sink, std::stop_token) override {
    for (const PieceIndex index : indices) {
      sink(index, PieceAnswer::found(made_up_piece(index)));
    }
  }
};

/// Buffers for all that plotting a sector gives.
struct Outputs {
  explicit Outputs(const furrow_sector_plan& of, std::size_t misaligned_by = 0)
      : plan(of),
        sector(furrow_sector_size(of.pieces_in_sector) + misaligned_by, 0xEE),
        metadata(FURROW_SECTOR_METADATA_SIZE, 0xEE),
        indices(of.pieces_in_sector, 7),
        scale(furrow_plotted_sector_size(of.pieces_in_sector), 0xEE) {
    request.plan = &plan;
    request.sector = sector.data() + misaligned_by;
    request.sector_size = sector.size() - misaligned_by;
    request.metadata = metadata.data();
    request.metadata_size = metadata.size();
    request.piece_indices = indices.data();
    request.piece_index_count = indices.size();
    request.plotted_sector = scale.data();
    request.plotted_sector_size = scale.size();
  }
  Outputs(const Outputs&) = delete;
  Outputs& operator=(const Outputs&) = delete;
  ~Outputs() = default;

  furrow_status plot(const PlotterHandle& plotter) {
    return furrow_plotter_plot_sector(plotter.get(), &request);
  }
  [[nodiscard]] bool are_untouched() const {
    const auto is_old = [](std::uint8_t byte) { return byte == 0xEE; };
    return std::ranges::all_of(sector, is_old) && std::ranges::all_of(metadata, is_old) &&
           std::ranges::all_of(scale, is_old) &&
           std::ranges::all_of(indices, [](std::uint64_t index) { return index == 7; });
  }
  bool operator==(const Outputs& other) const {
    return std::equal(request.sector, request.sector + request.sector_size, other.request.sector) &&
           metadata == other.metadata && indices == other.indices && scale == other.scale;
  }

  furrow_sector_plan plan;
  std::vector<std::uint8_t> sector;
  std::vector<std::uint8_t> metadata;
  std::vector<std::uint64_t> indices;
  std::vector<std::uint8_t> scale;
  furrow_plot_sector_request request = made_by(furrow_plot_sector_request_init);
};

class CPlotter : public testing::Test {
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

  const LibraryHandle library_ = make_library();
  const EncoderHandle encoder_ = open_cpu_encoder(library_, 2);
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

struct Told {
  Mutex mutex;
  std::vector<furrow_plot_stage> stages;
  std::vector<std::uint64_t> records;
  std::string message;

  static void on_event(void* user, const furrow_plot_event* event) {
    auto& told = *static_cast<Told*>(user);
    const Lock lock(told.mutex);
    if (event->stage == FURROW_PLOT_RECORD) {
      told.records.push_back(event->records_done);
    } else {
      told.stages.push_back(event->stage);
    }
    if (event->message[0] != '\0') {
      told.message = event->message;
    }
  }
};

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

TEST_F(CPlotter, APieceThatFailsIsNamedWithWhatTheCallerSaid) {
  auto callbacks = made_by(furrow_piece_source_callbacks_init);
  callbacks.get_piece = [](void*, std::uint64_t, std::uint8_t*) {
    furrow_set_callback_error("the shelf is empty\n");
    return FURROW_IO_ERROR;
  };
  const SourceHandle source = make_source(library_, callbacks);
  const PlotterHandle plotter = make_plotter(library_, encoder_, source);
  Outputs outputs(made_up_plan(2));
  Told told;
  outputs.request.on_event = Told::on_event;
  outputs.request.user = &told;
  EXPECT_EQ(outputs.plot(plotter), FURROW_UNAVAILABLE);
  EXPECT_TRUE(last_error_says(R"(the shelf is empty\n)")) << furrow_last_error();
  EXPECT_EQ(last_error().kind, FURROW_ERROR_PIECE_MISSING);
  EXPECT_NE(last_error().fields & FURROW_HAS_PIECE_INDEX, 0U);
  EXPECT_EQ(told.stages.back(), FURROW_PLOT_FAILED);
  EXPECT_NE(told.message.find("the shelf is empty"), std::string::npos) << told.message;
  EXPECT_TRUE(outputs.are_untouched());

  std::vector<std::uint8_t> piece(FURROW_PIECE_SIZE);
  EXPECT_EQ(furrow_piece_source_get_piece(source.get(), 5, piece.data(), nullptr),
            FURROW_CALLBACK_FAILED);
  EXPECT_EQ(last_error().kind, FURROW_ERROR_CALLBACK);
  EXPECT_EQ(last_error().piece_index, 5U);
}

// Attempts without end look like a hang to who is not told.
TEST_F(CPlotter, EachAttemptThatFailedIsTold) {
  struct Lines {
    Mutex mutex;
    std::string text;
  } lines;
  auto library_options = made_by(furrow_library_options_init);
  library_options.log_user = &lines;
  library_options.on_log = [](void* user, furrow_log_level, const char* line) {
    auto& all = *static_cast<Lines*>(user);
    const Lock lock(all.mutex);
    all.text += std::string(line) + "\n";
  };
  const LibraryHandle library = make_library(&library_options);
  auto callbacks = made_by(furrow_piece_source_callbacks_init);
  callbacks.get_piece = [](void*, std::uint64_t, std::uint8_t*) { return FURROW_UNAVAILABLE; };
  const SourceHandle source = make_source(library, callbacks);
  auto options = made_by(furrow_plotter_options_init);
  options.encoder = encoder_.get();
  options.source = source.get();
  options.attempts = 2;
  options.first_delay_ms = 1;
  options.longest_delay_ms = 1;
  furrow_plotter* made = nullptr;
  ASSERT_EQ(furrow_plotter_create(library.get(), &options, &made), FURROW_OK);
  const PlotterHandle plotter(made);
  Outputs outputs(made_up_plan(1));
  EXPECT_EQ(outputs.plot(plotter), FURROW_UNAVAILABLE);
  EXPECT_NE(lines.text.find("next attempt in 1 ms"), std::string::npos) << lines.text;
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

TEST_F(CPlotter, AReleasedBatchWithoutAnAnswerHasFailed) {
  BatchSource lazy([](furrow_piece_batch* batch, const std::vector<std::uint64_t>&) {
    furrow_piece_batch_release(batch);
  });
  const SourceHandle source = make_source(library_, lazy.callbacks());
  std::vector<std::uint8_t> piece(FURROW_PIECE_SIZE);
  EXPECT_EQ(furrow_piece_source_get_piece(source.get(), 5, piece.data(), nullptr),
            FURROW_CALLBACK_FAILED);
  EXPECT_TRUE(last_error_says("without an answer for piece 5")) << furrow_last_error();
}

// In a child of the process its locks may be held by threads that are not there.
TEST_F(CPlotter, AfterAForkABatchAnswersThatItIsNotOfThisProcess) {
  std::atomic<int> how = -1;
  BatchSource forks([&](furrow_piece_batch* batch, const std::vector<std::uint64_t>& indices) {
    const pid_t child = ::fork();
    if (child == 0) {
      const bool is_right = furrow_piece_batch_is_over(batch) == 1 &&
                            answer_made_up(batch, indices[0]) == FURROW_INVALID_ARGUMENT;
      furrow_piece_batch_release(batch);
      ::_exit(is_right ? 0 : 1);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    how = WIFEXITED(status) ? WEXITSTATUS(status) : 99;
    EXPECT_EQ(answer_made_up(batch, indices[0]), FURROW_OK);
    furrow_piece_batch_release(batch);
  });
  const SourceHandle source = make_source(library_, forks.callbacks());
  std::vector<std::uint8_t> piece(FURROW_PIECE_SIZE);
  EXPECT_EQ(furrow_piece_source_get_piece(source.get(), 5, piece.data(), nullptr), FURROW_OK);
  EXPECT_EQ(how, 0);
}

TEST_F(CPlotter, ASilentSourceIsWaitedForAsLongAsItMayBeSilent) {
  BatchSource silent([](furrow_piece_batch* batch, const std::vector<std::uint64_t>& indices) {
    while (furrow_piece_batch_is_over(batch) == 0) {
      std::this_thread::sleep_for(1ms);
    }
    EXPECT_EQ(answer_made_up(batch, indices[0]), FURROW_CANCELLED) << "too late";
    furrow_piece_batch_release(batch);
  });
  auto callbacks = silent.callbacks();
  callbacks.patience_ms = 30;
  const SourceHandle source = make_source(library_, callbacks);
  std::vector<std::uint8_t> piece(FURROW_PIECE_SIZE);
  EXPECT_EQ(furrow_piece_source_get_piece(source.get(), 5, piece.data(), nullptr),
            FURROW_CALLBACK_FAILED);
  EXPECT_EQ(last_error().kind, FURROW_ERROR_CALLBACK_SILENT);
  EXPECT_TRUE(last_error_says("piece 5")) << furrow_last_error();
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

TEST_F(CPlotter, TheSourceOfACallerIsToldWhenItIsNeededNoMore) {
  std::atomic<int> n_ends = 0;
  auto callbacks = made_by(furrow_piece_source_callbacks_init);
  callbacks.get_piece = give_made_up_piece;
  callbacks.user = &n_ends;
  callbacks.on_destroy = [](void* user) { ++*static_cast<std::atomic<int>*>(user); };
  SourceHandle source = make_source(library_, callbacks);
  PlotterHandle plotter = make_plotter(library_, encoder_, source);
  source.reset();
  EXPECT_EQ(n_ends, 0);
  plotter.reset();
  EXPECT_EQ(n_ends, 1);
  // One that was never made is not told.
  callbacks.concurrency = 0;
  furrow_piece_source* refused = nullptr;
  EXPECT_EQ(furrow_piece_source_create(library_.get(), &callbacks, &refused),
            FURROW_INVALID_ARGUMENT);
  callbacks.concurrency = 1;
  callbacks.get_piece = nullptr;
  EXPECT_EQ(furrow_piece_source_create(library_.get(), &callbacks, &refused),
            FURROW_INVALID_ARGUMENT);
  EXPECT_EQ(n_ends, 1);
}

TEST_F(CPlotter, AFarmIsPlottedAndItsPiecesComeBack) {
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

TEST_F(CPlotter, AFarmRefusesWhatItCannotBe) {
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
