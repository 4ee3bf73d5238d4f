// SPDX-License-Identifier: Apache-2.0
// The memory plan: its formula, and what is given up for a limit. tests/e2e/pipeline.py holds it
// against what the program takes.
#include "host/plotting/memory_plan.hpp"

#include <gtest/gtest.h>

#include "furrow/errors.hpp"

#include "host/pos/proof_table.hpp"

namespace furrow {
namespace {

constexpr std::uint64_t kMiB = std::uint64_t{1} << 20;

TEST(MemoryPlan, IsTheSumOfItsItems) {
  MemorySettings settings = default_memory_settings(1000, 4, 0);
  const MemoryPlan plan = plan_memory(settings);
  std::uint64_t sum = 0;
  for (const MemoryPlan::Item& item : plan.items) {
    sum += item.bytes;
  }
  EXPECT_EQ(plan.total(), sum);
  // What does not depend on the settings cancels.
  const auto more = [&](auto change) {
    MemorySettings changed = settings;
    change(changed);
    return plan_memory(changed).total() - plan.total();
  };
  EXPECT_EQ(more([](MemorySettings& s) { ++s.sectors_in_memory; }),
            1000U * (1048576 + 1016 + 8192));
  EXPECT_EQ(more([](MemorySettings& s) { ++s.output_buffers; }), 1'057'784'064U);
  EXPECT_EQ(more([](MemorySettings& s) { ++s.threads; }), proof_table_bytes(Network::kAbundance));
  EXPECT_EQ(more([](MemorySettings& s) { ++s.pieces_in_flight; }), 2U * 1049560);
  EXPECT_GT(more([](MemorySettings& s) { ++s.devices; }), proof_table_bytes(Network::kAbundance));
  EXPECT_EQ(more([](MemorySettings& s) {
              s.devices = 1;
              s.pinned_bytes = 12345;
            }),
            more([](MemorySettings& s) { s.devices = 1; }) + 12345);
}

TEST(MemoryPlan, EachDeviceIsPlannedWithWhatIsFreeOnIt) {
  std::vector<CudaDeviceInfo> devices(2);
  devices[0].name = "small";
  devices[0].free_bytes = 100;
  devices[1].index = 3;
  devices[1].free_bytes = 900;
  const std::vector<DeviceMemoryPlan> memory = plan_device_memory(
      devices, {.vram_limit = 700, .pinned_limit = 50},
      [](const CudaEncoderOptions& options, std::uint64_t free_bytes) {
        EXPECT_EQ(options.pinned_limit, 50U);
        return CudaMemoryPlan{.lanes = static_cast<std::size_t>(options.device),
                              .device_bytes = std::min(options.vram_limit, free_bytes),
                              .pinned_bytes = free_bytes / 100};
      });
  ASSERT_EQ(memory.size(), 2U);
  EXPECT_EQ(memory[0].name, "small");
  EXPECT_EQ(memory[0].plan.device_bytes, 100U);
  EXPECT_EQ(memory[1].index, 3);
  EXPECT_EQ(memory[1].plan.lanes, 3U);
  EXPECT_EQ(memory[1].plan.device_bytes, 700U);
  EXPECT_EQ(pinned_bytes_of(memory), 10U);
  EXPECT_TRUE(plan_device_memory({}, {}).empty()) << "no device, and no CUDA is asked";
}

TEST(MemoryPlan, DevicesGetThreeSectorsAndTwoOutputBuffersEach) {
  const MemorySettings cpu = default_memory_settings(100, 2, 0);
  EXPECT_EQ(cpu.sectors_in_memory, 2U);
  EXPECT_EQ(cpu.output_buffers, 2U);
  const MemorySettings devices = default_memory_settings(100, 2, 3);
  EXPECT_EQ(devices.sectors_in_memory, 9U);
  EXPECT_EQ(devices.output_buffers, 6U);
}

TEST(MemoryPlan, ALimitTakesFromDevicesSectorsAndBuffersAlike) {
  const MemorySettings wanted = default_memory_settings(100, 1, 4);
  for (std::uint64_t limit = plan_memory(wanted).total();; limit -= kMiB) {
    const MemorySettings now = fit_memory(wanted, limit).settings;
    EXPECT_LE(3 * now.output_buffers, 2 * now.sectors_in_memory + 2);
    EXPECT_LE(2 * now.sectors_in_memory, 3 * now.output_buffers + 3);
    if (now.sectors_in_memory == 1) {
      break;
    }
  }
}

TEST(MemoryPlan, ALimitTakesAwayBuffersThenSectorsThenPiecesThenThreads) {
  MemorySettings wanted = default_memory_settings(100, 3, 0);
  wanted.sectors_in_memory = 3;
  wanted.pieces_in_flight = 64;
  EXPECT_EQ(fit_memory(wanted, plan_memory(wanted).total()).total(), plan_memory(wanted).total());

  MemorySettings last = wanted;
  std::vector<std::string> steps;
  for (std::uint64_t limit = plan_memory(wanted).total();; limit = plan_memory(last).total()) {
    MemoryPlan plan;
    try {
      plan = fit_memory(wanted, limit - 1);
    } catch (const InvalidArgument& error) {
      EXPECT_NE(std::string(error.what())
                    .find("takes at least " + std::to_string(limit) + " bytes, allowed are " +
                          std::to_string(limit - 1)),
                std::string::npos)
          << error.what();
      break;
    }
    EXPECT_LT(plan.total(), limit);
    const MemorySettings& now = plan.settings;
    steps.emplace_back(now.output_buffers < last.output_buffers         ? "output"
                       : now.sectors_in_memory < last.sectors_in_memory ? "sector"
                       : now.pieces_in_flight < last.pieces_in_flight   ? "pieces"
                                                                        : "thread");
    last = now;
  }
  EXPECT_EQ(steps, (std::vector<std::string>{"output", "sector", "sector", "pieces", "pieces",
                                             "pieces", "thread", "thread"}));
  EXPECT_EQ(last.pieces_in_flight, 8U);
  EXPECT_EQ(last.threads, 1U);
}

MachineLimits with_memory(std::uint64_t available) {
  MachineLimits machine;
  machine.memory_available = available;
  machine.memory_source = "the control group";
  return machine;
}

TEST(MemoryPlan, StaysWithinWhatTheMachineHasLeft) {
  const MemorySettings wanted = default_memory_settings(100, 3, 0);
  const MemoryPlan full = plan_memory(wanted);
  EXPECT_EQ(plan_memory_on({}, wanted, std::nullopt).total(), full.total()) << "nobody says";
  const MemoryPlan enough = plan_memory_on(with_memory(full.total()), wanted, std::nullopt);
  EXPECT_EQ(enough.total(), full.total());
  EXPECT_TRUE(enough.notes.empty());
  const MemoryPlan less = plan_memory_on(with_memory(full.total() - 1), wanted, std::nullopt);
  EXPECT_LT(less.total(), full.total());
  EXPECT_EQ(less.settings.output_buffers, wanted.output_buffers - 1);
  ASSERT_EQ(less.notes.size(), 1U);
  EXPECT_NE(less.notes[0].find("the control group has"), std::string::npos) << less.notes[0];
}

TEST(MemoryPlan, GoesOnWithTheLeastWhenThatIsTooMuchForTheMachine) {
  const MemorySettings wanted = default_memory_settings(100, 3, 0);
  const MemoryPlan plan = plan_memory_on(with_memory(kMiB), wanted, std::nullopt);
  EXPECT_EQ(plan.settings.threads, 1U);
  EXPECT_EQ(plan.settings.sectors_in_memory, 1U);
  EXPECT_EQ(plan.notes.size(), 2U);
}

TEST(MemoryPlan, ALimitOfTheUserIsKeptAndTheMachineOnlyNoted) {
  const MemorySettings wanted = default_memory_settings(100, 3, 0);
  const std::uint64_t full = plan_memory(wanted).total();
  const MemoryPlan plan = plan_memory_on(with_memory(full / 2), wanted, full - 1);
  EXPECT_EQ(plan.total(), fit_memory(wanted, full - 1).total());
  EXPECT_EQ(plan.notes.size(), 1U);
  EXPECT_THROW(plan_memory_on(with_memory(full), wanted, kMiB), InvalidArgument);
}

}  // namespace
}  // namespace furrow
