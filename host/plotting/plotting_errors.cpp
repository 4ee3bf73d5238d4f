// SPDX-License-Identifier: Apache-2.0
#include "host/plotting/plotting_errors.hpp"

#include <utility>

namespace furrow {

RecordsEncoderError::RecordsEncoderError(const std::string& reason, ErrorFields fields)
    : PlottingError(ErrorKind::kUnavailable, "records encoder error: " + reason,
                    std::move(fields)) {}

BadSectorOutputSize::BadSectorOutputSize(std::uint64_t provided, std::uint64_t expected)
    : PlottingError(ErrorKind::kInvalidArgument,
                    "bad sector output size: provided " + std::to_string(provided) + ", expected " +
                        std::to_string(expected),
                    {.expected = std::to_string(expected), .actual = std::to_string(provided)}) {}

PieceRecoveryFailed::PieceRecoveryFailed(PieceIndex piece_index, ErrorKind kind,
                                         const std::string& reason)
    : PlottingError(
          kind,
          "cannot recover missing piece " + std::to_string(piece_index.value()) + ": " + reason,
          {.piece_index = piece_index.value()}) {}

FailedToRetrievePieces::FailedToRetrievePieces(const std::string& reason, ErrorKind kind)
    : PlottingError(kind, "failed to retrieve pieces: " + reason) {}

}  // namespace furrow
