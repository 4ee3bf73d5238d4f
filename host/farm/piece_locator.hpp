// Where the pieces of a farm are, and how many sectors hold a history. Both follow from sector ids
// alone (docs/spec/01-primitives.md, section 9.4): nothing is read from the plot.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "furrow/types.hpp"

#include "host/farm/farm.hpp"

namespace furrow {

/// One copy of a piece.
struct PiecePlace {
  SectorIndex sector;
  PieceOffset offset;
  auto operator<=>(const PiecePlace&) const = default;
};

/// All pieces of the plotted sectors of a farm, 16 bytes each. A snapshot: whoever plots tells it
/// of sectors that come and go. Thread-compatible.
class PieceLocator {
 public:
  /// `parameters` are those of the chain; its history size is not used, each sector has its own.
  explicit PieceLocator(const FarmerProtocolInfo& parameters = {}) : parameters_(parameters) {}
  /// Of all sectors of the farm that are neither lost nor damaged nor being modified. Takes a good
  /// part of a second for each history size in it.
  explicit PieceLocator(const Farm& farm, const FarmerProtocolInfo& parameters = {});

  /// Adds the pieces of a sector. Pre: the sector is not in here.
  void add_sector(SectorIndex index, const SectorId& sector_id, HistorySize history_size,
                  std::uint16_t pieces_in_sector);
  void remove_sector(SectorIndex index);

  /// All copies of a piece, by sector, then by offset.
  [[nodiscard]] std::vector<PiecePlace> find(PieceIndex piece) const;
  /// Every piece that is there, once, ascending.
  [[nodiscard]] std::vector<PieceIndex> pieces() const;
  /// Pieces with all their copies.
  [[nodiscard]] std::size_t size() const { return entries_.size(); }

 private:
  struct Entry {
    PieceIndex piece;
    PiecePlace place;
    auto operator<=>(const Entry&) const = default;
  };
  void append(SectorIndex index, const SectorId& sector_id, HistorySize history_size,
              std::uint16_t pieces_in_sector);

  FarmerProtocolInfo parameters_;
  std::vector<Entry> entries_;  // sorted
};

/// A sector that is plotted.
struct PlottedSectorId {
  SectorId sector_id;
  HistorySize history_size;
};

/// Smallest number of sectors with which a farm holds, of each segment of the history of
/// `info.history_size`, at least 128 of its 256 pieces, hence all of that history.
/// `shard_commitments_root` belongs to the same history size. `existing[i]` is sector i; all
/// sectors beyond its end, and those that are none (lost), are taken as plotted with
/// `info.history_size`. The result is not below existing.size(). Throws InvalidArgument when 65534
/// sectors are not enough, and when pieces_in_sector is 0.
std::uint16_t sectors_to_cover_history(
    const Hash& public_key_hash, const Hash& shard_commitments_root, const FarmerProtocolInfo& info,
    std::uint16_t pieces_in_sector, std::span<const std::optional<PlottedSectorId>> existing = {});

}  // namespace furrow
