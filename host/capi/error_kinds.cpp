// SPDX-License-Identifier: Apache-2.0
// Which status and kind the errors of Furrow are to users of the C interface.
#include <array>
#include <cstddef>

#include "furrow/c/base.h"
#include "furrow/c/error.h"
#include "furrow/records_encoder.hpp"

#include "host/archive/piece_validation.hpp"
#include "host/archive/segment_reconstruction.hpp"
#include "host/base/threads.hpp"
#include "host/capi/last_error.hpp"
#include "host/capi/piece_source.hpp"
#include "host/erasure/erasure_coding.hpp"
#include "host/farm/farm_errors.hpp"
#include "host/farm/space.hpp"
#include "host/pieces/recovering_piece_getter.hpp"
#include "host/pieces/source_errors.hpp"
#include "host/plotting/encoder_choice.hpp"
#include "host/plotting/plotting_errors.hpp"
#include "host/plotting/verified_encoder.hpp"
#include "host/sector/sector_reader.hpp"

namespace furrow::capi {
namespace {

template <class T>
bool is(const Error& error) noexcept {
  return dynamic_cast<const T*>(&error) != nullptr;
}

struct Rule {
  bool (*matches)(const Error&) noexcept;
  furrow_error_kind kind;
};
/// The first that matches counts, so what is derived stands before its base.
constexpr std::array kKinds = {
    Rule{is<InvalidArgument>, FURROW_ERROR_ARGUMENT},
    Rule{is<ResourceExhausted>, FURROW_ERROR_THREADS},
    Rule{is<WrongEncoding>, FURROW_ERROR_WRONG_ENCODING},
    Rule{is<DeviceLost>, FURROW_ERROR_DEVICE_LOST},
    Rule{is<NoDevice>, FURROW_ERROR_NO_DEVICE},
    Rule{is<TooFewProofs>, FURROW_ERROR_TOO_FEW_PROOFS},
    Rule{is<EncoderError>, FURROW_ERROR_ENCODER},
    Rule{is<RecordsEncoderError>, FURROW_ERROR_ENCODER},
    Rule{is<BadSectorOutputSize>, FURROW_ERROR_ARGUMENT},
    Rule{is<PieceNotThere>, FURROW_ERROR_PIECE_MISSING},
    Rule{is<PieceRecoveryFailed>, FURROW_ERROR_PIECE_MISSING},
    Rule{is<PieceNotRebuilt>, FURROW_ERROR_PIECE_MISSING},
    Rule{is<FailedToRetrievePieces>, FURROW_ERROR_PIECE_SOURCE},
    Rule{is<NoSourceLeft>, FURROW_ERROR_PIECE_SOURCE},
    Rule{is<InvalidPiece>, FURROW_ERROR_PIECE_INVALID},
    Rule{is<NotEnoughPieces>, FURROW_ERROR_NOT_ENOUGH_PIECES},
    Rule{is<SegmentRootMismatch>, FURROW_ERROR_PIECE_INVALID},
    Rule{is<ReadingError>, FURROW_ERROR_SECTOR_DAMAGED},
    Rule{is<ErasureCodingError>, FURROW_ERROR_SHARDS},
    Rule{is<FarmNotFound>, FURROW_ERROR_FARM_NOT_FOUND},
    Rule{is<FarmInUse>, FURROW_ERROR_FARM_IN_USE},
    Rule{is<FarmMismatch>, FURROW_ERROR_FARM_MISMATCH},
    Rule{is<InsufficientSpace>, FURROW_ERROR_FARM_SPACE},
    Rule{is<FarmTooLarge>, FURROW_ERROR_FARM_SPACE},
    Rule{is<WouldLoseSectors>, FURROW_ERROR_FARM_SPACE},
    Rule{is<FarmGone>, FURROW_ERROR_FARM_GONE},
    Rule{is<SectorHoldsNothing>, FURROW_ERROR_SECTOR_EMPTY},
    Rule{is<FarmFileTooShort>, FURROW_ERROR_FARM_DAMAGED},
    Rule{is<DamagedSlot>, FURROW_ERROR_FARM_DAMAGED},
    Rule{is<IoError>, FURROW_ERROR_IO},
    Rule{is<ChecksumMismatch>, FURROW_ERROR_CHECKSUM},
    Rule{is<InvalidBytesLength>, FURROW_ERROR_LENGTH},
    Rule{is<MalformedData>, FURROW_ERROR_MALFORMED},
};

furrow_status status_of(ErrorKind kind) noexcept {
  switch (kind) {
    case ErrorKind::kInvalidArgument:
      return FURROW_INVALID_ARGUMENT;
    case ErrorKind::kIo:
      return FURROW_IO_ERROR;
    case ErrorKind::kCorrupt:
      return FURROW_CORRUPT;
    case ErrorKind::kMismatch:
      return FURROW_MISMATCH;
    case ErrorKind::kUnavailable:
      return FURROW_UNAVAILABLE;
    case ErrorKind::kInternal:
      break;
  }
  return FURROW_INTERNAL_ERROR;
}

furrow_error_kind kind_of(const Error& error) noexcept {
  if (const auto* const callback = dynamic_cast<const CallbackFailed*>(&error)) {
    return callback->how() == CallbackFailed::How::kSilent ? FURROW_ERROR_CALLBACK_SILENT
                                                           : FURROW_ERROR_CALLBACK;
  }
  for (const Rule& rule : kKinds) {
    if (rule.matches(error)) {
      return rule.kind;
    }
  }
  return error.kind() == ErrorKind::kInternal ? FURROW_ERROR_INTERNAL : FURROW_ERROR_OTHER;
}

}  // namespace

Verdict verdict_on(const Error& error) noexcept {
  const furrow_error_kind kind = kind_of(error);
  switch (kind) {
    case FURROW_ERROR_CALLBACK:
    case FURROW_ERROR_CALLBACK_SILENT:
      return {FURROW_CALLBACK_FAILED, kind};
    case FURROW_ERROR_ARGUMENT:
      return {FURROW_INVALID_ARGUMENT, kind};
    case FURROW_ERROR_THREADS:
      return {FURROW_RESOURCE_EXHAUSTED, kind};
    case FURROW_ERROR_NO_DEVICE:
    case FURROW_ERROR_WRONG_ENCODING:
    case FURROW_ERROR_DEVICE_LOST:
    case FURROW_ERROR_TOO_FEW_PROOFS:
    case FURROW_ERROR_ENCODER:
      return {FURROW_ENCODER_FAILED, kind};
    case FURROW_ERROR_FARM_NOT_FOUND:
      return {FURROW_UNAVAILABLE, kind};
    default:
      return {status_of(error.kind()), kind};
  }
}

}  // namespace furrow::capi

namespace {

struct Name {
  int value;
  const char* text;
};
#define FURROW_NAME(value) \
  Name {                   \
    value, #value          \
  }
constexpr std::array kStatusNames = {
    FURROW_NAME(FURROW_OK),
    FURROW_NAME(FURROW_CANCELLED),
    FURROW_NAME(FURROW_INVALID_ARGUMENT),
    FURROW_NAME(FURROW_OUT_OF_MEMORY),
    FURROW_NAME(FURROW_ENCODER_FAILED),
    FURROW_NAME(FURROW_INTERNAL_ERROR),
    FURROW_NAME(FURROW_RESOURCE_EXHAUSTED),
    FURROW_NAME(FURROW_IO_ERROR),
    FURROW_NAME(FURROW_CORRUPT),
    FURROW_NAME(FURROW_MISMATCH),
    FURROW_NAME(FURROW_UNAVAILABLE),
    FURROW_NAME(FURROW_CALLBACK_FAILED),
};
constexpr std::array kKindNames = {
    FURROW_NAME(FURROW_ERROR_NONE),
    FURROW_NAME(FURROW_ERROR_OTHER),
    FURROW_NAME(FURROW_ERROR_ARGUMENT),
    FURROW_NAME(FURROW_ERROR_CANCELLED),
    FURROW_NAME(FURROW_ERROR_MEMORY),
    FURROW_NAME(FURROW_ERROR_THREADS),
    FURROW_NAME(FURROW_ERROR_INTERNAL),
    FURROW_NAME(FURROW_ERROR_CALLBACK),
    FURROW_NAME(FURROW_ERROR_CALLBACK_SILENT),
    FURROW_NAME(FURROW_ERROR_NO_DEVICE),
    FURROW_NAME(FURROW_ERROR_DEVICE_LOST),
    FURROW_NAME(FURROW_ERROR_WRONG_ENCODING),
    FURROW_NAME(FURROW_ERROR_TOO_FEW_PROOFS),
    FURROW_NAME(FURROW_ERROR_ENCODER),
    FURROW_NAME(FURROW_ERROR_IO),
    FURROW_NAME(FURROW_ERROR_CHECKSUM),
    FURROW_NAME(FURROW_ERROR_LENGTH),
    FURROW_NAME(FURROW_ERROR_MALFORMED),
    FURROW_NAME(FURROW_ERROR_PIECE_INVALID),
    FURROW_NAME(FURROW_ERROR_PIECE_MISSING),
    FURROW_NAME(FURROW_ERROR_PIECE_SOURCE),
    FURROW_NAME(FURROW_ERROR_NOT_ENOUGH_PIECES),
    FURROW_NAME(FURROW_ERROR_SECTOR_DAMAGED),
    FURROW_NAME(FURROW_ERROR_SHARDS),
    FURROW_NAME(FURROW_ERROR_FARM_NOT_FOUND),
    FURROW_NAME(FURROW_ERROR_FARM_IN_USE),
    FURROW_NAME(FURROW_ERROR_FARM_MISMATCH),
    FURROW_NAME(FURROW_ERROR_FARM_SPACE),
    FURROW_NAME(FURROW_ERROR_FARM_GONE),
    FURROW_NAME(FURROW_ERROR_SECTOR_EMPTY),
    FURROW_NAME(FURROW_ERROR_FARM_DAMAGED),
};
#undef FURROW_NAME

template <std::size_t kSize>
const char* name_in(const std::array<Name, kSize>& names, int value, const char* otherwise) {
  for (const Name& name : names) {
    if (name.value == value) {
      return name.text;
    }
  }
  return otherwise;
}

}  // namespace

extern "C" {

const char* furrow_status_name(furrow_status status) {
  return name_in(kStatusNames, status, "unknown status");
}

const char* furrow_error_kind_name(furrow_error_kind kind) {
  return name_in(kKindNames, kind, "unknown kind");
}

}  // extern "C"
