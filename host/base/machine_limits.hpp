// SPDX-License-Identifier: Apache-2.0
// What this process may use of the machine: processors and memory, as the scheduler's affinity and
// the control groups of a container or service leave them.
//
// Control groups form a tree, and the limits of all ancestors hold. A container usually sees its
// own group as the root; where /proc/self/cgroup names a path that is not below the mount, the
// mount itself is the group.
//
//   v2: cpu.max ("quota period"), memory.max, memory.high, memory.current, memory.stat
//   v1: cpu.cfs_quota_us, cpu.cfs_period_us, memory.limit_in_bytes, memory.usage_in_bytes,
//       memory.stat
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

namespace furrow {

struct MachineLimits {
  /// Of the machine, whoever may use them; at least 1.
  unsigned processors_online = 1;
  /// That this process can keep busy: online, affinity and quota (rounded up), the least of them.
  unsigned processors = 1;
  /// Why these are fewer than those online, such as "CPU affinity"; empty when they are not.
  std::string processors_limit = {};

  /// Of the machine; 0 when it does not say.
  std::uint64_t memory_total = 0;
  /// The least limit of the control groups.
  std::optional<std::uint64_t> memory_limit = {};
  /// That can be had now without swapping or being killed, of the machine and within the limits;
  /// none when neither says.
  std::optional<std::uint64_t> memory_available = {};
  /// Whose that is, such as "the control group"; for messages.
  std::string memory_source = {};
};

/// Where to read; tests have files of their own.
struct MachineRoots {
  std::filesystem::path proc = "/proc";
  std::filesystem::path cgroup = "/sys/fs/cgroup";
  /// Processors of the affinity mask; none means that of the calling thread.
  std::optional<unsigned> affinity = {};
  /// None means those of the machine.
  std::optional<unsigned> processors_online = {};
};

/// Never fails: what cannot be read or understood limits nothing.
[[nodiscard]] MachineLimits read_machine_limits(const MachineRoots& roots = {});

/// MachineLimits::processors, read once. What "one thread for each processor" means.
[[nodiscard]] unsigned usable_processors();

}  // namespace furrow
