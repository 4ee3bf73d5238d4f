// SPDX-License-Identifier: Apache-2.0
// Which code a test program has.
#pragma once

#include <span>

namespace furrow::sass {

/// Compute capabilities that the engine was compiled for and the interpreter knows, ascending.
std::span<const unsigned> compiled_architectures();

}  // namespace furrow::sass
