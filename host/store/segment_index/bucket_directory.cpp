// SPDX-License-Identifier: Apache-2.0
#include "host/store/segment_index/bucket_directory.hpp"

#include <algorithm>
#include <cstring>

namespace furrow {
namespace {

constexpr std::size_t kPrefixSize = 8;

/// The first 8 bytes as a big-endian integer, whose order is that of the bytes.
std::uint64_t prefix_of(const IndexKey& key) {
  std::uint64_t prefix = 0;
  for (std::size_t i = 0; i < kPrefixSize; ++i) {
    prefix = (prefix << 8) | key.bytes[i];
  }
  return prefix;
}

}  // namespace

void BucketDirectory::add_bucket(const IndexKey& first_key) {
  prefixes_.push_back(prefix_of(first_key));
  Rest rest;
  std::copy(first_key.begin() + kPrefixSize, first_key.end(), rest.begin());
  rests_.push_back(rest);
}

BucketRange BucketDirectory::find(const IndexKey& key) const {
  const auto [low, high] = std::equal_range(prefixes_.begin(), prefixes_.end(), prefix_of(key));
  auto first = static_cast<std::uint32_t>(low - prefixes_.begin());  // first bucket from key on
  auto end = static_cast<std::uint32_t>(high - prefixes_.begin());   // first bucket behind key
  if (first != end) {
    Rest rest;
    std::copy(key.begin() + kPrefixSize, key.end(), rest.begin());
    const auto [low_rest, high_rest] =
        std::equal_range(rests_.begin() + first, rests_.begin() + end, rest);
    first = static_cast<std::uint32_t>(low_rest - rests_.begin());
    end = static_cast<std::uint32_t>(high_rest - rests_.begin());
  }
  // Entries of the key may begin in the bucket before the first one that begins with it.
  return {first == 0 ? 0 : first - 1, end};
}

int BucketDirectory::compare_with_first(const IndexKey& key, std::uint32_t bucket) const {
  const std::uint64_t prefix = prefix_of(key);
  if (prefix != prefixes_[bucket]) {
    return prefix < prefixes_[bucket] ? -1 : 1;
  }
  return std::memcmp(key.data() + kPrefixSize, rests_[bucket].data(), sizeof(Rest));
}

void BucketDirectory::shrink() {
  prefixes_.shrink_to_fit();
  rests_.shrink_to_fit();
}

}  // namespace furrow
