// SPDX-License-Identifier: Apache-2.0
// Piece sources of the C interface whose callbacks fail, are silent, or are asked after a fork.
#include <atomic>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/capi/plotter_fixture.hpp"

namespace furrow::test {
namespace {

using namespace std::chrono_literals;

class CPieceSource : public PlotterTest {};

TEST_F(CPieceSource, APieceThatFailsIsNamedWithWhatTheCallerSaid) {
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
TEST_F(CPieceSource, EachAttemptThatFailedIsTold) {
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

TEST_F(CPieceSource, AReleasedBatchWithoutAnAnswerHasFailed) {
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
TEST_F(CPieceSource, AfterAForkABatchAnswersThatItIsNotOfThisProcess) {
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

TEST_F(CPieceSource, IsWaitedForAsLongAsItMayBeSilent) {
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

TEST_F(CPieceSource, IsToldWhenItIsNeededNoMore) {
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

}  // namespace
}  // namespace furrow::test
