// SPDX-License-Identifier: Apache-2.0
#include "host/base/foreign_error.hpp"

namespace furrow {

ForeignError::ForeignError(std::string_view who, std::string_view what)
    : Error(ErrorKind::kInternal, std::string(who).append(" failed: ").append(what)) {}

std::string message_of(const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const std::bad_alloc&) {
    return "out of memory";
  } catch (const std::exception& known) {
    return known.what();
  } catch (...) {
    return "an exception of an unknown type";
  }
}

}  // namespace furrow
