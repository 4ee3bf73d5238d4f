// SPDX-License-Identifier: Apache-2.0
// Lower-case hexadecimal text of byte strings.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace furrow {

std::string to_hex(std::span<const std::uint8_t> bytes);
/// Accepts both cases. Throws MalformedData, naming `what`, on an odd length or another character.
std::vector<std::uint8_t> from_hex(std::string_view hex, std::string_view what);
/// The same for exactly out.size() bytes; throws InvalidBytesLength when the text has another
/// length.
void from_hex(std::string_view hex, std::span<std::uint8_t> out, std::string_view what);

}  // namespace furrow
