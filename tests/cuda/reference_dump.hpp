// SPDX-License-Identifier: Apache-2.0
// Tables of the reference in the form that tables of a device are compared in.
#pragma once

#include "tests/cuda/table_dump.hpp"
#include "tests/reference/pos_reference.hpp"

namespace furrow::cuda {

inline TableDump dump_of(const std::vector<reference::PosEntry>& table, bool has_parents) {
  TableDump dump;
  for (const reference::PosEntry& entry : table) {
    dump.y.push_back(static_cast<std::uint32_t>(entry.y));
    uint128 metadata = 0;
    for (const bool bit : entry.metadata) {
      metadata = (metadata << 1) | (bit ? 1U : 0U);
    }
    dump.metadata.push_back(metadata);
    if (has_parents) {
      dump.parents.push_back(
          {static_cast<std::uint32_t>(entry.left), static_cast<std::uint32_t>(entry.right)});
    }
  }
  return dump;
}

}  // namespace furrow::cuda
