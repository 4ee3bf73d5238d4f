// SPDX-License-Identifier: Apache-2.0
#include "tests/sass/checks/findings.hpp"

#include <algorithm>
#include <cstdio>

#include "tests/sass/cubin/cubin.hpp"

namespace furrow::sass {

std::string text(Finding finding) {
  switch (finding) {
    case Finding::kUnwrittenGlobal:
      return "global memory that nobody wrote";
    case Finding::kUnwrittenShared:
      return "shared memory that nobody wrote";
    case Finding::kSharedRace:
      return "race between warps through shared memory";
    case Finding::kTwoValues:
      return "two lanes store different values to one place";
    case Finding::kInactiveLane:
      return "shuffle from a lane that does not take part";
    case Finding::kDivergentBarrier:
      return "barrier that part of a warp reached";
  }
  return "?";
}

bool Findings::has(Finding finding) const {
  return std::ranges::any_of(found_, [&](const auto& one) { return one.first.finding == finding; });
}

std::string Findings::report() const {
  std::string lines;
  for (const auto& [place, count] : found_) {
    char at[32];
    std::snprintf(at, sizeof at, " at 0x%zx: ", 16 * place.instruction);
    lines += readable_name(place.kernel) + at + text(place.finding) + ", " + std::to_string(count) +
             " times\n";
  }
  return lines;
}

}  // namespace furrow::sass
