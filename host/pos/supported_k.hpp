// SPDX-License-Identifier: Apache-2.0
// The values of K that the engine is compiled for.
#pragma once

#include <string>

#include "furrow/errors.hpp"

namespace furrow {

/// Calls `run.template operator()<K>()` for a K known when compiling: 15 to 18 or 20, of which the
/// network uses 20 and the tests the others. Throws InvalidArgument for another K.
template <class Run>
decltype(auto) with_supported_k(unsigned k, const Run& run) {
  switch (k) {
    case 15:
      return run.template operator()<15>();
    case 16:
      return run.template operator()<16>();
    case 17:
      return run.template operator()<17>();
    case 18:
      return run.template operator()<18>();
    case 20:
      return run.template operator()<20>();
    default:
      throw InvalidArgument("proof of space: supported K are 15 to 18 and 20, actual " +
                            std::to_string(k));
  }
}

}  // namespace furrow
