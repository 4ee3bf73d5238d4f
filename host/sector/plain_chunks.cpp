// SPDX-License-Identifier: Apache-2.0
#include "host/sector/plain_chunks.hpp"

#include <bit>

#include "furrow/sector_contents.hpp"

#include "host/sector/contents_map.hpp"

namespace furrow {

bool has_plain_chunks(Network network, const FoundProofs& bitmap) {
  return traits_of(network).plain_chunks_fill_up && count_s_buckets(bitmap) < kNumChunks;
}

FoundProofs occupied_s_buckets(Network network, const FoundProofs& bitmap) {
  FoundProofs occupied = bitmap;
  std::size_t n_missing =
      has_plain_chunks(network, bitmap) ? kNumChunks - count_s_buckets(bitmap) : 0;
  for (std::size_t byte = 0; n_missing > 0; ++byte) {  // ends: there are twice as many s-buckets
    for (unsigned clear = static_cast<std::uint8_t>(~bitmap.bytes[byte]);
         clear != 0 && n_missing > 0; clear &= clear - 1, --n_missing) {
      occupied.bytes[byte] |= static_cast<std::uint8_t>(1U << std::countr_zero(clear));
    }
  }
  return occupied;
}

void count_chunks(Network network, const FoundProofs& bitmap, SBucketCounts& counts) {
  if (has_plain_chunks(network, bitmap)) {
    counts.add(occupied_s_buckets(network, bitmap));
  } else {
    counts.add(bitmap);
  }
}

ChunkPlaces::ChunkPlaces(const FoundProofs& bitmap)
    : bitmap_(bitmap), next_plain_(count_s_buckets(bitmap)) {}

std::size_t ChunkPlaces::next(SBucket s_bucket) {
  return has_s_bucket(bitmap_, s_bucket) ? next_masked_++ : next_plain_++;
}

}  // namespace furrow
