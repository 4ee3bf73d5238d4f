// SPDX-License-Identifier: Apache-2.0
// Errors of sources of pieces that are far away.
#pragma once

#include <cstddef>
#include <cstdint>
#include <exception>
#include <string>
#include <utility>

#include "furrow/errors.hpp"
#include "furrow/types.hpp"

#include "host/base/foreign_error.hpp"
#include "host/http/http_status.hpp"

namespace furrow {

/// A source as a whole gives nothing, so that there is no sense in asking it for the next piece.
class SourceFailed : public Error {
 public:
  using Error::Error;
};
/// It does not answer now, and may do so later: it is waited for.
class SourceUnavailable : public SourceFailed {
 public:
  explicit SourceUnavailable(const std::string& message, ErrorFields fields = {})
      : SourceFailed(ErrorKind::kUnavailable, message, std::move(fields)) {}
};
/// No connection: the name is unknown, nobody listens there, or the agreement on TLS broke off.
class HttpConnectionFailed : public SourceUnavailable {
 public:
  using SourceUnavailable::SourceUnavailable;
};
/// It refuses, or is not what it should be: asking again mends nothing until somebody changes
/// something. Never a reason to rebuild a piece from it.
class SourceRefused : public SourceFailed {
 public:
  explicit SourceRefused(const std::string& message, ErrorFields fields = {},
                         ErrorKind kind = ErrorKind::kMismatch)
      : SourceFailed(kind, message, std::move(fields)) {}
};
/// The server is not the one it should be, or has no common language with us.
class HttpTlsFailed : public SourceRefused {
 public:
  using SourceRefused::SourceRefused;
};
/// Statuses 401 and 403: no token, or another one than the server wants.
class HttpUnauthorized : public SourceRefused {
 public:
  using SourceRefused::SourceRefused;
};
/// A server answers at the address, but none that knows pieces, such as one that says 404 for
/// everything.
class HttpApiAbsent : public SourceRefused {
 public:
  using SourceRefused::SourceRefused;
};
/// It has another history than the one that is wanted.
class HistoryMismatch : public SourceRefused {
 public:
  using SourceRefused::SourceRefused;
};
/// A store whose manifest is no longer at its path.
class StoreGone : public SourceRefused {
 public:
  explicit StoreGone(const std::string& message) : SourceRefused(message, {}, ErrorKind::kIo) {}
};
/// The server answers with something that is no piece and no message of a piece server: a
/// redirection, a page for people, a compressed body. The message says which. It is the source as a
/// whole that does so, as a captive portal does that has come between in mid-run.
class HttpNotAPiece : public Error {
 public:
  explicit HttpNotAPiece(const std::string& message, ErrorFields fields = {})
      : Error(ErrorKind::kMismatch, message, std::move(fields)) {}
};
/// Any other status that is no answer.
class HttpStatusError : public Error {
 public:
  HttpStatusError(const std::string& message, ErrorFields fields, int status);
  [[nodiscard]] int status() const noexcept { return status_; }
  /// Whether the server has too much to do, or a proxy says that the server behind it does not
  /// answer: passing both.
  [[nodiscard]] bool is_busy() const noexcept {
    return status_ == kStatusTooManyRequests || status_ == kStatusBadGateway ||
           status_ == kStatusUnavailable || status_ == kStatusGatewayTimeout;
  }
  [[nodiscard]] bool is_of_the_server() const noexcept { return status_ >= kStatusServerError; }

 private:
  int status_;
};
/// Nothing, or not everything, came within the time that there was.
class HttpTimeout : public Error {
 public:
  explicit HttpTimeout(const std::string& message, ErrorFields fields = {})
      : Error(ErrorKind::kUnavailable, message, std::move(fields)) {}
};
/// The connection broke.
class HttpTransferFailed : public Error {
 public:
  explicit HttpTransferFailed(const std::string& message, ErrorFields fields = {})
      : Error(ErrorKind::kUnavailable, message, std::move(fields)) {}
};
/// The server has a piece, but cannot give it.
class RemotePieceFailed : public Error {
 public:
  explicit RemotePieceFailed(const std::string& message)
      : Error(ErrorKind::kUnavailable, message) {}
};
/// A piece came that was not asked for.
class UnexpectedPiece : public Error {
 public:
  UnexpectedPiece(const std::string& what, std::size_t n_wanted, PieceIndex actual);
};

/// Every source was given up. The message names what each of them said; the kind is that of the
/// first one.
class NoSourceLeft : public Error {
 public:
  using Error::Error;
};

/// What is wrong with an answer, for counting.
enum class PieceFault {
  kUnreachable,  ///< SourceUnavailable
  kRefused,      ///< SourceRefused
  kTimeout,
  kBroken,  ///< the connection broke
  kBusy,    ///< statuses 429, 502, 503 and 504
  kStatus,  ///< another status, or the server says that it cannot give the piece
  kNotAPiece,
  kDamaged,  ///< wrong checksum, length or format, or a system call that failed
  kWrong,    ///< intact, but not that piece, or without a valid proof
  kOther,
};
inline constexpr std::size_t kPieceFaults = static_cast<std::size_t>(PieceFault::kOther) + 1;
/// In words that follow a number, such as "not answered in time", and as a name for programs, such
/// as "wrong".
const char* words_for(PieceFault fault);
const char* name_of(PieceFault fault);

/// Pre: not null.
PieceFault fault_of(const std::exception_ptr& error);
/// Whether it is the source as a whole that refuses, so that asking again mends nothing soon.
bool is_refusal(PieceFault fault);
/// Whether it is the source as a whole that failed.
bool is_of_the_source(PieceFault fault);
/// Whether the answer might be another one a moment later, though the source as a whole is there.
bool is_passing(PieceFault fault);
/// Its kind; kInternal for what is no Error. Pre: not null.
ErrorKind kind_of(const std::exception_ptr& error);

}  // namespace furrow
