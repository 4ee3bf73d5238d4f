// SPDX-License-Identifier: Apache-2.0
#include "tools/json_text.hpp"

#include <algorithm>
#include <cstdint>

#include "host/base/utf8.hpp"

namespace furrow::cli {
namespace {

using Json = nlohmann::ordered_json;

bool is_text_of_bytes(const Json& value) {
  return value.is_string() && !is_utf8(value.get_ref<const std::string&>());
}

/// What stands for the bytes of `value`: nothing when no byte needs it.
Json bytes_of_member(const Json& value) {
  if (is_text_of_bytes(value)) {
    return percent_encoded(value.get_ref<const std::string&>());
  }
  Json list;
  if (value.is_array() && std::any_of(value.begin(), value.end(), is_text_of_bytes)) {
    for (const Json& element : value) {
      list.push_back(element.is_string()
                         ? Json(percent_encoded(element.get_ref<const std::string&>()))
                         : element);
    }
  }
  return list;
}

/// `value` with the members that have the bytes.
Json with_bytes(const Json& value) {
  if (value.is_array()) {
    Json list = Json::array();
    for (const Json& element : value) {
      list.push_back(with_bytes(element));
    }
    return list;
  }
  if (!value.is_object()) {
    return value;
  }
  Json object = Json::object();
  for (const auto& [name, member] : value.items()) {
    object[name] = with_bytes(member);
    if (Json bytes = bytes_of_member(member); !bytes.is_null()) {
      object[name + "_bytes"] = std::move(bytes);
    }
  }
  return object;
}

}  // namespace

std::string percent_encoded(std::string_view bytes) {
  static constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string result;
  for (const char character : bytes) {
    const auto byte = static_cast<std::uint8_t>(character);
    if (byte > 0x20 && byte < 0x7F && byte != '%') {
      result += character;
    } else {
      result += '%';
      result += kDigits[byte >> 4];
      result += kDigits[byte & 15];
    }
  }
  return result;
}

std::string json_line(const Json& value) {
  return with_bytes(value).dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace furrow::cli
