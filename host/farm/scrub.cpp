// SPDX-License-Identifier: Apache-2.0
#include "host/farm/scrub.hpp"

#include <algorithm>
#include <chrono>
#include <memory>
#include <string>
#include <utility>

#include "furrow/errors.hpp"

#include "host/base/hex.hpp"
#include "host/farm/chain_parameters.hpp"
#include "host/farm/farm_consistency.hpp"
#include "host/farm/farm_errors.hpp"
#include "host/farm/farm_info.hpp"
#include "host/farm/farm_options.hpp"
#include "host/farm/file_age.hpp"
#include "host/farm/identity.hpp"
#include "host/farm/metadata_file.hpp"
#include "host/farm/plot_file.hpp"
#include "host/farm/scrub_contents.hpp"
#include "host/farm/space.hpp"

namespace furrow {
namespace {

/// Thrown by a read that finds a stop request; leaves the scrub through all its steps.
struct StopRequested {};

class Scrub {
 public:
  Scrub(const ScrubOptions& options, const ScrubProgressSink& progress, const std::stop_token& stop)
      : options_(options), progress_sink_(progress), stop_(stop) {}

  ScrubReport run() {
    try {
      if (check_info() && open_metadata_file() && open_plot_file() && check_slots_agree()) {
        check_space();
        check_sizes();
        check_sectors();
        look_for_uncounted_sectors();
        look_at_unused_bytes();
      }
    } catch (const StopRequested&) {
      report_.stopped = true;
    }
    return std::move(report_);
  }

 private:
  [[nodiscard]] std::filesystem::path path(const char* name) const {
    return options_.directory / name;
  }
  void broken(const std::string& thing, const std::string& reason,
              std::optional<SectorIndex> sector = std::nullopt) {
    report_.broken.push_back({thing, reason, sector});
  }
  void note(const std::string& thing, const std::string& reason,
            std::optional<SectorIndex> sector = std::nullopt) {
    report_.notes.push_back({thing, reason, sector});
  }

  bool check_info();
  void check_identity();
  void check_chain();
  bool open_metadata_file();
  bool open_plot_file();
  bool check_slots_agree();
  void check_space();
  void check_sizes();
  void check_file_size(const File& file, std::uint64_t needed, std::uint64_t configured,
                       std::uint16_t whole_sectors);
  void check_sectors();
  enum class Verdict { kIntact, kBroken, kLost };
  void check_sector(SectorIndex index);
  Verdict look_at_sector(SectorIndex index);
  [[nodiscard]] bool was_written_since(std::chrono::steady_clock::time_point time) const;
  void look_for_uncounted_sectors();
  void look_at_unused_bytes();
  void note_unless_zero(const File& file, const std::string& what, std::uint64_t begin,
                        std::uint64_t end);
  void read_sector(SectorIndex index, std::uint64_t offset, std::span<std::uint8_t> out);
  void report_progress() const {
    if (progress_sink_) {
      progress_sink_(progress_);
    }
  }

  const ScrubOptions& options_;
  const ScrubProgressSink& progress_sink_;
  const std::stop_token& stop_;
  ScrubReport report_;
  ScrubProgress progress_;
  std::unique_ptr<File> info_file_;
  FarmInfo info_;
  SpaceDistribution space_;  // all zero when the info file makes no farm
  std::unique_ptr<MetadataFile> metadata_;
  std::unique_ptr<PlotFile> plot_;
  std::uint16_t whole_sectors_ = 0;  // counted ones that lie in both files
};

/// Whether there is enough to go on with.
bool Scrub::check_info() {
  std::error_code ignored;
  if (!std::filesystem::exists(path(kFarmInfoFileName), ignored)) {
    throw FarmNotFound(options_.directory);
  }
  try {
    info_file_ = std::make_unique<File>(File::open_read(path(kFarmInfoFileName)));
    info_ = FarmInfo::read_from(*info_file_);
  } catch (const Error& error) {
    broken(kFarmInfoFileName, error.what());
    return false;
  }
  if (options_.genesis_root && *options_.genesis_root != info_.genesis_root) {
    broken(kFarmInfoFileName,
           WrongChain(info_file_->path(), *options_.genesis_root, info_.genesis_root).what());
  }
  check_identity();
  check_chain();
  if (info_.pieces_in_sector == 0 || info_.pieces_in_sector > kMaxPiecesInSector) {
    broken(kFarmInfoFileName, "pieces in sector, expected 1 to " +
                                  std::to_string(kMaxPiecesInSector) + ", actual " +
                                  std::to_string(info_.pieces_in_sector));
    return false;
  }
  return true;
}

/// A farm without the file is of a development chain, and as it should be.
void Scrub::check_chain() {
  try {
    (void)ChainParameters::read_from(options_.directory);
  } catch (const Error& error) {
    broken(kChainFileName, error.what());
  }
}

void Scrub::check_identity() {
  try {
    const Identity identity = Identity::open(path(kIdentityFileName));
    if (identity.public_key() != info_.public_key) {
      broken(kIdentityFileName,
             IdentityMismatch(info_file_->path(), info_.public_key, identity.public_key()).what());
    } else if (identity.shard_commitments_seed() != info_.shard_commitments_seed) {
      broken(kFarmInfoFileName, "shard commitments seed, expected that of identity.bin, " +
                                    to_hex(identity.shard_commitments_seed().bytes) + ", actual " +
                                    to_hex(info_.shard_commitments_seed.bytes));
    }
  } catch (const Error& error) {
    broken(kIdentityFileName, error.what());
  }
}

bool Scrub::open_metadata_file() {
  try {
    metadata_ = std::make_unique<MetadataFile>(File::open_read(path(kMetadataFileName)));
    report_.counted_sectors = metadata_->read_plotted_sector_count();
  } catch (const Error& error) {
    broken(kMetadataFileName, error.what());
    return false;
  }
  return true;
}

bool Scrub::open_plot_file() {
  try {
    plot_ =
        std::make_unique<PlotFile>(File::open_read(path(kPlotFileName)), info_.pieces_in_sector);
  } catch (const Error& error) {
    broken(kPlotFileName, error.what());
    return false;
  }
  return true;
}

/// Whether some sound slot is of a sector as the info file describes them, or there is none. If
/// not, it is the info file that is wrong, and nothing can be said of sectors of another size.
bool Scrub::check_slots_agree() {
  std::optional<std::string> mismatch;
  for (std::uint16_t i = 0; i < report_.counted_sectors; ++i) {
    if (stop_.stop_requested()) {
      throw StopRequested{};
    }
    try {
      (void)metadata_->read_slot(SectorIndex(i), info_.pieces_in_sector);
      return true;
    } catch (const SlotMismatch& error) {
      mismatch = mismatch.value_or(error.what());
    } catch (const FarmFileTooShort&) {
      break;
    } catch (const Error&) {
      continue;  // found again when the sector is looked at
    }
  }
  if (mismatch.has_value()) {
    broken(kFarmInfoFileName, *mismatch + "; sectors were not looked at");
  }
  return !mismatch.has_value();
}

void Scrub::check_space() {
  try {
    const FarmFileSizes sizes = FarmFileSizes::of(options_.directory, *metadata_, *plot_);
    space_ = SpaceDistribution::compute(
        info_.allocated_space, info_.pieces_in_sector,
        cache_percentage_of(info_.allocated_space, info_.pieces_in_sector, sizes).value_or(0));
  } catch (const Error& error) {
    broken(kFarmInfoFileName, error.what());
  }
}

void Scrub::check_sizes() {
  const std::uint16_t count = report_.counted_sectors;
  const std::uint64_t metadata_size = metadata_->file().size();
  std::uint16_t whole = count;
  while (whole > 0 && MetadataFile::size_for(whole) > metadata_size) {
    --whole;
  }
  check_file_size(metadata_->file(), MetadataFile::size_for(count),
                  round_up_to_page(space_.metadata_file_size), whole);
  if (space_.sector_count != 0 && count > space_.sector_count) {
    broken("metadata.bin: header",
           "counts " + std::to_string(count) + " plotted sectors, expected at most " +
               std::to_string(space_.sector_count) + ", for which there is allocated space");
  }
  whole_sectors_ = whole;
  whole = static_cast<std::uint16_t>(
      std::min<std::uint64_t>(count, plot_->file().size() / plot_->sector_size()));
  check_file_size(plot_->file(), plot_->size_for(count), space_.plot_file_size, whole);
  whole_sectors_ = std::min(whole_sectors_, whole);
}

void Scrub::check_file_size(const File& file, std::uint64_t needed, std::uint64_t configured,
                            std::uint16_t whole_sectors) {
  const std::uint64_t actual = file.size();
  const std::string name = file.path().filename().native();
  if (actual < needed) {
    broken(name + ": size", "expected at least " + std::to_string(needed) + " bytes for " +
                                std::to_string(report_.counted_sectors) +
                                " counted sectors, actual " + std::to_string(actual) +
                                "; sectors from " + std::to_string(whole_sectors) +
                                " on are missing");
  } else if (actual != configured) {
    note(name + ": size", "expected " + std::to_string(configured) +
                              " bytes for the allocated space, actual " + std::to_string(actual));
  }
}

void Scrub::check_sectors() {
  report_.broken_sectors = static_cast<std::uint16_t>(report_.counted_sectors - whole_sectors_);
  progress_.sectors_total = whole_sectors_;
  progress_.bytes_total = options_.with_contents ? plot_->size_for(whole_sectors_) : 0;
  for (std::uint16_t i = 0; i < whole_sectors_; ++i) {
    if (stop_.stop_requested()) {
      throw StopRequested{};
    }
    check_sector(SectorIndex(i));
    progress_.sectors_done = static_cast<std::uint16_t>(i + 1);
    progress_.bytes_done = options_.with_contents ? plot_->size_for(progress_.sectors_done) : 0;
    report_progress();
  }
}

void Scrub::check_sector(SectorIndex index) {
  const auto start = std::chrono::steady_clock::now();
  const ScrubProgress progress = progress_;
  const auto n_broken = static_cast<std::ptrdiff_t>(report_.broken.size());
  const auto n_notes = static_cast<std::ptrdiff_t>(report_.notes.size());
  Verdict verdict = look_at_sector(index);
  if (verdict == Verdict::kBroken && was_written_since(start)) {
    progress_ = progress;
    report_.broken.erase(report_.broken.begin() + n_broken, report_.broken.end());
    report_.notes.erase(report_.notes.begin() + n_notes, report_.notes.end());
    verdict = look_at_sector(index);
  }
  switch (verdict) {
    case Verdict::kIntact:
      ++report_.intact_sectors;
      break;
    case Verdict::kBroken:
      ++report_.broken_sectors;
      break;
    case Verdict::kLost:
      report_.lost.push_back(index);
      break;
  }
}

Scrub::Verdict Scrub::look_at_sector(SectorIndex index) {
  try {
    const SectorMetadata metadata = metadata_->read_slot(index, info_.pieces_in_sector);
    if (metadata.holds_nothing()) {
      return Verdict::kLost;
    }
    const bool is_intact =
        !options_.with_contents || check_sector_contents(
                                       metadata,
                                       [&](std::uint64_t offset, std::span<std::uint8_t> out) {
                                         read_sector(index, offset, out);
                                       },
                                       report_);
    return is_intact ? Verdict::kIntact : Verdict::kBroken;
  } catch (const Error& error) {
    broken("metadata.bin: slot of sector " + std::to_string(index.value()), error.what(), index);
    return Verdict::kBroken;
  }
}

/// Or shortly before.
bool Scrub::was_written_since(std::chrono::steady_clock::time_point time) const {
  const auto span =
      std::chrono::ceil<std::chrono::seconds>(std::chrono::steady_clock::now() - time) +
      MetadataFile::kSettling;
  return was_written_within(plot_->file().path(), span) ||
         was_written_within(metadata_->file().path(), span);
}

void Scrub::read_sector(SectorIndex index, std::uint64_t offset, std::span<std::uint8_t> out) {
  if (stop_.stop_requested()) {
    throw StopRequested{};
  }
  plot_->read(index, offset, out);
  report_.bytes_read += out.size();
  progress_.bytes_done += out.size();
  report_progress();
}

/// Also where there is no allocated space: what the header and the info file say may be wrong.
void Scrub::look_for_uncounted_sectors() {
  for (std::uint16_t i = report_.counted_sectors;
       i < kMaxSectors && metadata_->has_slot(SectorIndex(i)); ++i) {
    if (stop_.stop_requested()) {
      throw StopRequested{};
    }
    const SectorIndex index(i);
    const std::string thing = "metadata.bin: slot of sector " + std::to_string(i);
    try {
      if (metadata_->read_uncounted_slot(index, info_.pieces_in_sector).has_value() &&
          i >= metadata_->read_plotted_sector_count()) {  // else somebody has plotted it meanwhile
        note(thing,
             "describes a sector, but the header counts " +
                 std::to_string(report_.counted_sectors) +
                 " only; a crash leaves one such slot, and plotting on makes that sector once "
                 "more; more than one is damage of the header (docs/manual/damaged-farm.md says "
                 "how to mend it)",
             index);
      }
    } catch (const Error& error) {
      note(thing, error.what());
    }
  }
}

/// Bytes that mean nothing and that no checksum covers. What is in them harms nobody, but something
/// wrote them.
void Scrub::look_at_unused_bytes() {
  const std::uint64_t metadata_size = metadata_->file().size();
  note_unless_zero(metadata_->file(), "reserved bytes", MetadataFile::kHeaderSize,
                   std::min(kReservedPlotMetadata, metadata_size));
  if (space_.sector_count == 0) {
    return;
  }
  // What lies further behind is of another size than configured, and was noted as that.
  const auto end = [](const File& file, std::uint64_t begin) {
    return std::min(round_up_to_page(begin), file.size());
  };
  const std::uint64_t slots_end = MetadataFile::size_for(space_.sector_count);
  note_unless_zero(metadata_->file(), "padding", slots_end, end(metadata_->file(), slots_end));
  if (options_.with_contents) {
    const std::uint64_t sectors_end = plot_->size_for(space_.sector_count);
    note_unless_zero(plot_->file(), "padding", sectors_end, end(plot_->file(), sectors_end));
  }
}

void Scrub::note_unless_zero(const File& file, const std::string& what, std::uint64_t begin,
                             std::uint64_t end) {
  if (begin >= end) {
    return;
  }
  const std::string thing = file.path().filename().native() + ": " + what;
  std::vector<std::uint8_t> bytes(end - begin);
  try {
    file.read_at(begin, bytes);
  } catch (const IoError& error) {
    note(thing, error.what());
    return;
  }
  const auto is_set = [](std::uint8_t byte) { return byte != 0; };
  const auto first = std::find_if(bytes.begin(), bytes.end(), is_set);
  if (first != bytes.end()) {
    note(thing, "expected zeros from byte " + std::to_string(begin) + " to " + std::to_string(end) +
                    ", actual " + std::to_string(std::count_if(first, bytes.end(), is_set)) +
                    " other bytes, the first one at " +
                    std::to_string(begin + static_cast<std::uint64_t>(first - bytes.begin())));
  }
}

}  // namespace

ScrubReport scrub_farm(const ScrubOptions& options, const ScrubProgressSink& progress,
                       const std::stop_token& stop) {
  return Scrub(options, progress, stop).run();
}

}  // namespace furrow
