// SPDX-License-Identifier: Apache-2.0
#include "host/store/segment_index/bloom_filter.hpp"

#include "furrow/core/bits.hpp"

namespace furrow {
namespace {

constexpr std::uint64_t kLineBits = 512;

/// Both halves of the product, folded: every bit of a and b reaches every bit of the result.
std::uint64_t fold_product(std::uint64_t a, std::uint64_t b) {
  const uint128 product = static_cast<uint128>(a) * b;
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

}  // namespace

BloomFilter::BloomFilter(std::uint64_t capacity)
    : lines_((capacity * kBitsPerEntry + kLineBits - 1) / kLineBits + 1) {}

std::uint64_t BloomFilter::hash(const IndexKey& key) {
  // Odd constants without pattern: the golden ratio and square roots of small primes.
  const std::uint8_t* bytes = key.data();
  const std::uint64_t left = fold_product(core::load_le64(bytes) ^ 0x9E3779B97F4A7C15U,
                                          core::load_le64(bytes + 8) ^ 0x6A09E667F3BCC909U);
  const std::uint64_t right = fold_product(core::load_le64(bytes + 16) ^ 0xBB67AE8584CAA73BU,
                                           core::load_le64(bytes + 24) ^ 0x3C6EF372FE94F82BU);
  const std::uint64_t tail = core::load_le32(bytes + 32);
  return fold_product(left + 0xA54FF53A5F1D36F1U * tail, (right ^ tail) + 0x510E527FADE682D1U);
}

void BloomFilter::insert(std::uint64_t hash) {
  Line& line = lines_[((hash >> 32) * lines_.size()) >> 32];
  std::uint64_t probes = probes_of(hash);
  for (unsigned i = 0; i < kProbes; ++i) {
    line.words[(probes >> 6) & 7] |= std::uint64_t{1} << (probes & 63);
    probes >>= kProbeBits;
  }
}

}  // namespace furrow
