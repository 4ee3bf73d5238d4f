// SPDX-License-Identifier: Apache-2.0
// JSON as all commands print it: one line, always valid, whatever bytes are in names.
#pragma once

#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

namespace furrow::cli {

/// `value` on one line. In texts that are not UTF-8 each bad byte becomes U+FFFD. A member `name`
/// of an object that is such a text, or a list with such a text in it, gets a member `name_bytes`
/// behind it, which has the bytes of the text, or of every text of the list, percent-encoded.
[[nodiscard]] std::string json_line(const nlohmann::ordered_json& value);

/// Everything but visible characters of ASCII, and the percent sign, becomes %XX.
[[nodiscard]] std::string percent_encoded(std::string_view bytes);

}  // namespace furrow::cli
