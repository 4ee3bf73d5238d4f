// SPDX-License-Identifier: Apache-2.0
// Which s-buckets each record of a sector uses (docs/spec/03-record-encoding-and-sector.md, section
// 3; docs/spec/09-autonomys.md, section 8): P bitmaps of 8192 bytes, then 32 bytes of BLAKE3 over them.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "furrow/types.hpp"

namespace furrow {

/// Whether the bit of an s-bucket is set.
inline bool has_s_bucket(const FoundProofs& bitmap, SBucket s_bucket) {
  return ((bitmap.bytes[s_bucket.value() / 8] >> (s_bucket.value() % 8)) & 1) != 0;
}

class SectorContentsMap {
 public:
  /// All bits clear.
  explicit SectorContentsMap(std::uint16_t pieces_in_sector, Network network = Network::kAbundance)
      : network_(network), bitmaps_(pieces_in_sector) {}
  /// Throws InvalidBytesLength, then ChecksumMismatch, then, for Autonomys, MalformedData when a
  /// record has more than 32768 s-buckets.
  static SectorContentsMap parse(std::span<const std::uint8_t> bytes,
                                 std::uint16_t pieces_in_sector,
                                 Network network = Network::kAbundance);

  [[nodiscard]] Network network() const { return network_; }

  [[nodiscard]] std::uint16_t pieces_in_sector() const {
    return static_cast<std::uint16_t>(bitmaps_.size());
  }
  /// One bitmap for each record, by piece offset; what an encoder fills.
  [[nodiscard]] std::span<FoundProofs> bitmaps() { return bitmaps_; }
  [[nodiscard]] std::span<const FoundProofs> bitmaps() const { return bitmaps_; }
  /// Whether the record has a masked chunk there. Pre: offset < pieces_in_sector().
  [[nodiscard]] bool uses(PieceOffset offset, SBucket s_bucket) const {
    return has_s_bucket(bitmaps_[offset.value()], s_bucket);
  }

  /// Number of records that have a chunk, masked or plain, in each of the 65536 s-buckets.
  [[nodiscard]] std::vector<std::uint16_t> s_bucket_sizes() const;

  /// Writes bitmaps and checksum. Throws InvalidBytesLength when `out` has another size.
  void write_to(std::span<std::uint8_t> out) const;

 private:
  Network network_;
  std::vector<FoundProofs> bitmaps_;
};

/// Calls visit(s) for each set bit of a bitmap, ascending.
template <class Visit>
void for_each_s_bucket(const FoundProofs& bitmap, Visit visit) {
  for (std::size_t byte = 0; byte < bitmap.size(); ++byte) {
    for (unsigned rest = bitmap.bytes[byte]; rest != 0; rest &= rest - 1) {
      visit(SBucket(
          static_cast<std::uint16_t>(8 * byte + static_cast<unsigned>(__builtin_ctz(rest)))));
    }
  }
}

}  // namespace furrow
