// SPDX-License-Identifier: Apache-2.0
#include "host/cluster/plotter_messages.hpp"

namespace furrow::cluster {

Bytes encode_sector_chunk(std::span<const std::uint8_t> data) {
  constexpr std::uint8_t kSectorChunk = 7;
  constexpr std::uint8_t kOk = 0;
  static_assert(
      std::is_same_v<std::variant_alternative_t<kSectorChunk, decltype(PlottingProgress::event)>,
                     PlottingProgress::SectorChunk>);
  ScaleWriter out;
  out.u8(kSectorChunk).u8(kOk).byte_string(data);
  return out.take();
}

}  // namespace furrow::cluster
