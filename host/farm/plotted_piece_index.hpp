// SPDX-License-Identifier: Apache-2.0
// Which sector of a farm holds which piece (docs/spec/08-storage-components.md, section 3.12;
// docs/formats/plotted-pieces.md).
//
// Entries are facts that stay true: "sector S, when plotted at history size H, holds piece P at
// offset O". They follow from the id of the sector, so nothing is read from the plot. Whether S is
// plotted at H now is for the farm to say. Therefore no entry is ever deleted or changed, a sector
// that is lost, or plotted again, makes none wrong, and entries may be added at any time, twice, or
// too late.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "furrow/types.hpp"

#include "host/base/mutex.hpp"
#include "host/base/observer.hpp"
#include "host/primitives/ulid.hpp"
#include "host/store/segment_index/age_tiered_index.hpp"

namespace furrow {

/// Place of a piece in a farm.
struct PiecePlace {
  SectorIndex sector;
  PieceOffset offset;
  auto operator<=>(const PiecePlace&) const = default;  // NOLINT(modernize-use-nullptr): no pointer
};

/// A place, and the history size at which its sector has to be plotted for the piece to be there.
struct PlottedPiece {
  PiecePlace place;
  HistorySize history_size;
  auto operator<=>(const PlottedPiece&) const = default;  // NOLINT(modernize-use-nullptr)
};

/// A sector as it is plotted.
struct IndexedSector {
  SectorIndex index;
  HistorySize history_size;
};

/// Pieces that a sector holds, by offset. `info` is that of the chain when it was plotted.
std::vector<PieceIndex> pieces_of_sector(const SectorId& sector_id, const FarmerProtocolInfo& info,
                                         std::uint16_t pieces_in_sector);

/// Thread-safe. Memory: 2 bytes for each entry on disk (one for each piece of each sector, and one
/// for the sector), 58 for each of the up to 2^16 in memory.
class PlottedPieceIndex {
 public:
  static constexpr std::uint64_t kEntriesInMemory = std::uint64_t{1} << 16;

  /// Opens the index in a directory, or creates it. Throws what AgeTieredIndex::open throws.
  static std::unique_ptr<PlottedPieceIndex> open(const std::filesystem::path& directory,
                                                 const Ulid& farm_id);
  /// Opens what is on disk now, without a lock. Throws what AgeTieredIndex::open_for_lookups
  /// throws.
  static std::unique_ptr<const PlottedPieceIndex> open_for_lookups(
      const std::filesystem::path& directory, const Ulid& farm_id);

  /// Adds the pieces of a sector, all or none; nothing when they are there. In memory until flush()
  /// or until memory is full. Throws InvalidArgument when open for lookups, IoError,
  /// IndexNeedsReopening.
  void add_sector(const IndexedSector& sector, std::span<const PieceIndex> pieces);
  /// Makes all that was added durable, and merges segments when that is due.
  void flush();

  [[nodiscard]] bool has_sector(const IndexedSector& sector) const;
  /// All places of a piece that were ever added, in that order.
  [[nodiscard]] std::vector<PlottedPiece> find(PieceIndex piece) const;
  [[nodiscard]] std::uint64_t entry_count() const;

 private:
  PlottedPieceIndex(std::shared_ptr<const AgeTieredIndex> lookups, AgeTieredIndex* writable,
                    const Ulid& farm_id);
  [[nodiscard]] AgeTieredIndex& writable() const;
  [[nodiscard]] std::vector<std::uint32_t> count_copies(std::span<const PieceIndex> pieces) const;

  std::shared_ptr<const AgeTieredIndex> lookups_;
  AgeTieredIndex* writable_;  // the same one; none when open for lookups
  Ulid farm_id_;
  Mutex adding_;  // numbers of copies are given one sector at a time
};

/// Opens FARM/index for plotting and adds the sectors that it lacks. One that is damaged, or holds
/// mostly what is replaced, is removed and made anew. What had to be done about it is said to
/// `warn`, one sentence each; null when there can be no index.
std::unique_ptr<PlottedPieceIndex> open_piece_index(
    const std::filesystem::path& directory, const Ulid& farm_id,
    std::span<const IndexedSector> sectors, std::uint16_t pieces_in_sector,
    const std::function<std::vector<PieceIndex>(const IndexedSector&)>& pieces_of,
    const Observer<const std::string&>& warn);

}  // namespace furrow
