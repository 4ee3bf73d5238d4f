// SPDX-License-Identifier: Apache-2.0
// The counts that bench/model.md was written from, against what the kernels execute now.
#pragma once

#include <vector>

#include "tests/sass/card/card.hpp"

namespace furrow::sass {

/// Fails the test when a launch of one record is none of those that were counted, or asks for other
/// registers or shared memory, or when what it executed on any pipe is more than 2 % off: seeds differ
/// by a tenth of that. Counts by another release of nvcc say nothing of this one's code: that is
/// printed, and nothing compared.
void expect_committed_counts(unsigned architecture, const std::vector<Launched>& launches);

}  // namespace furrow::sass
