// SPDX-License-Identifier: Apache-2.0
#include "host/base/thread_count.hpp"

#include <cerrno>
#include <cstdint>

#include <fmt/format.h>

#include "host/base/threads.hpp"

namespace furrow {

void check_thread_count(unsigned wanted, const MachineLimits& machine) {
  const std::uint64_t most = std::uint64_t{kMaxThreadsPerProcessor} * machine.processors_online;
  if (wanted > most) {
    throw InvalidArgument(
        fmt::format("threads: expected at most {}, {} for each processor, actual {}", most,
                    kMaxThreadsPerProcessor, wanted),
        {.expected = std::to_string(most), .actual = std::to_string(wanted)});
  }
}

ThreadCount choose_thread_count(unsigned wanted, unsigned others, const MachineLimits& machine) {
  check_thread_count(wanted, machine);
  ThreadCount result{.threads = wanted != 0 ? wanted : machine.processors};
  if (!machine.processors_limit.empty() && (wanted == 0 || wanted > machine.processors)) {
    result.notes.push_back(fmt::format("{} of {} processors can be used ({}); {} threads",
                                       machine.processors, machine.processors_online,
                                       machine.processors_limit, result.threads));
  }
  const std::size_t started = count_startable_threads(std::size_t{result.threads} + others);
  if (started <= others) {
    throw ResourceExhausted(
        fmt::format("the system starts {} threads, at least {} are needed (limits: ulimit -u, "
                    "ulimit -v, pids of the container)",
                    started, others + 1),
        EAGAIN);
  }
  if (started < std::size_t{result.threads} + others) {
    const auto left = static_cast<unsigned>(started - others);
    result.notes.push_back(
        fmt::format("the system starts no more than {} threads; {} compute, expected were {}",
                    started, left, result.threads));
    result.threads = left;
  }
  return result;
}

}  // namespace furrow
