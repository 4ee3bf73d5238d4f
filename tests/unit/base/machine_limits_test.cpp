// SPDX-License-Identifier: Apache-2.0
// Limits of control groups of both versions, read from files that the test writes.
#include "host/base/machine_limits.hpp"

#include <fstream>

#include <gtest/gtest.h>
#include <sched.h>

#include "tests/support/temp_directory.hpp"

namespace furrow {
namespace {

constexpr std::uint64_t kGiB = std::uint64_t{1} << 30;

class MachineLimitsTest : public testing::Test {
 protected:
  void write(const std::filesystem::path& path, const std::string& text) {
    const std::filesystem::path file = directory_.path() / path;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file) << text;
  }
  [[nodiscard]] MachineLimits read(unsigned affinity = 8) const {
    return read_machine_limits({.proc = directory_.path() / "proc",
                                .cgroup = directory_.path() / "cgroup",
                                .affinity = affinity,
                                .processors_online = 8});
  }

  test::TempDirectory directory_;
};

TEST_F(MachineLimitsTest, NothingToReadLimitsNothing) {
  const MachineLimits limits = read();
  EXPECT_EQ(limits.processors_online, 8U);
  EXPECT_EQ(limits.processors, 8U);
  EXPECT_EQ(limits.processors_limit, "");
  EXPECT_FALSE(limits.memory_limit.has_value());
  EXPECT_FALSE(limits.memory_available.has_value());
}

TEST_F(MachineLimitsTest, AffinityLimitsProcessors) {
  EXPECT_EQ(read(3).processors, 3U);
  EXPECT_EQ(read(3).processors_online, 8U);
  EXPECT_EQ(read(3).processors_limit, "CPU affinity");
}

TEST_F(MachineLimitsTest, TheMaskOfThisThreadCounts) {
  cpu_set_t before;
  ASSERT_EQ(sched_getaffinity(0, sizeof(before), &before), 0);
  int first = 0;
  while (!CPU_ISSET(first, &before)) {
    ++first;
  }
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(first, &one);
  ASSERT_EQ(sched_setaffinity(0, sizeof(one), &one), 0);
  EXPECT_EQ(read_machine_limits({.cgroup = directory_.path()}).processors, 1U);
  ASSERT_EQ(sched_setaffinity(0, sizeof(before), &before), 0);
}

TEST_F(MachineLimitsTest, QuotaOfV2IsRoundedUpAndTheLeastOfAllAncestors) {
  write("proc/self/cgroup", "0::/system.slice/farm.service\n");
  write("cgroup/system.slice/farm.service/cpu.max", "max 100000\n");
  write("cgroup/system.slice/cpu.max", "250000 100000\n");
  write("cgroup/cpu.max", "max 100000\n");
  EXPECT_EQ(read().processors, 3U);
  EXPECT_EQ(read().processors_limit, "CPU quota of the control group");
  EXPECT_EQ(read(2).processors, 2U);
  write("cgroup/system.slice/farm.service/cpu.max", "50000 100000\n");
  EXPECT_EQ(read().processors, 1U);
}

TEST_F(MachineLimitsTest, QuotaOfV1) {
  write("proc/self/cgroup", "5:memory:/a\n4:cpu,cpuacct:/a/b\n0::/\n");
  write("cgroup/cpu,cpuacct/a/b/cpu.cfs_quota_us", "-1\n");
  write("cgroup/cpu,cpuacct/a/b/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(read().processors, 8U);
  write("cgroup/cpu,cpuacct/a/b/cpu.cfs_quota_us", "400000\n");
  EXPECT_EQ(read().processors, 4U);
}

TEST_F(MachineLimitsTest, APathThatIsNotBelowTheMountMeansTheMount) {
  write("proc/self/cgroup", "4:cpu:/docker/0123\n5:memory:/docker/0123\n");
  write("cgroup/cpu/cpu.cfs_quota_us", "200000\n");
  write("cgroup/cpu/cpu.cfs_period_us", "100000\n");
  write("cgroup/memory/memory.limit_in_bytes", std::to_string(2 * kGiB));
  EXPECT_EQ(read().processors, 2U);
  EXPECT_EQ(read().memory_limit, 2 * kGiB);
}

TEST_F(MachineLimitsTest, MemoryOfTheMachineWithoutGroups) {
  write("proc/meminfo",
        "MemTotal:       16777216 kB\nMemFree: 1 kB\nMemAvailable:    8388608 kB\n");
  EXPECT_EQ(read().memory_total, 16 * kGiB);
  EXPECT_EQ(read().memory_available, 8 * kGiB);
  EXPECT_EQ(read().memory_source, "the machine");
}

TEST_F(MachineLimitsTest, MemoryOfV2CountsWhatIsUsedButNotWhatCanBeReclaimed) {
  write("proc/meminfo", "MemTotal:       16777216 kB\nMemAvailable:    8388608 kB\n");
  write("proc/self/cgroup", "0::/farm\n");
  write("cgroup/farm/memory.max", "max\n");
  write("cgroup/farm/memory.high", "max\n");
  write("cgroup/farm/memory.current", "123\n");
  EXPECT_FALSE(read().memory_limit.has_value());
  EXPECT_EQ(read().memory_available, 8 * kGiB);
  write("cgroup/farm/memory.max", std::to_string(4 * kGiB) + "\n");
  write("cgroup/farm/memory.current", std::to_string(3 * kGiB) + "\n");
  write("cgroup/farm/memory.stat",
        "anon 5\nfile 7\ninactive_file " + std::to_string(2 * kGiB) + "\n");
  EXPECT_EQ(read().memory_limit, 4 * kGiB);
  EXPECT_EQ(read().memory_available, 3 * kGiB);
  EXPECT_EQ(read().memory_source, "the control group");
  write("cgroup/farm/memory.high", std::to_string(2 * kGiB) + "\n");
  EXPECT_EQ(read().memory_available, kGiB);
  write("cgroup/farm/memory.current", std::to_string(6 * kGiB) + "\n");
  EXPECT_EQ(read().memory_available, 0U) << "more is used than allowed";
}

TEST_F(MachineLimitsTest, MemoryOfV1) {
  write("proc/self/cgroup", "5:memory:/farm\n");
  write("cgroup/memory/farm/memory.limit_in_bytes", "9223372036854771712\n");
  write("cgroup/memory/farm/memory.usage_in_bytes", std::to_string(kGiB));
  EXPECT_FALSE(read().memory_limit.has_value());
  write("cgroup/memory/memory.limit_in_bytes", std::to_string(3 * kGiB));
  write("cgroup/memory/memory.usage_in_bytes", std::to_string(2 * kGiB));
  write("cgroup/memory/memory.stat", "inactive_file 1\ntotal_inactive_file 1073741824\n");
  EXPECT_EQ(read().memory_limit, 3 * kGiB);
  EXPECT_EQ(read().memory_available, 2 * kGiB);
}

TEST_F(MachineLimitsTest, NonsenseLimitsNothing) {
  write("proc/self/cgroup", "what\n0::/x\n7:cpu:/y\n9\n");
  write("proc/meminfo", "MemTotal: many kB\n");
  write("cgroup/x/cpu.max", "100000 0\n");
  write("cgroup/cpu.max", "lots\n");
  write("cgroup/cpu/y/cpu.cfs_quota_us", "");
  write("cgroup/x/memory.max", "-5\n");
  EXPECT_EQ(read().processors, 8U);
  EXPECT_FALSE(read().memory_limit.has_value());
  EXPECT_FALSE(read().memory_available.has_value());
}

}  // namespace
}  // namespace furrow
