// SPDX-License-Identifier: Apache-2.0
#include "tests/sass/test/architectures.hpp"

namespace furrow::sass {

std::span<const unsigned> compiled_architectures() {
  static constexpr unsigned kArchitectures[] = {FURROW_SASS_ARCHITECTURES};
  return kArchitectures;
}

}  // namespace furrow::sass
