// SPDX-License-Identifier: Apache-2.0
// Leaves the barriers of a kernel out, one at a time: each must be missed.
#pragma once

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/sass/card/card.hpp"
#include "tests/sass/errors.hpp"

namespace furrow::sass {

/// `run` launches the kernel of that readable name, among others.
template <class Run>
void expect_every_barrier_is_missed(const std::string& name, const Run& run) {
  Card& card = Card::instance();
  const std::vector<const void*> functions = card.functions_named(name);
  ASSERT_FALSE(functions.empty()) << name;
  const std::vector<Instruction>& code = card.kernel(functions.front()).code;
  unsigned n_barriers = 0;
  for (std::uint32_t at = 0; at < code.size(); ++at) {
    if (code[at].operation != Operation::kBar) {
      continue;
    }
    ++n_barriers;
    card.leave_out(name, at);
    card.findings().clear();
    bool is_missed = false;
    try {
      run();
    } catch (const KernelFault&) {
      is_missed = true;
    }
    EXPECT_TRUE(is_missed || !card.findings().empty())
        << name << ": nobody misses the barrier at byte " << 16 * at;
  }
  card.leave_out_nothing();
  card.findings().clear();
  EXPECT_GT(n_barriers, 0U) << name;
}

}  // namespace furrow::sass
