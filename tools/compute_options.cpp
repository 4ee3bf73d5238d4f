// SPDX-License-Identifier: Apache-2.0
#include "tools/compute_options.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <spdlog/spdlog.h>

#include "host/base/simd_mode.hpp"
#include "host/base/thread_count.hpp"

namespace furrow::cli {

unsigned thread_count(unsigned wanted, unsigned others) {
  const ThreadCount count = choose_thread_count(wanted, others);
  for (const std::string& note : count.notes) {
    spdlog::warn("{}", note);
  }
  return count.threads;
}

void add_simd_option(Command command) {
  command.add_option_function(
      "--simd", [](const std::string& name) { choose_simd_target(name); },
      fmt::format("Instruction set of the CPU code; here: {}", fmt::join(simd_targets(), ", ")));
}

}  // namespace furrow::cli
