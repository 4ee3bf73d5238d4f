// Whether bytes are UTF-8 text.
#pragma once

#include <string_view>

namespace furrow {

/// Strict: no overlong forms, no surrogates, nothing above U+10FFFF.
bool is_utf8(std::string_view bytes);

}  // namespace furrow
