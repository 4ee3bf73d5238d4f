// SPDX-License-Identifier: Apache-2.0
// Working memory of the erasure code over Fr. Each thread keeps its own and reuses it: 1 MiB where
// records are extended, 10 MiB where they are recovered, and 1.3 MiB more of the IFMA form.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "host/erasure/fr.hpp"

namespace furrow {

/// Hands out parts of this thread's memory, whose contents are undefined, until it goes. One at a time
/// on each thread.
class FrScratch {
 public:
  /// Makes room for `n_values`.
  explicit FrScratch(std::size_t n_values) {
    thread_local std::vector<Fr> memory;
    if (memory.size() < n_values) {
      memory.resize(n_values);
    }
    rest_ = memory;
  }
  FrScratch(const FrScratch&) = delete;
  FrScratch& operator=(const FrScratch&) = delete;

  /// Pre: there is room.
  std::span<Fr> take(std::size_t n) {
    const std::span<Fr> part = rest_.first(n);
    rest_ = rest_.subspan(n);
    return part;
  }

 private:
  std::span<Fr> rest_;
};

}  // namespace furrow
