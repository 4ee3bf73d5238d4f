// SPDX-License-Identifier: Apache-2.0
// Every planted bug is found, and its line is named.

#include "simt/test/planted_bugs.hpp"

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <stdexcept>
#include <string>
#include <thread>

#include "simt/fatal_signals.hpp"
#include "simt/test/kernel_test.hpp"

namespace furrow::simt {
namespace {

#if defined(__SANITIZE_ADDRESS__)
constexpr bool kAddress = true;
#else
constexpr bool kAddress = false;
#endif
#if defined(__SANITIZE_THREAD__)
constexpr bool kThread = true;
#else
constexpr bool kThread = false;
#endif

/// A pattern for the message: the line that ends in `BUG` and the name of the bug, then whatever else is
/// to be said.
std::string at_line_of(const std::string& bug, const std::string& rest = "") {
  const std::string mark = "// BUG " + bug;
  for (const std::string file : {"planted_bugs.cpp", "planted_for_sanitizers.cpp"}) {
    std::ifstream source(FURROW_FOLDER_OF_PLANTED_BUGS "/" + file);
    std::string line;
    for (unsigned number = 1; std::getline(source, line); ++number) {
      if (line.ends_with(mark)) {
        return file + ":" + std::to_string(number) + rest;
      }
    }
  }
  throw std::runtime_error("no line in " FURROW_FOLDER_OF_PLANTED_BUGS " ends in " + mark);
}

/// Under every schedule `run` throws ErrorType, and the message begins with the line of `bug` and
/// has `what` in it.
template <class ErrorType>
void expect_found(void (*run)(), const std::string& bug, const std::string& what) {
  for_each_schedule([&] {
    const std::string message = message_of<ErrorType>(run);
    EXPECT_NE(message.find(at_line_of(bug, ": ")), std::string::npos) << message;
    EXPECT_NE(message.find(what), std::string::npos) << message;
    EXPECT_NE(message.find("FURROW_SIMT_SCHEDULE=" + current_schedule().text()), std::string::npos)
        << message;
  });
}

// --- Found in every build ---

TEST(SimtFinds, DivergentBarrier) {
  const ScopedSchedule ascending(Schedule::ascending());
  const std::string message = message_of<DivergentBarrier>(planted::divergent_barrier);
  EXPECT_NE(message.find(at_line_of("divergent_barrier", ": ")), std::string::npos) << message;
  EXPECT_NE(message.find(at_line_of("divergent_barrier_ascending")), std::string::npos) << message;
  for_each_schedule([] { message_of<DivergentBarrier>(planted::divergent_barrier); });
}

TEST(SimtFinds, BarrierAgainstWarp) {
  expect_found<DivergentBarrier>(planted::barrier_against_warp, "barrier_against_warp",
                                 "__syncwarp with mask 0xffffffff");
}

TEST(SimtFinds, ExitBeforeBarrier) {
  expect_found<ExitBeforeBarrier>(planted::exit_before_barrier, "exit_before_barrier", "(5,0,0)");
  expect_found<ExitBeforeBarrier>(planted::exit_while_others_wait, "exit_while_others_wait",
                                  "(7,3,2)");
  expect_found<ExitBeforeBarrier>(planted::exit_while_others_wait, "exit_while_others_wait",
                                  "block (0,1,0)");
}

TEST(SimtFinds, InactiveLane) {
  expect_found<InactiveLane>(planted::caller_not_in_mask, "caller_not_in_mask",
                             "mask 0xfffffff7 leaves out its caller, lane 3");
  expect_found<InactiveLane>(planted::ended_lane_in_mask, "ended_lane_in_mask",
                             "names lane 8, which has ended");
  expect_found<InactiveLane>(planted::shuffle_from_outside, "shuffle_from_outside",
                             "lane 15 reads from lane 16");
}

TEST(SimtFinds, MismatchedCollective) {
  expect_found<MismatchedCollective>(planted::divergent_collectives, "divergent_collectives",
                                     "__ballot_sync");
  expect_found<MismatchedCollective>(planted::different_masks, "different_masks", "0xffff8000");
}

TEST(SimtFinds, BadArguments) {
  expect_found<BadArgument>(planted::bad_width, "bad_width", "power of two");
  expect_found<BadAddress>(planted::misaligned_atomic, "misaligned_atomic", "multiple of 4");
  expect_found<BadAddress>(planted::null_atomic, "null_atomic", "null");
  expect_found<Trapped>(planted::trap, "trap", "thread (70,0,0)");
}

TEST(SimtFinds, EndlessWaiting) {
  const std::string message = message_of<Stuck>(planted::spin_for_ever);
  EXPECT_NE(message.find(at_line_of("spin_for_ever")), std::string::npos) << message;
}

TEST(SimtFinds, TooMuchSharedMemory) {
  expect_found<BadLaunch>(planted::too_much_static_shared, "too_much_static_shared",
                          "Huge huge\" of 49156 bytes");
  const std::string message = message_of<BadLaunch>(
      [] { run_grid({.grid = 1, .block = 1, .dynamic_shared = 48 * 1024 + 1}, [] {}); });
  EXPECT_NE(message.find("49153 bytes of dynamic shared memory"), std::string::npos) << message;
}

TEST(SimtFinds, ImpossibleShapes) {
  const auto message = [](dim3 grid, dim3 block) {
    return message_of<BadLaunch>([&] { run_grid({.grid = grid, .block = block}, [] {}); });
  };
  EXPECT_NE(message(1, 1025).find("blockDim.x is 1025"), std::string::npos);
  EXPECT_NE(message(1, {32, 33}).find("threads of a block is 1056"), std::string::npos);
  EXPECT_NE(message(1, {1, 1, 65}).find("blockDim.z is 65"), std::string::npos);
  EXPECT_NE(message(0, 32).find("gridDim.x is 0"), std::string::npos);
  EXPECT_NE(message({1, 65536}, 32).find("gridDim.y is 65536"), std::string::npos);
  EXPECT_NE(message(0x80000000, 32).find("gridDim.x is 2147483648"), std::string::npos);
  EXPECT_NE(message(1, 0).find("simt/test/planted_bugs_test.cpp"), std::string::npos);
}

TEST(SimtFinds, ExceptionsOfKernels) {
  for_each_schedule([] {
    EXPECT_THROW(run_grid({.grid = 2, .block = 64},
                          [] {
                            if (threadIdx.x == 33) {
                              throw std::out_of_range("by a kernel");
                            }
                            __syncthreads();
                          }),
                 std::out_of_range);
    // The engine is as good as new.
    unsigned n = 0;
    run_grid({.grid = 1, .block = 64}, [&] {
      const int all = __syncthreads_count(1);
      if (threadIdx.x == 0) {
        n = static_cast<unsigned>(all);
      }
    });
    EXPECT_EQ(n, 64U);
  });
}

TEST(SimtFinds, MoreThreadsThanTheKernelIsBoundTo) {
  expect_found<BadLaunch>(planted::too_many_threads, "too_many_threads",
                          "bound to 95 threads in a block, the launch has 96");
}

// --- What ends the program: it says where ---

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)

TEST(SimtEnds, WithTheKernelAndTheThreadOfAWildAccess) {
  const ScopedSchedule scoped(Schedule::shuffle(5));
  EXPECT_DEATH(planted::write_through_wild_pointer(),
               "SIMT harness: .* at address 0x40, in the kernel that "
               "tests/simt/test/planted_bugs.cpp:[0-9]+ launches, behind the barrier at "
               "planted_bugs.cpp:[0-9]+ .block .2,0,0., thread .70,0,0., "
               "FURROW_SIMT_SCHEDULE=shuffle:5.");
}

TEST(SimtEnds, WithTheThreadThatReadsPastAnAllocation) {
  EXPECT_DEATH(planted::read_past_allocation(),
               "before its first barrier .block .0,0,0., thread .63,0,0.");
}

TEST(SimtEnds, WithTheThreadThatLoopsForEver) {
  testing::FLAGS_gtest_death_test_style = "threadsafe";  // timers do not come along with a fork
  EXPECT_DEATH(
      {
        set_block_limit(std::chrono::milliseconds(50));
        std::thread(planted::loop_for_ever).join();
      },
      "SIMT harness: a block that does not end.*.block .1,0,0., thread .5,0,0.");
}

#endif

// --- Overruns: by guards, or at the very line by AddressSanitizer ---

void expect_overrun(void (*run)(), const std::string& what) {
  if constexpr (kAddress) {
    EXPECT_DEATH(run(), "use-after-poison.*" + at_line_of("overrun"));
  } else {
    for_each_schedule([&] {
      const std::string message = message_of<SharedOverrun>(run);
      EXPECT_NE(message.find(what), std::string::npos) << message;
    });
  }
}

TEST(SimtFinds, SharedOverruns) {
  expect_overrun(
      planted::static_overrun,
      "byte 384 of shared object \"Words words\" (384 bytes, declared at tests/simt/test/" +
          at_line_of("static_overrun") + ") was written between the barrier at");
  expect_overrun(planted::static_underrun, "byte 4 before shared object \"Words words\"");
  expect_overrun(planted::dynamic_overrun, "byte 380 of dynamic shared memory (380 bytes)");
  expect_overrun(
      planted::overrun_by_two_objects,
      "byte 396 of shared object \"Words second\" (384 bytes, declared at tests/simt/test/" +
          at_line_of("overrun_by_two_objects"));
}

// --- Found because some schedule gives another result ---

#if !defined(__SANITIZE_THREAD__)

void expect_schedules_disagree(unsigned (*n_wrong)(), const Schedule& right,
                               const Schedule& wrong) {
  {
    const ScopedSchedule scoped(right);
    EXPECT_EQ(n_wrong(), 0U) << right.text();
  }
  const ScopedSchedule scoped(wrong);
  EXPECT_NE(n_wrong(), 0U) << wrong.text();
  unsigned n_shuffles_wrong = 0;
  for (unsigned seed = 1; seed <= 8; ++seed) {
    const ScopedSchedule shuffled(Schedule::shuffle(seed));
    n_shuffles_wrong += n_wrong() != 0 ? 1 : 0;
  }
  // How many depends on what ran before: no two launches of a thread are shuffled alike.
  EXPECT_GE(n_shuffles_wrong, 1U) << "of 8 shuffles found it";
}

TEST(SimtSchedules, FindMissingBarrier) {
  expect_schedules_disagree(planted::missing_barrier, Schedule::ascending(),
                            Schedule::descending());
}

TEST(SimtSchedules, FindOrderOfAtomics) {
  expect_schedules_disagree(planted::order_of_atomics, Schedule::ascending(),
                            Schedule::descending());
}

TEST(SimtSchedules, FindWarpOrder) {
  expect_schedules_disagree(planted::warp_order, Schedule::ascending(), Schedule::ahead(2));
}

TEST(SimtSchedules, FindBlockOrder) {
  expect_schedules_disagree(planted::block_order, Schedule::ascending(), Schedule::descending());
}

TEST(SimtSchedules, FindMissingSyncwarp) {
  for_each_schedule([] { EXPECT_NE(planted::missing_syncwarp(), 0U); });
}

TEST(SimtSchedules, FindTwoAtomicsForOne) {
  {
    const ScopedSchedule scoped(Schedule::ascending());
    EXPECT_EQ(planted::read_before_increment(), 0U);
  }
  for (unsigned seed = 1; seed <= 8; ++seed) {
    const ScopedSchedule shuffled(Schedule::shuffle(seed));
    EXPECT_NE(planted::read_before_increment(), 0U) << seed;
  }
}

TEST(SimtSchedules, FindUnsetSharedMemory) {
  for_each_schedule([] { EXPECT_NE(planted::unset_shared(), 0U); });
}

#endif

// --- Found by ThreadSanitizer, in the order in which nothing else is wrong ---

struct Race {
  const char* name;
  void (*run)();
};

class SimtRaces : public testing::TestWithParam<Race> {};

TEST_P(SimtRaces, AreFoundAtTheirLine) {
  if constexpr (kThread) {
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    EXPECT_EXIT(
        {
          const ScopedSchedule ascending(Schedule::ascending());
          GetParam().run();
          std::exit(0);
        },
        testing::ExitedWithCode(66), "data race.*" + at_line_of(GetParam().name));
  } else {
    // Without ThreadSanitizer nobody notices, which is why it is needed.
    const ScopedSchedule ascending(Schedule::ascending());
    EXPECT_NO_THROW(GetParam().run());
  }
}

constexpr Race kRaces[] = {
    {"race_missing_barrier", planted::race_missing_barrier},
    {"race_before_overwriting", planted::race_before_overwriting},
    {"race_missing_syncwarp", planted::race_missing_syncwarp},
    {"race_ballot_is_no_barrier", planted::race_ballot_is_no_barrier},
    {"race_between_blocks", planted::race_between_blocks},
    {"race_plain_increment", planted::race_plain_increment},
    {"race_plain_read_of_atomic", planted::race_plain_read_of_atomic},
    {"race_syncwarp_of_another_warp", planted::race_syncwarp_of_another_warp},
    {"race_barrier_between_blocks", planted::race_barrier_between_blocks},
    {"race_missing_stream_synchronize", planted::race_missing_stream_synchronize},
    {"race_of_streams", planted::race_missing_event_wait},
};
INSTANTIATE_TEST_SUITE_P(All, SimtRaces, testing::ValuesIn(kRaces),
                         [](const auto& race) { return std::string(race.param.name); });

// --- Found by AddressSanitizer ---

#if defined(__SANITIZE_ADDRESS__)

TEST(SimtAddresses, AreReportedAtTheirLine) {
  EXPECT_DEATH(planted::read_past_static_object(),
               "use-after-poison.*" + at_line_of("read_past_static_object"));
  EXPECT_DEATH(planted::read_past_dynamic_memory(),
               "use-after-poison.*" + at_line_of("read_past_dynamic_memory"));
  EXPECT_DEATH(planted::read_past_device_memory(),
               "heap-buffer-overflow.*" + at_line_of("read_past_device_memory"));
  EXPECT_DEATH(planted::write_to_freed_device_memory(),
               "heap-use-after-free.*" + at_line_of("write_to_freed_device_memory"));
}

#endif

}  // namespace
}  // namespace furrow::simt
