// SPDX-License-Identifier: Apache-2.0
#include "host/farm/json_object.hpp"

#include <set>
#include <utility>

#include "host/base/printable.hpp"

namespace furrow {
namespace {

using Json = nlohmann::ordered_json;

/// Parses JSON, refusing a key that stands twice in the outer object or in the one below it.
Json parse_json(std::string_view text, const std::string& what) {
  std::set<std::pair<int, std::string>> seen;
  std::string repeated;
  const auto note_keys = [&](int depth, Json::parse_event_t event, Json& parsed) {
    if (event == Json::parse_event_t::key && depth <= 2 &&
        !seen.emplace(depth, parsed.get<std::string>()).second) {
      repeated = parsed.get<std::string>();
    }
    return true;
  };
  if (text.find('\0') != std::string_view::npos) {
    throw MalformedData(what + ": not JSON, it holds a zero byte");  // the parser would stop there
  }
  Json json;
  try {
    json = Json::parse(text.begin(), text.end(), note_keys);
  } catch (const Json::parse_error& error) {
    throw MalformedData(what + ": not JSON, the mistake is at byte " + std::to_string(error.byte),
                        {.offset = error.byte, .path = what});
  } catch (const Json::exception&) {
    throw MalformedData(what + ": not JSON");  // such as a number beyond all bounds
  }
  if (!repeated.empty()) {
    throw MalformedData(what + ": key \"" + printable(repeated) + "\" stands there twice");
  }
  return json;
}

}  // namespace

JsonObject JsonObject::parse_versioned(std::string_view text, const std::string& what) {
  Json json = parse_json(text, what);
  if (!json.is_object() || json.size() != 1 || !json.contains("v0") || !json["v0"].is_object()) {
    throw MalformedData(what + ": expected one object with the version tag \"v0\"");
  }
  return {std::move(json["v0"]), what};
}

const Json& JsonObject::member(const char* key) const {
  const auto found = object_.find(key);
  if (found == object_.end()) {
    throw MalformedData(what_ + ": key \"" + key + "\" is missing");
  }
  return *found;
}

std::string JsonObject::text(const char* key) const {
  const Json& value = member(key);
  if (!value.is_string()) {
    throw MalformedData(what_ + ": \"" + key + "\" is no text");
  }
  return value.get<std::string>();
}

std::uint64_t JsonObject::number_within(const char* key, std::uint64_t least,
                                        std::uint64_t most) const {
  const Json& value = member(key);
  if (!value.is_number_unsigned() || value.get<std::uint64_t>() < least ||
      value.get<std::uint64_t>() > most) {
    throw MalformedData(what_ + ": \"" + key + "\", expected a number from " +
                        std::to_string(least) + " to " + std::to_string(most) + ", actual " +
                        value.dump(-1, ' ', true, Json::error_handler_t::replace));
  }
  return value.get<std::uint64_t>();
}

}  // namespace furrow
