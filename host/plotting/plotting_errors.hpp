// SPDX-License-Identifier: Apache-2.0
// What goes wrong when a sector is plotted (docs/spec/03-record-encoding-and-sector.md, section 6.6).
#pragma once

#include <cstdint>
#include <string>

#include "furrow/errors.hpp"
#include "furrow/types.hpp"

namespace furrow {

/// Base of the errors of section 6.6. None is fatal for the farm.
class PlottingError : public Error {
 public:
  using Error::Error;
};

/// The encoder failed, with whatever exception.
class RecordsEncoderError : public PlottingError {
 public:
  explicit RecordsEncoderError(const std::string& reason, ErrorFields fields = {});
};

/// The output buffer is neither empty nor as long as the sector.
class BadSectorOutputSize : public PlottingError {
 public:
  BadSectorOutputSize(std::uint64_t provided, std::uint64_t expected);
};

/// A piece is not to be had, nor can it be rebuilt.
class PieceRecoveryFailed : public PlottingError {
 public:
  PieceRecoveryFailed(PieceIndex piece_index, ErrorKind kind, const std::string& reason);
};

/// The batch request failed, or left pieces unanswered.
class FailedToRetrievePieces : public PlottingError {
 public:
  explicit FailedToRetrievePieces(const std::string& reason,
                                  ErrorKind kind = ErrorKind::kUnavailable);
};

}  // namespace furrow
