// SPDX-License-Identifier: Apache-2.0
// What the chain of a farm has decided about sectors, in FARM/furrow.json: a file of ours beside
// those of the farmer, because which pieces a sector holds follows from it
// (docs/formats/farm-chain.md).
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "furrow/types.hpp"

#include "host/base/file.hpp"

namespace furrow {

/// As in FarmerProtocolInfo, whose defaults are those of a development chain.
struct ChainParameters {
  std::uint16_t max_pieces_in_sector = FarmerProtocolInfo().max_pieces_in_sector;
  HistorySize recent_segments = FarmerProtocolInfo().recent_segments;
  HistorySize recent_history_numerator = FarmerProtocolInfo().recent_history_numerator;
  HistorySize recent_history_denominator = FarmerProtocolInfo().recent_history_denominator;
  HistorySize min_sector_lifetime = FarmerProtocolInfo().min_sector_lifetime;
  bool operator==(const ChainParameters&) const = default;

  [[nodiscard]] FarmerProtocolInfo at(HistorySize history_size) const;

  /// Names and values of those that are not as in `other`, as text.
  [[nodiscard]] std::string differing_from(const ChainParameters& other) const;

  /// The text of the file, with its checksum.
  [[nodiscard]] std::string to_text() const;
  /// Throws MalformedData that names `what`, also when the checksum is not that of the values.
  static ChainParameters parse(std::string_view text, const std::string& what);

  /// Those in the directory of a farm, none when it has no such file: the farm is of a development
  /// chain then. Throws what parse throws, and IoError.
  static std::optional<ChainParameters> read_from(const std::filesystem::path& farm);
  /// Writes the text durably and cuts the file to it.
  void write_to(const File& file) const;
};

}  // namespace furrow
