// SPDX-License-Identifier: Apache-2.0
#include "host/farm/farm_info.hpp"

#include <algorithm>
#include <limits>
#include <set>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "furrow/errors.hpp"

#include "host/base/hex.hpp"
#include "host/base/printable.hpp"

namespace furrow {
namespace {

using Json = nlohmann::ordered_json;

/// Space that a farm sets aside for this file (section 1).
constexpr std::uint64_t kMaxFileSize = 1'048'576;

/// Text of a broken file, for a message.
std::string in_quotes(std::string_view text) {
  return '"' + printable(text) + '"';
}

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
    throw MalformedData(what + ": key " + in_quotes(repeated) + " stands there twice");
  }
  return json;
}

/// The members of the object below "v0", each checked for presence and type.
class Members {
 public:
  Members(const Json& object, const std::string& what) : object_(object), what_(what) {}

  [[nodiscard]] std::string text(const char* key) const {
    const Json& value = member(key);
    if (!value.is_string()) {
      throw MalformedData(what_ + ": \"" + key + "\" is no text");
    }
    return value.get<std::string>();
  }

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
  [[nodiscard]] T number(const char* key) const {
    const Json& value = member(key);
    if (!value.is_number_unsigned() || value.get<std::uint64_t>() > std::numeric_limits<T>::max()) {
      throw MalformedData(what_ + ": \"" + key + "\", expected a number from 0 to " +
                          std::to_string(std::numeric_limits<T>::max()) + ", actual " +
                          value.dump(-1, ' ', true, Json::error_handler_t::replace));
    }
    return value.get<T>();
  }

 private:
  [[nodiscard]] const Json& member(const char* key) const {
    const auto found = object_.find(key);
    if (found == object_.end()) {
      throw MalformedData(what_ + ": key \"" + key + "\" is missing");
    }
    return *found;
  }

  const Json& object_;
  const std::string& what_;
};

}  // namespace

std::string FarmInfo::to_text() const {
  Json members;
  members["id"] = id.to_string();
  members["genesisRoot"] = to_hex(genesis_root.bytes);
  members["publicKey"] = to_hex(public_key.bytes);
  members["shardCommitmentsSeed"] = to_hex(shard_commitments_seed.bytes);
  members["piecesInSector"] = pieces_in_sector;
  members["allocatedSpace"] = allocated_space;
  Json json;
  json["v0"] = std::move(members);
  return json.dump();
}

FarmInfo FarmInfo::parse(std::string_view text, const std::string& what) {
  if (text.empty()) {
    throw MalformedData(what + ": empty, its creation was interrupted");
  }
  const Json json = parse_json(text, what);
  if (!json.is_object() || json.size() != 1 || !json.contains("v0") || !json["v0"].is_object()) {
    throw MalformedData(what + ": expected one object with the version tag \"v0\"");
  }
  const Members members(json["v0"], what);
  FarmInfo info;
  const std::string id = members.text("id");
  try {
    info.id = Ulid::parse(id);
  } catch (const MalformedData&) {
    throw MalformedData(what + ": \"id\", expected a ULID, actual " + in_quotes(id));
  }
  info.genesis_root = members.hex<Hash>("genesisRoot");
  info.public_key = members.hex<PublicKey>("publicKey");
  info.shard_commitments_seed = members.hex<Hash>("shardCommitmentsSeed");
  info.pieces_in_sector = members.number<std::uint16_t>("piecesInSector");
  info.allocated_space = members.number<std::uint64_t>("allocatedSpace");
  return info;
}

FarmInfo FarmInfo::read_from(const File& file) {
  const std::uint64_t size = file.size();
  if (size > kMaxFileSize) {
    throw MalformedData(file.path().native() + ": expected at most " +
                        std::to_string(kMaxFileSize) + " bytes, actual " + std::to_string(size));
  }
  std::vector<std::uint8_t> bytes(size);
  file.read_at(0, bytes);
  return parse({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, file.path().native());
}

void FarmInfo::write_to(const File& file) const {
  const std::string text = to_text();
  // Blanks cover the rest of a longer text, so that a crash before the cut leaves valid JSON.
  const auto padded_size = std::max<std::uint64_t>(text.size(), file.size());
  std::vector<std::uint8_t> bytes(text.begin(), text.end());
  bytes.resize(padded_size, ' ');
  file.write_at(0, bytes);
  file.resize(text.size());
  file.sync();
}

}  // namespace furrow
