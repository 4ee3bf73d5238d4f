// SPDX-License-Identifier: Apache-2.0
// Records with fewer than 32768 proofs, where a network fills them up with unmasked chunks, called plain
// (docs/spec/09-autonomys.md, sections 7 and 8.1). Encoded, the masked chunks of such a record come
// first, then the plain ones, each in the order of their s-buckets.
#pragma once

#include <cstddef>
#include <cstdint>

#include "furrow/types.hpp"

#include "host/sector/s_bucket_counts.hpp"

namespace furrow {

/// Whether a record with this bitmap has plain chunks. Practically never.
[[nodiscard]] bool has_plain_chunks(Network network, const FoundProofs& bitmap);

/// The s-buckets in which a record has a chunk: those of its bitmap and, where the network fills up,
/// the first ones without a bit, as many as bits are missing.
[[nodiscard]] FoundProofs occupied_s_buckets(Network network, const FoundProofs& bitmap);

/// Counts the chunks of a record with this bitmap, masked and plain.
void count_chunks(Network network, const FoundProofs& bitmap, SBucketCounts& counts);

/// Places of the chunks of an encoded record, for whoever goes through its occupied s-buckets in
/// ascending order.
class ChunkPlaces {
 public:
  explicit ChunkPlaces(const FoundProofs& bitmap);

  /// The place of the chunk in `s_bucket`, which is the next occupied one, in the encoded record.
  [[nodiscard]] std::size_t next(SBucket s_bucket);

 private:
  const FoundProofs& bitmap_;
  std::size_t next_masked_ = 0;
  std::size_t next_plain_;
};

}  // namespace furrow
