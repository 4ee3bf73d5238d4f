// Errors of sources of pieces that are far away.
#pragma once

#include <cstdint>
#include <exception>
#include <string>

#include "furrow/errors.hpp"
#include "furrow/types.hpp"

namespace furrow {

/// A source does not answer at all, so that there is no sense in asking it for the next piece.
class SourceUnavailable : public Error {
 public:
  explicit SourceUnavailable(const std::string& message, ErrorKind kind = ErrorKind::kUnavailable)
      : Error(kind, message) {}
};
/// No connection: the name is unknown, or nobody listens there.
class HttpConnectionFailed : public SourceUnavailable {
 public:
  using SourceUnavailable::SourceUnavailable;
};
/// The server is not the one it should be, or has no common language with us.
class HttpTlsFailed : public SourceUnavailable {
 public:
  explicit HttpTlsFailed(const std::string& message)
      : SourceUnavailable(message, ErrorKind::kMismatch) {}
};
/// Statuses 401 and 403: no token, or another one than the server wants.
class HttpUnauthorized : public SourceUnavailable {
 public:
  explicit HttpUnauthorized(const std::string& message)
      : SourceUnavailable(message, ErrorKind::kMismatch) {}
};
/// Any other status that is no answer.
class HttpStatusError : public Error {
 public:
  HttpStatusError(const std::string& what, long actual, const std::string& text);
  [[nodiscard]] long status() const noexcept { return status_; }
  /// Whether the server said that it has too much to do.
  [[nodiscard]] bool is_busy() const noexcept { return status_ == 429 || status_ == 503; }

 private:
  long status_;
};
/// Nothing, or not everything, came within the time that there was.
class HttpTimeout : public Error {
 public:
  explicit HttpTimeout(const std::string& message) : Error(ErrorKind::kUnavailable, message) {}
};
/// The connection broke.
class HttpTransferFailed : public Error {
 public:
  explicit HttpTransferFailed(const std::string& message)
      : Error(ErrorKind::kUnavailable, message) {}
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

/// Whether the error says that a source did not answer at all.
bool is_source_unavailable(const std::exception_ptr& error);
/// What an error that was kept says. Pre: not null.
std::string message_of(const std::exception_ptr& error);

}  // namespace furrow
