// SPDX-License-Identifier: Apache-2.0
// Whether bytes are UTF-8 text.
#pragma once

#include <cstddef>
#include <string_view>

namespace furrow {

/// Strict: no overlong forms, no surrogates, nothing above U+10FFFF.
bool is_utf8(std::string_view bytes);
/// Bytes of the code point at the start of `bytes`, 0 when there is none. As strict.
std::size_t code_point_length(std::string_view bytes);

}  // namespace furrow
