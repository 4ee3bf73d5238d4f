// SPDX-License-Identifier: Apache-2.0
// What code of somebody else throws: encoders, sources, sinks and observers are handed in by
// callers, and nothing makes them keep to the errors of Furrow.
#pragma once

#include <exception>
#include <new>
#include <string>
#include <string_view>

#include "furrow/errors.hpp"

namespace furrow {

/// Code that a caller handed in threw something that is no Error.
class ForeignError : public Error {
 public:
  /// `who` names the code, `what` is the text of what it threw.
  ForeignError(std::string_view who, std::string_view what);
};

/// Text of any exception; of what is no std::exception only that it is none.
[[nodiscard]] std::string message_of(const std::exception_ptr& error);

/// Calls `code`, so that nothing comes out of it but an Error, a ForeignError that names `who`, or
/// std::bad_alloc, which everybody knows.
template <class Code>
decltype(auto) with_typed_errors(std::string_view who, Code&& code) {
  try {
    return code();
  } catch (const Error&) {
    throw;
  } catch (const std::bad_alloc&) {
    throw;
  } catch (...) {
    throw ForeignError(who, message_of(std::current_exception()));
  }
}

}  // namespace furrow
