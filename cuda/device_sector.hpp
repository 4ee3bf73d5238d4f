// A sector laid out on the device from records that are on the host: up, assemble, down.
#pragma once

#include <cstdint>
#include <span>

#include "furrow/sector_contents.hpp"

#include "cuda/runtime/stream.hpp"

namespace furrow::cuda {

/// Device memory that laying out a sector of `n_pieces` takes while it lasts: 2.1 GB for 1000.
[[nodiscard]] std::uint64_t device_sector_bytes(std::uint16_t n_pieces);

/// Pinned host memory that it takes.
inline constexpr std::uint64_t kDeviceSectorPinnedBytes = std::uint64_t{32} << 20;

/// Writes the bytes of the sector (docs/spec/03-record-encoding-and-sector.md, section 4) to
/// `sector`. Takes memory for the time of the call alone. Throws InvalidArgument when lengths do
/// not fit one another, CudaOutOfMemory or CudaError; `sector` is unspecified then.
void lay_out_sector(StreamView stream, const SectorContents& contents,
                    std::span<std::uint8_t> sector);

}  // namespace furrow::cuda
