// SPDX-License-Identifier: Apache-2.0
// Turns an object and all it reaches into records, children first
// (docs/spec/08-storage-components.md, section 2.4).
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "host/store/paged_store/paged.hpp"
#include "host/store/paged_store/paged_backend.hpp"
#include "host/store/paged_store/session_context.hpp"

namespace furrow {

/// What paging out one root takes.
struct PageOutPlan {
  struct Stored {
    std::shared_ptr<PagedCell> cell;
    std::shared_ptr<const void> object;
    DataKey key;
  };
  /// Records that the backend lacks, children before parents.
  std::vector<PagedRecord> records;
  /// References that get their key once the records are written, in the same order.
  std::vector<Stored> stored;
  DataKey root_key;
};

/// Serializes without recursion, so that depth costs memory, not stack; writes nothing. Objects
/// that have a key already are neither serialized nor looked up: their records are there (S2). A
/// record of the backend that turns out to be damaged is among those to be written.
///
/// Throws PagingCycle; InvalidArgument for a reference of another store than `store_id`;
/// CorruptEntry when another content has the same key; and what serialize of an object throws.
PageOutPlan plan_page_out(const std::shared_ptr<PagedCell>& root, const SessionContext& context,
                          std::uint64_t store_id, const PagedBackend& backend,
                          LongerValues longer_values);

}  // namespace furrow
