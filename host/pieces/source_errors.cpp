// SPDX-License-Identifier: Apache-2.0
#include "host/pieces/source_errors.hpp"

#include <utility>

#include "host/archive/piece_validation.hpp"
#include "host/base/counted.hpp"

namespace furrow {
namespace {

ErrorKind kind_of_status(int status) {
  return status == kStatusTooManyRequests || status >= kStatusServerError ? ErrorKind::kUnavailable
                                                                          : ErrorKind::kMismatch;
}

}  // namespace

HttpStatusError::HttpStatusError(const std::string& message, ErrorFields fields, int status)
    : Error(kind_of_status(status), message, std::move(fields)), status_(status) {}

UnexpectedPiece::UnexpectedPiece(const std::string& what, std::size_t n_wanted, PieceIndex actual)
    : Error(ErrorKind::kMismatch,
            what + ": expected " +
                (n_wanted == 1 ? "the piece" : "one of the " + counted(n_wanted, "piece")) +
                " asked for, actual piece index " + std::to_string(actual.value()),
            {.piece_index = actual.value()}) {}

const char* words_for(PieceFault fault) {
  switch (fault) {
    case PieceFault::kUnreachable:
      return "without a connection";
    case PieceFault::kRefused:
      return "refused";
    case PieceFault::kTimeout:
      return "not answered in time";
    case PieceFault::kBroken:
      return "broken off";
    case PieceFault::kBusy:
      return "too busy";
    case PieceFault::kStatus:
      return "not given by the server";
    case PieceFault::kNotAPiece:
      return "answered with something else";
    case PieceFault::kDamaged:
      return "damaged";
    case PieceFault::kWrong:
      return "wrong";
    case PieceFault::kOther:
      break;
  }
  return "failed otherwise";
}

const char* name_of(PieceFault fault) {
  switch (fault) {
    case PieceFault::kUnreachable:
      return "unreachable";
    case PieceFault::kRefused:
      return "refused";
    case PieceFault::kTimeout:
      return "timeout";
    case PieceFault::kBroken:
      return "broken";
    case PieceFault::kBusy:
      return "busy";
    case PieceFault::kStatus:
      return "status";
    case PieceFault::kNotAPiece:
      return "not_a_piece";
    case PieceFault::kDamaged:
      return "damaged";
    case PieceFault::kWrong:
      return "wrong";
    case PieceFault::kOther:
      break;
  }
  return "other";
}

PieceFault fault_of(const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const SourceUnavailable&) {
    return PieceFault::kUnreachable;
  } catch (const SourceRefused&) {
    return PieceFault::kRefused;
  } catch (const HttpTimeout&) {
    return PieceFault::kTimeout;
  } catch (const HttpTransferFailed&) {
    return PieceFault::kBroken;
  } catch (const HttpStatusError& status) {
    return status.is_busy() ? PieceFault::kBusy : PieceFault::kStatus;
  } catch (const RemotePieceFailed&) {
    return PieceFault::kStatus;
  } catch (const HttpNotAPiece&) {
    return PieceFault::kNotAPiece;
  } catch (const InvalidPiece&) {
    return PieceFault::kWrong;
  } catch (const Error& other) {
    switch (other.kind()) {
      case ErrorKind::kCorrupt:
      case ErrorKind::kIo:
        return PieceFault::kDamaged;
      case ErrorKind::kMismatch:
        return PieceFault::kWrong;
      default:
        return PieceFault::kOther;
    }
  } catch (...) {
    return PieceFault::kOther;
  }
}

bool is_refusal(PieceFault fault) {
  return fault == PieceFault::kRefused || fault == PieceFault::kNotAPiece;
}

bool is_of_the_source(PieceFault fault) {
  return fault == PieceFault::kUnreachable || is_refusal(fault);
}

bool is_passing(PieceFault fault) {
  return fault == PieceFault::kTimeout || fault == PieceFault::kBroken ||
         fault == PieceFault::kBusy;
}

ErrorKind kind_of(const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const Error& known) {
    return known.kind();
  } catch (...) {
    return ErrorKind::kInternal;
  }
}

}  // namespace furrow
