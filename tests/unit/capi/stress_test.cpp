// SPDX-License-Identifier: Apache-2.0
// Handles of the C interface made, used, aborted, paused and destroyed by many threads at random
// instants. A round takes a fraction of a second; FURROW_LONG_TESTS makes 1,000 of them.
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>
#include <unistd.h>

#include "tests/unit/capi/handles.hpp"

namespace furrow::test {
namespace {

using Random = std::mt19937_64;

int n_rounds() {
  return std::getenv("FURROW_LONG_TESTS") != nullptr ? 1000 : 24;
}

std::size_t resident_bytes() {
  std::ifstream statm("/proc/self/statm");
  std::size_t whole = 0;
  std::size_t resident = 0;
  statm >> whole >> resident;
  return resident * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

void sleep_at_most(std::chrono::milliseconds most, Random& random) {
  std::this_thread::sleep_for(
      std::chrono::microseconds(random() % static_cast<std::uint64_t>(most.count() * 1000)));
}

/// A library whose callbacks count, so that it shows when another one's are called in their place.
struct CountingLibrary {
  CountingLibrary() {
    auto options = made_by(furrow_library_options_init);
    options.thread_user = this;
    options.log_user = this;
    options.on_thread_start = [](void* user, const char*) {
      ++static_cast<CountingLibrary*>(user)->n_started;
    };
    options.on_thread_end = [](void* user, const char*) {
      ++static_cast<CountingLibrary*>(user)->n_ended;
    };
    options.on_log = [](void* user, furrow_log_level, const char*) {
      ++static_cast<CountingLibrary*>(user)->n_lines;
    };
    handle = make_library(&options);
  }
  CountingLibrary(const CountingLibrary&) = delete;
  CountingLibrary& operator=(const CountingLibrary&) = delete;
  ~CountingLibrary() = default;

  std::atomic<int> n_started = 0;
  std::atomic<int> n_ended = 0;
  std::atomic<int> n_lines = 0;
  LibraryHandle handle;
};

/// What a sector of one piece is when it is plotted in peace.
std::vector<std::uint8_t> right_sector() {
  const LibraryHandle library = make_library();
  const EncoderHandle encoder = open_cpu_encoder(library, 2);
  const SourceHandle source = made_up_source(library);
  const PlotterHandle plotter = make_plotter(library, encoder, source);
  const furrow_sector_plan plan = made_up_plan(1);
  std::vector<std::uint8_t> sector(furrow_sector_size(1));
  auto request = made_by(furrow_plot_sector_request_init);
  request.plan = &plan;
  request.sector = sector.data();
  request.sector_size = sector.size();
  EXPECT_EQ(furrow_plotter_plot_sector(plotter.get(), &request), FURROW_OK);
  return sector;
}

/// Everything is made, two threads plot with it, one of them is aborted, the gate goes up and down,
/// and whatever is still under way is destroyed.
void round(const LibraryHandle& library, const std::vector<std::uint8_t>& expected,
           Random& random) {
  furrow_gate* made = nullptr;
  ASSERT_EQ(furrow_gate_create(&made), FURROW_OK);
  GateHandle gate(made);
  EncoderHandle encoder =
      open_cpu_encoder(library, 1 + static_cast<std::uint32_t>(random() % 2), gate.get());
  SourceHandle source = made_up_source(library);
  PlotterHandle plotter = make_plotter(library, encoder, source, gate.get());
  furrow_plotter* const raw = plotter.get();
  volatile std::uint8_t abort_flag = 0;
  std::atomic<int> n_begun = 0;
  const auto plot = [&](const volatile std::uint8_t* flag) {
    const furrow_sector_plan plan = made_up_plan(1);
    std::vector<std::uint8_t> sector(furrow_sector_size(1));
    auto request = made_by(furrow_plot_sector_request_init);
    request.plan = &plan;
    request.sector = sector.data();
    request.sector_size = sector.size();
    request.abort_flag = flag;
    request.user = &n_begun;
    request.on_event = [](void* user, const furrow_plot_event* event) {
      *static_cast<std::atomic<int>*>(user) += event->stage == FURROW_PLOT_DOWNLOADING ? 1 : 0;
    };
    const furrow_status status = furrow_plotter_plot_sector(raw, &request);
    EXPECT_TRUE(status == FURROW_OK || status == FURROW_CANCELLED) << furrow_last_error();
    if (status == FURROW_OK) {
      EXPECT_EQ(sector, expected);
    }
  };
  std::jthread patient([&] { plot(nullptr); });
  std::jthread aborted([&] { plot(&abort_flag); });
  while (n_begun <
         2) {  // a call that begins after the plotter is destroyed is nobody's fault but ours
    std::this_thread::yield();
  }
  sleep_at_most(std::chrono::milliseconds(150), random);
  EXPECT_EQ(furrow_gate_close(gate.get()), FURROW_OK);
  sleep_at_most(std::chrono::milliseconds(5), random);
  __atomic_store_n(&abort_flag, 1, __ATOMIC_RELEASE);
  if (random() % 2 == 0) {
    EXPECT_EQ(furrow_gate_open(gate.get()), FURROW_OK);
    sleep_at_most(std::chrono::milliseconds(200), random);
  }
  // In some order; the plotter keeps what it needs of the others.
  if (random() % 2 == 0) {
    source.reset();
    encoder.reset();
  }
  if (random() % 2 == 0) {
    gate.reset();
  }
  plotter.reset();
}

TEST(CStress, HandlesInManyHandsAtRandomInstants) {
  const unsigned seed = std::random_device{}();
  const testing::ScopedTrace trace(__FILE__, __LINE__, "seed " + std::to_string(seed));
  const std::vector<std::uint8_t> expected = right_sector();
  CountingLibrary one;
  CountingLibrary two;
  const auto hand = [&](const CountingLibrary& library, unsigned own, int rounds) {
    Random random(own);
    for (int i = 0; i < rounds && !testing::Test::HasFatalFailure(); ++i) {
      round(library.handle, expected, random);
    }
  };
  const auto both = [&](int rounds) {
    const std::jthread other([&] { hand(two, seed + 1, rounds); });
    hand(one, seed, rounds);
  };
  both(n_rounds() / 4);
  [[maybe_unused]] const std::size_t before = resident_bytes();
  both(n_rounds() / 4);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)  // they keep what was freed
  EXPECT_LT(resident_bytes(), before + (48U << 20)) << "before: " << before;
#endif
  for (const CountingLibrary* library : {&one, &two}) {
    EXPECT_GT(library->n_started, 0);
    EXPECT_EQ(library->n_started, library->n_ended) << "nothing is left when handles are gone";
    EXPECT_EQ(library->n_lines, 0);
  }
}

}  // namespace
}  // namespace furrow::test
