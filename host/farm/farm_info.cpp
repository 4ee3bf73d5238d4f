// SPDX-License-Identifier: Apache-2.0
#include "host/farm/farm_info.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "furrow/errors.hpp"

#include "host/base/hex.hpp"
#include "host/base/printable.hpp"
#include "host/farm/json_object.hpp"

namespace furrow {
namespace {

using Json = nlohmann::ordered_json;

/// Space that a farm sets aside for this file (section 1).
constexpr std::uint64_t kMaxInfoSize = 1'048'576;

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
  const JsonObject members = JsonObject::parse_versioned(text, what);
  FarmInfo info;
  const std::string id = members.text("id");
  try {
    info.id = Ulid::parse(id);
  } catch (const MalformedData&) {
    throw MalformedData(what + ": \"id\", expected a ULID, actual \"" + printable(id) + '"');
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
  if (size > kMaxInfoSize) {
    throw MalformedData(file.path().native() + ": expected at most " +
                        std::to_string(kMaxInfoSize) + " bytes, actual " + std::to_string(size));
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
