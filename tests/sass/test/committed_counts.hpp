// SPDX-License-Identifier: Apache-2.0
// The counts that bench/model.md was written from, against what the kernels execute now.
#pragma once

#include <memory>
#include <vector>

#include "furrow/types.hpp"

#include "tests/sass/card/card.hpp"

namespace furrow::sass {

/// The record that is counted, always the same: from seed to seed table 7 differs by some percent.
struct CountedRecord {
  PosSeed seed;
  std::unique_ptr<Record> record;
};
[[nodiscard]] CountedRecord counted_record();

/// Fails the test when a launch for that record is none of those that were counted, or asks for other
/// registers or shared memory, or when what it executed on any pipe is more than 0.5 % off: the order
/// of blocks and warps makes a tenth of that. Counts by another release of nvcc say nothing of this
/// one's code: that is printed, and nothing compared.
void expect_committed_counts(unsigned architecture, const std::vector<Launched>& launches);

}  // namespace furrow::sass
