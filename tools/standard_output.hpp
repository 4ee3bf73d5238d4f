// SPDX-License-Identifier: Apache-2.0
// Standard output, where the results of a command go.
//
// A result that cannot be written (full disk, closed descriptor, a reader that has gone) must not
// end the work that it is about: hours of plotting do not depend on who reads along. So printing
// never fails; the first failure is kept, later text is dropped, and the end of the program asks
// for it.
#pragma once

#include <string_view>
#include <utility>

#include <fmt/format.h>

namespace furrow::cli {

/// Writes a text as it is. Thread-safe.
void print_text(std::string_view text) noexcept;

/// Formats as fmt::print does.
template <class... Args>
void print_result(fmt::format_string<Args...> format, Args&&... args) {
  print_text(fmt::format(format, std::forward<Args>(args)...));
}

/// Hands what was printed so far to the system, for somebody who waits for it.
void flush_results() noexcept;

/// To be called when all is printed: 0 when all of it has been taken, else the errno of the first
/// write that failed.
[[nodiscard]] int finish_results() noexcept;

}  // namespace furrow::cli
