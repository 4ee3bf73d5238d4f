// SPDX-License-Identifier: Apache-2.0
// What an encoder takes on its device and of pinned memory: the formula by which the encoder sizes
// itself and which tells the user beforehand.
//
//   device   lanes * (ErasureTable + batch * (tables, record three times, bitmap, ...))
//   pinned   lanes * batch * (record + bitmap + seed + status)
//
// Lanes and batches are the largest that fit both limits and what is free, less some headroom.
#pragma once

#include <cstdint>
#include <optional>

#include "furrow/cuda.hpp"

#include "cuda/lane_plan.hpp"

namespace furrow::cuda {

/// Fills in defaults. Throws InvalidArgument for no lanes and for too large batches.
[[nodiscard]] CudaEncoderOptions with_defaults(CudaEncoderOptions options);

/// The lanes of an encoder; none when what is free is not enough for one record. Pre: the options
/// have their defaults. Throws InvalidArgument, naming both numbers, for a limit below that.
[[nodiscard]] std::optional<LanePlan> plan_lanes(const CudaEncoderOptions& options,
                                                 const LaneFootprint& lane,
                                                 std::uint64_t free_bytes);
/// Device memory that encoders may take of what is free; the rest is left to others.
[[nodiscard]] std::uint64_t usable_bytes(std::uint64_t free_bytes);

}  // namespace furrow::cuda
