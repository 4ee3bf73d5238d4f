// SPDX-License-Identifier: Apache-2.0
// Numbers of bytes as people write and read them.
//
//   size   = number [ "." digits ] { " " } [ unit ]
//   unit   = "B" | prefix [ "B" ] | prefix "i" [ "B" ]       case does not matter
//   prefix = "K" | "M" | "G" | "T" | "P"
//
// A bare letter is decimal, as in `ab-farmer`: 5T and 5TB are 5 x 10^12 bytes, 5Ti and 5TiB are
// 5 x 2^40.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace furrow {

/// Above this a size is refused: no file is longer.
inline constexpr std::uint64_t kMaxByteSize = (std::uint64_t{1} << 63) - 1;

/// The bytes that `text` stands for; a fraction of a byte is rounded to the nearest. Throws
/// InvalidArgument for what is no size, and for one that is too large, saying which.
[[nodiscard]] std::uint64_t parse_size(std::string_view text);

/// "12.3 GiB"; "17 bytes" below 1 KiB.
[[nodiscard]] std::string size_text(std::uint64_t bytes);

}  // namespace furrow
