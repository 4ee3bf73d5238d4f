// SPDX-License-Identifier: Apache-2.0
// A farm on disk: a directory with a key, an info file, sectors and their metadata
// (docs/spec/06-farm-format.md).
//
// Order of writing a sector (sections 6.3 and 6.4), each step durable before the next begins:
//
//   1. if the sector is counted already: "lost" into its slot
//   2. sector bytes into plot.bin
//   3. slot into metadata.bin
//   4. count into the header of metadata.bin, if it is not counted already; sectors before it that
//      are not there get "lost" into their slots together with step 3
//
// A crash at any moment leaves either the old sector, or one that is known to be lost or not there.
//
// Memory: 40 bytes for each sector that there is room for, 100 for each distinct history size, and
//
//   (64 + metadata that callers hold) * 131 kB
//
// of sector metadata. With FARM/state besides: 200 bytes for each 64 sectors, 8 * 2 * 131 kB while
// opening, and the database (18 MiB for RocksDB as it comes). With FARM/index besides: 2 bytes for
// each piece of each sector, and 3.8 MB.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "host/base/mutex.hpp"
#include "host/farm/farm_errors.hpp"
#include "host/farm/farm_open.hpp"
#include "host/farm/plotted_piece_index.hpp"
#include "host/farm/sector_metadata_store.hpp"
#include "host/farm/shard_commitments.hpp"

namespace furrow {

enum class SectorState : std::uint8_t {
  kNotPlotted,  ///< not counted, whatever is on disk
  kPlotted,
  kLost,  ///< counted, but holds nothing and is to be plotted again
  /// Counted, but its slot is unreadable or one of the files ends before it; kReadOnly only: kPlot
  /// turns the one into kLost and refuses the other.
  kDamaged,
};

class Farm;

/// While it lives, readers leave the sector alone (section 6.5). Move-only; must not outlive the
/// farm.
class ModificationMark {
 public:
  ModificationMark(ModificationMark&& other) noexcept;
  ModificationMark& operator=(ModificationMark&& other) noexcept;
  ModificationMark(const ModificationMark&) = delete;
  ModificationMark& operator=(const ModificationMark&) = delete;
  ~ModificationMark();

 private:
  friend class Farm;
  ModificationMark(Farm& farm, SectorIndex index) : farm_(&farm), index_(index) {}
  Farm* farm_;
  SectorIndex index_;
};

/// Thread-safe. A sector is written by one thread at a time; distinct sectors at the same time.
class Farm {
 public:
  /// Opens the farm in options.directory, or creates it in kPlot mode. Throws
  ///  - InvalidArgument, InsufficientSpace, FarmTooLarge for options that make no farm,
  ///  - WouldLoseSectors when the wanted size has no room for all plotted sectors,
  ///  - FarmNotFound in kReadOnly mode, FarmInUse in kPlot mode when another has the lock,
  ///  - WrongChain, ChainParametersMismatch, IdentityMismatch, IdentityMissing, ShardCommitmentsSeedMismatch,
  ///    PiecesInSectorMismatch, SlotMismatch, UnsupportedMetadataVersion, and in kPlot mode
  ///    StoredSizeMismatch, UncountedSectors and StateOfAnotherFarm (all FarmMismatch),
  ///  - MalformedData, InvalidBytesLength, FarmFileTooShort for damaged files, IoError.
  /// In kReadOnly mode sectors that lie beyond the end of a file that is too short are kDamaged,
  /// and a stored size that the files do not have is a warning. Whatever it throws, a farm that was
  /// there is as before, and one that was not leaves no files.
  static std::unique_ptr<Farm> open(const FarmOptions& options);

  Farm(const Farm&) = delete;
  Farm& operator=(const Farm&) = delete;
  ~Farm() = default;

  [[nodiscard]] const std::filesystem::path& directory() const { return directory_; }
  [[nodiscard]] FarmMode mode() const { return mode_; }
  [[nodiscard]] const FarmInfo& info() const { return files_.info; }
  /// What the chain of the farm has decided about sectors: those that the farm states, and if it
  /// states none, those of a development chain.
  [[nodiscard]] ChainParameters chain_parameters() const {
    return files_.chain.value_or(ChainParameters());
  }
  [[nodiscard]] bool states_chain_parameters() const { return files_.chain.has_value(); }
  [[nodiscard]] const Identity& identity() const { return files_.identity; }
  [[nodiscard]] std::uint16_t pieces_in_sector() const { return files_.info.pieces_in_sector; }
  /// Bytes of one sector.
  [[nodiscard]] std::uint64_t sector_size() const { return files_.plot.sector_size(); }
  /// Damage that was found and repaired, at opening and since, one sentence each.
  [[nodiscard]] std::vector<std::string> warnings() const;

  /// Throws FarmGone when directory, info file, plot.bin or metadata.bin are no more at their
  /// paths, although this farm has them open.
  void check_presence() const;

  /// Sectors 0 .. sector_count() - 1 exist.
  [[nodiscard]] std::uint16_t sector_count() const;
  /// Sectors for which there is room.
  [[nodiscard]] std::uint16_t target_sector_count() const { return files_.target_sector_count; }
  /// Share of info().allocated_space that is left to a piece cache, as said when the farm was
  /// opened or as its files tell.
  [[nodiscard]] unsigned cache_percentage() const { return files_.cache_percentage; }
  /// Throws InvalidArgument when index >= target_sector_count(), as do all functions below.
  [[nodiscard]] SectorState sector_state(SectorIndex index) const;
  /// All sectors in `state`, ascending.
  [[nodiscard]] std::vector<SectorIndex> sectors_in_state(SectorState state) const;

  /// All plotted sectors, ascending, with their history sizes.
  [[nodiscard]] std::vector<IndexedSector> plotted_sectors() const;
  /// None when the sector is not in state kPlotted.
  [[nodiscard]] std::optional<HistorySize> plotted_history_size(SectorIndex index) const;
  /// The index that this farm keeps; null when it keeps none.
  [[nodiscard]] std::shared_ptr<const PlottedPieceIndex> piece_index() const;

  /// Metadata of a counted sector; read when they are not among the last ones used, so hold them no
  /// longer than needed. Throws InvalidArgument when it is not plotted, DamagedSlot, IoError, and
  /// SlotChanged when another process wrote the slot since the farm was opened.
  [[nodiscard]] std::shared_ptr<const SectorMetadata> sector_metadata(SectorIndex index) const;
  /// History size of a counted sector, 1 of one that is lost. Throws as sector_metadata does, but
  /// reads nothing.
  [[nodiscard]] HistorySize history_size(SectorIndex index) const;
  /// Id of a counted sector, as it was plotted. Throws as sector_metadata does.
  [[nodiscard]] SectorId sector_id(SectorIndex index) const;
  /// Pieces of a sector when plotted with this history size, by offset.
  [[nodiscard]] std::vector<PieceIndex> pieces_of(const IndexedSector& sector) const;
  /// Id that the sector has when plotted with this history size.
  [[nodiscard]] SectorId sector_id(SectorIndex index, HistorySize history_size) const;
  /// Takes a good part of a second for each new history size.
  [[nodiscard]] Hash shard_commitments_root(HistorySize history_size) const;
  /// Reads out.size() bytes at `offset` within a sector. The caller looks at sector_state() and
  /// is_being_modified(); bytes of a sector under way are a mixture.
  void read_sector_bytes(SectorIndex index, std::uint64_t offset,
                         std::span<std::uint8_t> out) const;

  /// Looks for what another process may have written since the slot of a counted sector was read:
  /// whether it is another one now, which counts from then on. Never in kPlot mode, in which nobody
  /// else writes. Throws IoError.
  bool reload_slot(SectorIndex index);
  /// Whether somebody wrote sectors or metadata in the last minute, so that what was read may be a
  /// mixture.
  [[nodiscard]] bool was_written_lately() const;

  /// Marks a sector as being modified, from before its plotting until after it was written; none
  /// when it is marked already.
  [[nodiscard]] std::optional<ModificationMark> begin_modifying(SectorIndex index);
  /// Whether it is marked or being written.
  [[nodiscard]] bool is_being_modified(SectorIndex index) const;

  /// Writes a sector and its metadata durably and returns how many sectors are counted then.
  /// Sectors may be written in any order: those before it that are not there yet are counted with
  /// it, as lost, so that it is kept whatever becomes of them. Throws InvalidArgument for a farm
  /// that is read-only, for sizes and indices that do not fit and for a sector that is being
  /// written; IoError, after which a sector that was counted is lost and one that was not is still
  /// not; FarmGone, after which nothing that was written is to be found.
  std::uint16_t write_sector(SectorIndex index, std::span<const std::uint8_t> sector_bytes,
                             const SectorMetadata& metadata);
  /// Replaces the metadata of a counted sector, durably, by the marker that it is lost: for sectors
  /// found damaged. Throws as write_sector does.
  void mark_lost(SectorIndex index);
  /// At the end of plotting: what failed in FARM/state and was not told yet, because it failed in
  /// the background, becomes a warning.
  void flush_state() { metadata_.flush(); }

 private:
  friend class ModificationMark;
  class WritingTurn;
  struct Sector {
    /// Of a sector that is counted, or written without its count.
    SlotSummary slot;
    SectorState state = SectorState::kNotPlotted;
    bool is_written = false;  ///< bytes and slot are durable, counted or not
    bool is_marked = false;
    bool is_being_written = false;
  };
  static_assert(sizeof(Sector) == 40, "memory for each sector is promised above");

  Farm(const FarmOptions& options, FarmFiles files);
  [[nodiscard]] SlotSummary slot_of_counted(SectorIndex index) const;
  void open_state(const FarmOptions& options);
  void open_index();
  void index_pieces(const IndexedSector& sector);
  void check_index(SectorIndex index) const;
  void check_writable() const;
  void publish(SectorIndex index, const SlotSummary& slot) FURROW_REQUIRES(metadata_file_mutex_);
  void warn(const std::string& text);
  void mark_gap_lost(SectorIndex index) FURROW_REQUIRES(metadata_file_mutex_);
  void write_lost_marker(SectorIndex index);
  void count_written_sectors() FURROW_REQUIRES(metadata_file_mutex_);
  void end_modifying(SectorIndex index) noexcept;

  std::filesystem::path directory_;
  FarmMode mode_;
  Observer<const std::string&> on_warning_;
  FarmFiles files_;
  mutable Mutex warnings_mutex_;
  std::vector<std::string> warnings_ FURROW_GUARDED_BY(warnings_mutex_);
  mutable SectorMetadataStore metadata_;
  mutable Mutex index_mutex_;
  std::shared_ptr<PlottedPieceIndex> index_
      FURROW_GUARDED_BY(index_mutex_);  // null: none, or given up
  ShardCommitmentsRoots roots_;
  Mutex metadata_file_mutex_;        // held while metadata.bin changes; taken before state_mutex_
  mutable SharedMutex state_mutex_;  // never held during IO
  std::vector<Sector> sectors_ FURROW_GUARDED_BY(state_mutex_);  // target_sector_count() of them
  std::uint16_t sector_count_ FURROW_GUARDED_BY(state_mutex_) = 0;
};

}  // namespace furrow
