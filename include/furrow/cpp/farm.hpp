// SPDX-License-Identifier: Apache-2.0
/** @file
 * Farms on disk (furrow/c/farm.h). Part of furrow/furrow.hpp. */
#ifndef FURROW_CPP_FARM_HPP
#define FURROW_CPP_FARM_HPP

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "furrow/cpp/library.hpp"
#include "furrow/cpp/sector.hpp"

namespace furrow {
inline namespace v0_1 {

/// Why and how a farm is opened; see furrow_farm_options.
struct FarmOptions {
  furrow_farm_mode mode = FURROW_FARM_READ;
  /// 0: those of the farm, 1000 in a new one.
  std::uint32_t pieces_in_sector = 0;
  /// Bytes of all files of the farm; 0: it stays as it is.
  std::uint64_t allocated_space = 0;
  /// Instead: room for so many sectors at least.
  std::uint32_t min_sectors = 0;
  /// Share of the space for a piece cache; the default is what the farm has.
  std::uint32_t cache_percentage = detail::initialised(furrow_farm_options_init).cache_percentage;
  /// Chain of the farm. Needed by a new one.
  std::optional<Hash> genesis_root;
  /// Parameters of the chain of the farm; nothing: those of a development chain.
  std::optional<SectorPlan> chain;
};

/// An open farm. When it is destroyed it is closed as soon as no source uses it any more.
class Farm {
 public:
  /// Opens the farm in `directory`, or creates it.
  Farm(const Library& library, const std::string& directory, const FarmOptions& options = {})
      : Farm(make(library, directory, options)) {}

  /// What it is.
  [[nodiscard]] furrow_farm_info info() const {
    return detail::filled<furrow_farm_info>(
        [&](furrow_farm_info* info) { return furrow_farm_get_info(get(), info); });
  }
  /// One of its sectors; the index is less than info().sector_room.
  [[nodiscard]] furrow_farm_sector sector(std::uint32_t sector_index) const {
    return detail::filled<furrow_farm_sector>([&](furrow_farm_sector* sector) {
      return furrow_farm_get_sector(get(), sector_index, sector);
    });
  }
  /// Metadata of a plotted sector.
  [[nodiscard]] std::vector<std::uint8_t> sector_metadata(std::uint32_t sector_index) const {
    std::vector<std::uint8_t> metadata(FURROW_SECTOR_METADATA_SIZE);
    detail::check(furrow_farm_sector_metadata(get(), sector_index, metadata.data()));
    return metadata;
  }
  /// Reads bytes of a sector as they are on disk, all that there is room for.
  void read_sector(std::uint32_t sector_index, std::uint64_t offset, MutableBytes bytes) const {
    detail::check(furrow_farm_read_sector(get(), sector_index, offset, bytes.data(), bytes.size()));
  }
  /// What plotting a sector of this farm needs to know.
  [[nodiscard]] SectorPlan plan_sector(std::uint32_t sector_index,
                                       std::uint64_t history_size) const {
    return SectorPlan(detail::filled<furrow_sector_plan>([&](furrow_sector_plan* plan) {
      return furrow_farm_plan_sector(get(), sector_index, history_size, plan);
    }));
  }
  /// Writes a sector and its metadata durably.
  void write_sector(std::uint32_t sector_index, Bytes sector, Bytes metadata) {
    detail::check_size("metadata", metadata.size(), FURROW_SECTOR_METADATA_SIZE);
    detail::check(furrow_farm_write_sector(get(), sector_index, sector.data(), sector.size(),
                                           metadata.data()));
  }
  /// All places of a piece in plotted sectors, by sector, then by offset.
  [[nodiscard]] std::vector<furrow_piece_place> find_piece(std::uint64_t piece_index) const {
    std::vector<furrow_piece_place> places;
    std::size_t count = 0;
    do {  // more than once when a sector is plotted in between
      places.resize(count);
      detail::check(
          furrow_farm_find_piece(get(), piece_index, places.data(), places.size(), &count));
    } while (count > places.size());
    places.resize(count);
    return places;
  }

  /// For functions of the C interface.
  [[nodiscard]] furrow_farm* get() const noexcept { return handle_.get(); }
  /// What everything that is made from it keeps.
  [[nodiscard]] const detail::Kept& kept() const noexcept { return handle_.kept(); }

 private:
  using Owner = detail::Handle<furrow_farm, furrow_farm_destroy>;
  explicit Farm(Owner handle) noexcept : handle_(std::move(handle)) {}

  static Owner make(const Library& library, const std::string& directory,
                    const FarmOptions& options) {
    furrow_farm_options c = detail::initialised(furrow_farm_options_init);
    c.mode = options.mode;
    c.pieces_in_sector = options.pieces_in_sector;
    c.allocated_space = options.allocated_space;
    c.min_sectors = options.min_sectors;
    c.cache_percentage = options.cache_percentage;
    c.genesis_root = options.genesis_root ? options.genesis_root->data() : nullptr;
    c.chain = options.chain ? &*options.chain : nullptr;
    furrow_farm* farm = nullptr;
    detail::check(furrow_farm_open(library.get(), directory.c_str(), &c, &farm));
    return Owner(farm, library.kept());
  }

  Owner handle_;
};

}  // namespace v0_1
}  // namespace furrow

#endif
