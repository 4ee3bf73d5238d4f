// SPDX-License-Identifier: Apache-2.0
/** @file
 * The Reed-Solomon code of records and segments (furrow/c/erasure.h). Part of furrow/furrow.hpp. */
#ifndef FURROW_CPP_ERASURE_HPP
#define FURROW_CPP_ERASURE_HPP

#include <vector>

#include "furrow/cpp/error.hpp"

namespace furrow {
inline namespace v0_1 {

/// Computes parity shards of source shards. All have the same even size.
inline void erasure_extend(const std::vector<Bytes>& source,
                           const std::vector<MutableBytes>& parity) {
  const std::size_t size = source.empty() ? 0 : source.front().size();
  std::vector<const std::uint8_t*> from;
  std::vector<std::uint8_t*> to;
  for (const Bytes shard : source) {
    detail::check_size("a source shard", shard.size(), size);
    from.push_back(shard.data());
  }
  for (const MutableBytes shard : parity) {
    detail::check_size("a parity shard", shard.size(), size);
    to.push_back(shard.data());
  }
  detail::check(furrow_erasure_extend(from.data(), from.size(), to.data(), to.size(), size));
}

/// A shard, and what is to be done with it.
struct Shard {
  furrow_shard_state state = FURROW_SHARD_IGNORED;
  /// Of a shard that is ignored: nothing.
  MutableBytes bytes;
};

/// Recovers the shards that are wanted, from any `source_count` that are present. `shards` are the
/// sources, then the parity; all have the same even size.
inline void erasure_recover(const std::vector<Shard>& shards, std::size_t source_count) {
  detail::check_size("shards, at least",
                     shards.size() < source_count ? shards.size() : source_count, source_count);
  std::size_t size = 0;
  std::vector<std::uint8_t*> pointers;
  std::vector<furrow_shard_state> states;
  for (const Shard& shard : shards) {
    if (shard.state != FURROW_SHARD_IGNORED) {
      size = size == 0 ? shard.bytes.size() : size;
      detail::check_size("a shard", shard.bytes.size(), size);
    }
    pointers.push_back(shard.bytes.data());
    states.push_back(shard.state);
  }
  detail::check(furrow_erasure_recover(pointers.data(), states.data(), source_count,
                                       shards.size() - source_count, size));
}

/// Computes the parity chunks of a record. Both have FURROW_RECORD_SIZE bytes.
inline void erasure_extend_record(Bytes record, MutableBytes parity) {
  detail::check_size("record", record.size(), FURROW_RECORD_SIZE);
  detail::check_size("parity", parity.size(), FURROW_RECORD_SIZE);
  detail::check(furrow_erasure_extend_record(record.data(), parity.data()));
}

}  // namespace v0_1
}  // namespace furrow

#endif
