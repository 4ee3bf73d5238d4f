// SPDX-License-Identifier: Apache-2.0
#include "host/base/machine_limits.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <fstream>
#include <sstream>
#include <string_view>
#include <vector>

#include <sched.h>
#include <unistd.h>

namespace furrow {
namespace {

namespace fs = std::filesystem;

/// v1 says "no limit" with the greatest multiple of a page; no machine has as much as this.
constexpr std::uint64_t kNoLimit = std::uint64_t{1} << 60;

std::string contents(const fs::path& file) {
  std::ifstream in(file);
  std::ostringstream text;
  text << in.rdbuf();
  return in ? text.str() : std::string();
}

/// None for "max", "-1" and what is no number.
std::optional<std::uint64_t> number(std::string_view text) {
  std::uint64_t value = 0;
  const auto end = std::from_chars(text.data(), text.data() + text.size(), value);
  if (end.ec != std::errc{}) {
    return std::nullopt;
  }
  return value;
}

std::optional<std::uint64_t> number_in(const fs::path& file) {
  return number(contents(file));
}

/// The number behind `name` in a file of lines "name value" or "name: value kB".
std::optional<std::uint64_t> entry_in(const fs::path& file, const std::string& name) {
  std::istringstream lines(contents(file));
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string word;
    std::string value;
    if (words >> word >> value && word == name) {
      return number(value);
    }
  }
  return std::nullopt;
}

/// The directories of the groups that this process is in, for one controller: its own first, then
/// all that it lies in, up to the mount.
std::vector<fs::path> group_and_ancestors(const fs::path& mount, const fs::path& group) {
  std::vector<fs::path> result;
  for (fs::path path = group.relative_path(); !path.empty(); path = path.parent_path()) {
    result.push_back(mount / path);
  }
  result.push_back(mount);
  return result;
}

/// The groups of a v1 controller, or those of v2 for an empty name.
std::vector<fs::path> groups_of(const MachineRoots& roots, std::string_view controller) {
  std::istringstream lines(contents(roots.proc / "self/cgroup"));
  for (std::string line; std::getline(lines, line);) {  // "4:cpu,cpuacct:/a/b" or "0::/a/b"
    const std::size_t first = line.find(':');
    const std::size_t second = first == std::string::npos ? first : line.find(':', first + 1);
    if (second == std::string::npos) {
      continue;
    }
    const std::string names = line.substr(first + 1, second - first - 1);
    const fs::path group = line.substr(second + 1);
    if (controller.empty()) {
      if (names.empty()) {
        const fs::path unified = roots.cgroup / "unified";  // beside the controllers of v1
        std::error_code ignored;
        return group_and_ancestors(fs::is_directory(unified, ignored) ? unified : roots.cgroup,
                                   group);
      }
      continue;
    }
    std::istringstream list(names);
    for (std::string name; std::getline(list, name, ',');) {
      if (name == controller) {
        // Distributions mount them by one name or by all, with links between.
        std::vector<fs::path> result = group_and_ancestors(roots.cgroup / names, group);
        const std::vector<fs::path> by_name = group_and_ancestors(roots.cgroup / name, group);
        result.insert(result.end(), by_name.begin(), by_name.end());
        return result;
      }
    }
  }
  return {};
}

/// Processors' worth of time of each period.
std::optional<double> cpu_quota(const MachineRoots& roots) {
  std::optional<double> least;
  const auto limit = [&](std::optional<std::uint64_t> quota, std::optional<std::uint64_t> period) {
    if (quota.has_value() && period.value_or(0) != 0) {
      const double processors = static_cast<double>(*quota) / static_cast<double>(*period);
      least = std::min(least.value_or(processors), processors);
    }
  };
  for (const fs::path& group : groups_of(roots, "")) {
    std::istringstream words(contents(group / "cpu.max"));
    std::string quota;
    std::string period;
    words >> quota >> period;
    limit(number(quota), number(period));
  }
  for (const fs::path& group : groups_of(roots, "cpu")) {
    limit(number_in(group / "cpu.cfs_quota_us"), number_in(group / "cpu.cfs_period_us"));
  }
  return least;
}

struct GroupMemory {
  std::optional<std::uint64_t> limit;
  std::optional<std::uint64_t> available;

  /// `reclaimable` of what is in use can be had as well: pages of files that nobody uses.
  void add(std::optional<std::uint64_t> most, std::optional<std::uint64_t> used,
           std::optional<std::uint64_t> reclaimable) {
    if (!most.has_value() || *most >= kNoLimit) {
      return;
    }
    const std::uint64_t taken =
        used.value_or(0) - std::min(used.value_or(0), reclaimable.value_or(0));
    const std::uint64_t left = *most - std::min(*most, taken);
    limit = std::min(limit.value_or(*most), *most);
    available = std::min(available.value_or(left), left);
  }
};

GroupMemory group_memory(const MachineRoots& roots) {
  GroupMemory memory;
  for (const fs::path& group : groups_of(roots, "")) {
    const auto used = number_in(group / "memory.current");
    const auto reclaimable = entry_in(group / "memory.stat", "inactive_file");
    memory.add(number_in(group / "memory.max"), used, reclaimable);
    memory.add(number_in(group / "memory.high"), used, reclaimable);  // above it all is slowed down
  }
  for (const fs::path& group : groups_of(roots, "memory")) {
    memory.add(number_in(group / "memory.limit_in_bytes"),
               number_in(group / "memory.usage_in_bytes"),
               entry_in(group / "memory.stat", "total_inactive_file"));
  }
  return memory;
}

unsigned affinity_of_this_thread(unsigned processors_online) {
  cpu_set_t mask;  // of 1024; the call fails on larger machines, and limits nothing then
  if (sched_getaffinity(0, sizeof(mask), &mask) != 0) {
    return processors_online;
  }
  return static_cast<unsigned>(CPU_COUNT(&mask));
}

unsigned online_processors() {
  const long online = sysconf(_SC_NPROCESSORS_ONLN);
  return online > 0 ? static_cast<unsigned>(online) : 1U;
}

}  // namespace

MachineLimits read_machine_limits(const MachineRoots& roots) {
  MachineLimits result;
  result.processors_online = std::max(1U, roots.processors_online.value_or(online_processors()));
  result.processors = result.processors_online;
  const unsigned affinity =
      std::max(1U, roots.affinity.value_or(affinity_of_this_thread(result.processors_online)));
  if (affinity < result.processors) {
    result.processors = affinity;
    result.processors_limit = "CPU affinity";
  }
  if (const std::optional<double> quota = cpu_quota(roots)) {
    const auto whole = static_cast<unsigned>(std::clamp(std::ceil(*quota), 1.0, 65536.0));
    if (whole < result.processors) {
      result.processors = whole;
      result.processors_limit = "CPU quota of the control group";
    }
  }

  const auto from_kib = [&](const char* name) {
    const std::optional<std::uint64_t> kib = entry_in(roots.proc / "meminfo", name);
    return kib.has_value() ? std::optional(*kib * 1024) : std::nullopt;
  };
  result.memory_total = from_kib("MemTotal:").value_or(0);
  result.memory_available = from_kib("MemAvailable:");
  result.memory_source = result.memory_available.has_value() ? "the machine" : "";
  const GroupMemory group = group_memory(roots);
  result.memory_limit = group.limit;
  if (group.available.has_value() &&
      *group.available < result.memory_available.value_or(*group.available + 1)) {
    result.memory_available = group.available;
    result.memory_source = "the control group";
  }
  return result;
}

unsigned usable_processors() {
  static const unsigned kProcessors = read_machine_limits().processors;
  return kProcessors;
}

}  // namespace furrow
