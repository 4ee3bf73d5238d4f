// SPDX-License-Identifier: Apache-2.0
#include "sector_reference.hpp"

namespace furrow::reference {
namespace {

bool uses(const std::vector<std::uint8_t>& bitmap, std::size_t s) {
  return bitmap[s / 8] / (1 << (s % 8)) % 2 == 1;
}

}  // namespace

std::vector<std::uint8_t> sector_chunks(const std::vector<std::vector<std::uint8_t>>& used,
                                        const std::vector<std::vector<std::uint8_t>>& encoded) {
  std::vector<std::uint8_t> region;
  std::vector<std::size_t> next_chunk(used.size());
  for (std::size_t s = 0; s < 65536; ++s) {
    for (std::size_t p = 0; p < used.size(); ++p) {
      if (uses(used[p], s)) {
        const auto chunk = encoded[p].begin() + static_cast<std::ptrdiff_t>(32 * next_chunk[p]++);
        region.insert(region.end(), chunk, chunk + 32);
      }
    }
  }
  region.resize(used.size() * 1'048'576);
  return region;
}

std::size_t chunk_location(const std::vector<std::vector<std::uint8_t>>& used, std::size_t p,
                           std::size_t s) {
  std::size_t location = 0;
  for (std::size_t bucket = 0; bucket < s; ++bucket) {
    for (const std::vector<std::uint8_t>& bitmap : used) {
      location += uses(bitmap, bucket) ? 1 : 0;
    }
  }
  for (std::size_t q = 0; q < p; ++q) {
    location += uses(used[q], s) ? 1 : 0;
  }
  return location;
}

}  // namespace furrow::reference
