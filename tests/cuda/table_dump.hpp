// SPDX-License-Identifier: Apache-2.0
// Tables of one record as the device made them, in the dense order of the specification.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <vector>

#include "cuda/kernels/proof_tables.cuh"
#include "host/pos/proof_table.hpp"

namespace furrow::cuda {

/// One table, by dense position. Table 1 has no parents.
struct TableDump {
  std::vector<std::uint32_t> y;
  std::vector<uint128> metadata;
  std::vector<ParentPositions> parents;
};

/// Reads tables out of a copy of a record's device memory. Tables must be read in ascending order,
/// each before the table after the next one is made, because that one takes its place.
template <unsigned K>
class TableReader {
  using Tables = ProofTablesRef<K>;

 public:
  TableDump read(unsigned table, std::byte* memory) {
    const Tables tables(memory);
    std::vector<Found> found;
    for (std::uint32_t bucket = 0; bucket < Tables::kNumBuckets; ++bucket) {
      const std::uint32_t size = std::min(tables.bucket_sizes(table)[bucket], kSlotsPerBucket);
      for (std::uint32_t slot = 0; slot < size; ++slot) {
        const std::uint32_t index = bucket * kSlotsPerBucket + slot;
        found.push_back({entry(tables, table, bucket, index), bucket, index});
      }
    }
    std::sort(found.begin(), found.end(), [](const Found& a, const Found& b) {
      return position_of(a.entry) < position_of(b.entry);
    });

    TableDump dump;
    std::vector<std::uint32_t> dense(Tables::kNumSlots, kNowhere);
    for (const Found& one : found) {
      dense[one.index] = static_cast<std::uint32_t>(dump.y.size());
      dump.y.push_back(one.bucket * core::pos::kParamBC + residue_of(one.entry));
      dump.metadata.push_back(metadata(one.entry, table));
      if (table > 1) {
        dump.parents.push_back(parents(tables, table, one, dump.metadata.back()));
      }
    }
    dense_ = std::move(dense);
    by_metadata_.clear();
    for (std::size_t i = 0; i < dump.metadata.size(); ++i) {
      by_metadata_[dump.metadata[i]] = static_cast<std::uint32_t>(i);
    }
    return dump;
  }

  /// What table 7 offers each s-bucket, positions in the table read last, (0, 0) for none.
  std::vector<ParentPositions> read_targets(std::byte* memory) const {
    const Tables tables(memory);
    std::vector<ParentPositions> targets(Tables::kNumTargets);
    for (std::size_t s = 0; s < targets.size(); ++s) {
      if (tables.targets()[s] != kNoTarget) {
        targets[s] = parents(unpack_target(tables.targets()[s]));
      }
    }
    return targets;
  }

 private:
  static constexpr std::uint32_t kNowhere = 0xFFFFFFFF;
  struct Found {
    PackedEntry entry;
    std::uint32_t bucket;
    std::uint32_t index;
  };

  static PackedEntry entry(const Tables& tables, unsigned table, std::uint32_t bucket,
                           std::uint32_t index) {
    if (table > 1) {
      return tables.entries(table)[index];
    }
    const std::uint32_t packed = tables.table1()[index];
    const std::uint32_t x = table1_x<K>(bucket, packed);
    return pack_entry(x, packed & 0x3FFFU, x);
  }
  static uint128 metadata(const PackedEntry& entry, unsigned table) {
    return core::pos::metadata_bits<K>(table) <= 64 ? metadata_of<64>(entry)
                                                    : metadata_of<80>(entry);
  }
  [[nodiscard]] ParentPositions parents(const Tables& tables, unsigned table, const Found& child,
                                        uint128 metadata) const {
    if (has_links(table)) {
      return parents(unpack_link(tables.links()[child.index]));
    }
    if (has_slots(table)) {
      return parents(link_of(child.entry));
    }
    // Tables 2 and 3: the metadata are those of both parents.
    const unsigned bits = core::pos::metadata_bits<K>(table - 1);
    return {by_metadata_.at(metadata >> bits),
            by_metadata_.at(metadata & ((static_cast<uint128>(1) << bits) - 1))};
  }
  [[nodiscard]] ParentPositions parents(const Link& link) const {
    return {dense_.at(link.pair * kSlotsPerBucket + link.left_slot),
            dense_.at((link.pair + 1) * kSlotsPerBucket + link.right_slot)};
  }

  /// Dense positions of the table read last, by place in device memory.
  std::vector<std::uint32_t> dense_;
  /// The same by metadata, for tables 1 and 2, where no two have the same.
  std::map<uint128, std::uint32_t> by_metadata_;
};

}  // namespace furrow::cuda
