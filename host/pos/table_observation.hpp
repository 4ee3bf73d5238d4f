// SPDX-License-Identifier: Apache-2.0
// Shows an observer the tables of a seed while they are made. The engine knows entries by slot
// (their place in a bucket); positions as the specification numbers them are kept here, only when
// somebody looks.
#pragma once

#include <cstdint>
#include <vector>

#include "host/pos/match_finder.hpp"
#include "host/pos/proof_table.hpp"
#include "host/pos/table_function.hpp"

namespace furrow {

class TableObservation {
 public:
  /// `bucket_places` apart are the buckets that slots are places in.
  TableObservation(TableObserver& observer, std::size_t n_buckets, std::uint32_t bucket_places);

  /// The next `count` entries of table 1 are in the batch.
  void add_first_entries(std::size_t count, const EntryBatch& batch);
  /// Table `table` is complete; its entries are the parents from now on.
  void end_table(unsigned table);
  /// The matches of `pair` have become the children of `table` in the batch, in this order.
  void add_pair(unsigned table, std::size_t pair, std::size_t n_found, std::size_t n_kept,
                const Match* matches, const EntryBatch& batch);

  /// Positions of the parents of an entry of the table made last, before end_table.
  [[nodiscard]] ParentPositions positions(Origin origin) const;

 private:
  void add_entry(unsigned table, const EntryBatch& batch, std::size_t index);

  TableObserver& observer_;
  std::uint32_t bucket_places_;
  std::uint32_t position_ = 0;
  std::vector<std::uint32_t> parents_;  // positions by slot
  std::vector<std::uint32_t> children_;
  std::vector<std::uint16_t> sizes_;  // of the buckets of the children
  // What is shown next.
  std::vector<std::uint32_t> y_;
  std::vector<uint128> metadata_;
  std::vector<ParentPositions> origins_;
};

}  // namespace furrow
