#include "host/pieces/source_errors.hpp"

namespace furrow {
namespace {

ErrorKind kind_of_status(long status) {
  return status == 429 || status >= 500 ? ErrorKind::kUnavailable : ErrorKind::kMismatch;
}

}  // namespace

HttpStatusError::HttpStatusError(const std::string& what, long actual, const std::string& text)
    : Error(kind_of_status(actual), what + ": expected status 200, actual " +
                                        std::to_string(actual) +
                                        (text.empty() ? "" : " (" + text + ")")),
      status_(actual) {}

UnexpectedPiece::UnexpectedPiece(const std::string& what, std::size_t n_wanted, PieceIndex actual)
    : Error(ErrorKind::kMismatch, what + ": expected one of the " + std::to_string(n_wanted) +
                                      " pieces asked for, actual piece index " +
                                      std::to_string(actual.value())) {}

bool is_source_unavailable(const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const SourceUnavailable&) {
    return true;
  } catch (...) {
    return false;
  }
}

std::string message_of(const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const std::exception& e) {
    return e.what();
  } catch (...) {
    return "unknown error";
  }
}

}  // namespace furrow
