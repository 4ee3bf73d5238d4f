// SPDX-License-Identifier: Apache-2.0
// Text that may hold anything, such as names of files, made fit for a terminal and for one line.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace furrow {

/// `text` with everything escaped that a terminal obeys or that ends a line: control characters of
/// ASCII and of Unicode, the characters that change the direction of writing, and bytes that are
/// not UTF-8. They become \n, \t, \r, \xNN for a byte, and \u{NNNN} for a character.
[[nodiscard]] std::string printable(std::string_view text);

/// The same between single quotes, and no more of it than the first `longest` bytes: for what a stranger sent.
[[nodiscard]] std::string excerpt(std::string_view text, std::size_t longest = 64);

}  // namespace furrow
