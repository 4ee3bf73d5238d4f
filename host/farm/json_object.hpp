// SPDX-License-Identifier: Apache-2.0
// The small JSON files of a farm: one object with a version tag and below it named members, each
// checked for presence and type.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "furrow/errors.hpp"

#include "host/base/hex.hpp"

namespace furrow {

/// All functions throw MalformedData that names the file.
class JsonObject {
 public:
  /// The object below "v0". Any order of keys, white space and unknown keys below "v0" are
  /// accepted; a key that stands twice is not.
  static JsonObject parse_versioned(std::string_view text, const std::string& what);

  [[nodiscard]] std::string text(const char* key) const;

  template <class Bytes>
  [[nodiscard]] Bytes hex(const char* key) const {
    Bytes bytes;
    try {
      from_hex(text(key), bytes.bytes, what_ + ": \"" + key + "\"");
    } catch (const InvalidBytesLength& error) {
      throw MalformedData(error.what());
    }
    return bytes;
  }

  template <class T>
  [[nodiscard]] T number(const char* key, T least = 0) const {
    return static_cast<T>(number_within(key, least, std::numeric_limits<T>::max()));
  }

 private:
  JsonObject(nlohmann::ordered_json object, std::string what)
      : object_(std::move(object)), what_(std::move(what)) {}
  [[nodiscard]] const nlohmann::ordered_json& member(const char* key) const;
  [[nodiscard]] std::uint64_t number_within(const char* key, std::uint64_t least,
                                            std::uint64_t most) const;

  nlohmann::ordered_json object_;
  std::string what_;
};

}  // namespace furrow
