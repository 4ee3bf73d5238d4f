// SPDX-License-Identifier: Apache-2.0
#include "host/store/paged_store/paged_store_check.hpp"

#include <algorithm>
#include <span>

#include "host/store/paged_store/paged_errors.hpp"

namespace furrow {

PagedStoreReport check_paged_store(const PagedBackend& backend, LongerValues longer_values) {
  // Two passes, because a child may come after its parent.
  std::vector<DataKey> keys;
  backend.for_each_record(
      [&](const DataKey& key, std::span<const std::uint8_t>) { keys.push_back(key); });
  std::ranges::sort(keys);

  PagedStoreReport report{.records = keys.size(), .broken = {}};
  backend.for_each_record([&](const DataKey& key, std::span<const std::uint8_t> value) {
    try {
      for (const DataKey& child : decode_record(key, value, longer_values).children) {
        if (!std::ranges::binary_search(keys, child)) {
          report.broken.push_back("paged store: record of " + describe(key) +
                                  ": expected its child of " + describe(child) + ", actual none");
        }
      }
    } catch (const CorruptEntry& error) {
      report.broken.emplace_back(error.what());
    }
  });
  return report;
}

}  // namespace furrow
