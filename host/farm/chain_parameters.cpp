// SPDX-License-Identifier: Apache-2.0
#include "host/farm/chain_parameters.hpp"

#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "furrow/errors.hpp"

#include "host/base/existence.hpp"
#include "host/base/hex.hpp"
#include "host/crypto/blake3.hpp"
#include "host/farm/farm_options.hpp"
#include "host/farm/json_object.hpp"

namespace furrow {
namespace {

constexpr std::uint64_t kMaxFileSize = 4096;
constexpr const char* kHowToGoOn = " (docs/manual/damaged-farm.md says how to go on)";

nlohmann::ordered_json values_of(const ChainParameters& chain) {
  return {{"maxPiecesInSector", chain.max_pieces_in_sector},
          {"recentSegments", chain.recent_segments.count()},
          {"recentHistoryNumerator", chain.recent_history_numerator.count()},
          {"recentHistoryDenominator", chain.recent_history_denominator.count()},
          {"minSectorLifetime", chain.min_sector_lifetime.count()}};
}

Hash checksum_of(const ChainParameters& chain) {
  const std::string text = values_of(chain).dump();
  return blake3({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
}

}  // namespace

FarmerProtocolInfo ChainParameters::at(HistorySize history_size) const {
  return {.history_size = history_size,
          .max_pieces_in_sector = max_pieces_in_sector,
          .recent_segments = recent_segments,
          .recent_history_numerator = recent_history_numerator,
          .recent_history_denominator = recent_history_denominator,
          .min_sector_lifetime = min_sector_lifetime};
}

std::string ChainParameters::differing_from(const ChainParameters& other) const {
  const nlohmann::ordered_json mine = values_of(*this);
  const nlohmann::ordered_json others = values_of(other);
  std::string text;
  for (const auto& [name, value] : mine.items()) {
    if (value != others.at(name)) {
      text += (text.empty() ? "" : ", ") + name + " " + value.dump();
    }
  }
  return text;
}

std::string ChainParameters::to_text() const {
  nlohmann::ordered_json values = values_of(*this);
  values["checksum"] = to_hex(checksum_of(*this).bytes);
  return nlohmann::ordered_json{{"v0", std::move(values)}}.dump();
}

ChainParameters ChainParameters::parse(std::string_view text, const std::string& what) {
  const JsonObject values = JsonObject::parse_versioned(text, what);
  const auto count = [&](const char* key) {
    return HistorySize::from_count(values.number<std::uint64_t>(key, 1));
  };
  ChainParameters chain;
  chain.max_pieces_in_sector = values.number<std::uint16_t>("maxPiecesInSector", 1);
  chain.recent_segments = count("recentSegments");
  chain.recent_history_numerator = count("recentHistoryNumerator");
  chain.recent_history_denominator = count("recentHistoryDenominator");
  chain.min_sector_lifetime = count("minSectorLifetime");
  const Hash expected = checksum_of(chain);
  if (const auto actual = values.hex<Hash>("checksum"); actual != expected) {
    throw MalformedData(
        what + ": damaged, expected checksum " + to_hex(expected.bytes) + ", actual " +
            to_hex(actual.bytes),
        {.path = what, .expected = to_hex(expected.bytes), .actual = to_hex(actual.bytes)});
  }
  return chain;
}

std::optional<ChainParameters> ChainParameters::read_from(const std::filesystem::path& farm) {
  const std::filesystem::path path = farm / kChainFileName;
  if (!is_name_taken(path)) {
    return std::nullopt;
  }
  try {
    const std::vector<std::uint8_t> bytes = read_whole_file(path, kMaxFileSize);
    return parse({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, path.native());
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kCorrupt) {
      throw;
    }
    throw MalformedData(error.what() + std::string(kHowToGoOn), error.fields());
  }
}

void ChainParameters::write_to(const File& file) const {
  const std::string text = to_text();
  file.write_at(0, {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
  file.resize(text.size());
  file.sync();
}

}  // namespace furrow
