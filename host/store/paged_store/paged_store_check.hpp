// SPDX-License-Identifier: Apache-2.0
// Verifies every record of a paged store.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "host/store/paged_store/paged_backend.hpp"

namespace furrow {

struct PagedStoreReport {
  std::size_t records = 0;
  /// One message for each damaged record and for each child that a record names and the store
  /// lacks.
  std::vector<std::string> broken;
};

/// Reads all records: each must be sound, and its children must be there. Changes nothing; holds 16
/// bytes for each record and one record at a time. Throws BackendError.
PagedStoreReport check_paged_store(const PagedBackend& backend,
                                   LongerValues longer_values = LongerValues::kRefused);

}  // namespace furrow
