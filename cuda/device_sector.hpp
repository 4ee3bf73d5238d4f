// SPDX-License-Identifier: Apache-2.0
// A sector laid out on the device from records that are on the host: up, assemble, down.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "furrow/sector_contents.hpp"

#include "cuda/runtime/stream.hpp"

namespace furrow::cuda {

/// Device memory that laying out a sector of `n_pieces` takes while it lasts: 2.1 GB for 1000.
[[nodiscard]] std::uint64_t device_sector_bytes(std::uint16_t n_pieces);

/// Writes the bytes of the sector (docs/spec/03-record-encoding-and-sector.md, section 4) to
/// `sector`. Takes device memory for the time of the call alone, and copies through `staging`, at
/// least 2 bytes that nobody else uses meanwhile. Returns for how many seconds copies held it up:
/// all the time but for allocations and for what the device computed. Throws InvalidArgument when
/// lengths do not fit one another, CudaOutOfMemory or CudaError; `sector` is unspecified then.
double lay_out_sector(StreamView stream, const SectorContents& contents,
                      std::span<std::uint8_t> sector, std::span<std::byte> staging);

}  // namespace furrow::cuda
