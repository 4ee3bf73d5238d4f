// SPDX-License-Identifier: Apache-2.0
#include "host/cluster/wire_values.hpp"

#include <algorithm>
#include <string>

namespace furrow::cluster {
namespace {

constexpr std::uint32_t kNanosecondsInSecond = 1'000'000'000;
/// Of a plotted sector, what is in front of the number of its pieces: id, index, metadata.
constexpr std::size_t kBeforePieceIndexes = kHashSize + 2 + kSectorMetadataSize;

}  // namespace

Duration Duration::from(std::chrono::nanoseconds time) {
  const auto count = static_cast<std::uint64_t>(std::max<std::int64_t>(time.count(), 0));
  return {count / kNanosecondsInSecond, static_cast<std::uint32_t>(count % kNanosecondsInSecond)};
}

void Duration::check(MessageReader& in) const {
  if (nanoseconds >= kNanosecondsInSecond) {
    in.refuse("below 1000000000", std::to_string(nanoseconds));
  }
}

void CodecOf<PlottedSector>::encode(const PlottedSector& value, ScaleWriter& out) {
  out.raw(value.encode());
}

void CodecOf<PlottedSector>::decode(PlottedSector& value, MessageReader& in) {
  // How long it is says the number of its pieces, which a sector counts in 16 bits.
  in.enter("plotted sector");
  const std::span<const std::uint8_t> front = in.raw(kBeforePieceIndexes);
  const std::size_t before = in.offset();
  const std::size_t n_pieces = in.list_length(0xFFFF);
  const std::size_t length_size = in.offset() - before;
  in.raw(sizeof(std::uint64_t) * n_pieces);
  const std::span<const std::uint8_t> whole(
      front.data(), kBeforePieceIndexes + length_size + sizeof(std::uint64_t) * n_pieces);
  value = in.foreign([&] { return PlottedSector::decode(in.network(), whole, "plotted sector"); });
}

}  // namespace furrow::cluster
