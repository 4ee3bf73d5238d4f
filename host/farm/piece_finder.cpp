// SPDX-License-Identifier: Apache-2.0
#include "host/farm/piece_finder.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <system_error>

#include "host/base/counted.hpp"
#include "host/primitives/sector_id.hpp"

namespace furrow {
namespace {

std::filesystem::path make_temporary_directory() {
  std::error_code error;
  const std::filesystem::path parent = std::filesystem::temp_directory_path(error);
  if (error) {
    throw IoError("find", "directory for temporary files", error.value());
  }
  std::string path = (parent / "furrow-index-XXXXXX").native();
  if (::mkdtemp(path.data()) == nullptr) {
    throw IoError("create directory", path, errno);
  }
  return path;
}

}  // namespace

PieceFinder::PieceFinder(const Farm& farm) : farm_(farm) {
  open_index();
  try {
    index_the_rest();
  } catch (...) {
    std::error_code ignored;
    std::filesystem::remove_all(temporary_, ignored);
    throw;
  }
}

PieceFinder::~PieceFinder() {
  indexes_.clear();
  if (!temporary_.empty()) {
    std::error_code ignored;
    std::filesystem::remove_all(temporary_, ignored);
  }
}

void PieceFinder::open_index() {
  if (auto index = farm_.piece_index()) {
    indexes_.push_back(std::move(index));
    return;
  }
  const std::filesystem::path directory = farm_.directory() / kIndexDirectoryName;
  std::error_code error;
  if (!std::filesystem::exists(directory, error)) {
    return;
  }
  try {
    indexes_.push_back(PlottedPieceIndex::open_for_lookups(directory, farm_.info().id));
  } catch (const Error& damage) {
    remarks_.push_back(directory.native() + ": " + damage.what());
  }
}

void PieceFinder::index_the_rest() {
  const std::vector<IndexedSector> sectors = farm_.plotted_sectors();
  std::vector<IndexedSector> missing;
  std::ranges::copy_if(sectors, std::back_inserter(missing), [&](const IndexedSector& sector) {
    return indexes_.empty() || !indexes_.front()->has_sector(sector);
  });
  if (missing.empty()) {
    return;
  }
  temporary_ = make_temporary_directory();
  std::shared_ptr<PlottedPieceIndex> index = PlottedPieceIndex::open(temporary_, farm_.info().id);
  for (const IndexedSector& sector : missing) {
    index->add_sector(sector, farm_.pieces_of(sector));
  }
  indexes_.push_back(std::move(index));
  remarks_.push_back((farm_.directory() / kIndexDirectoryName).native() + ": lacks the pieces of " +
                     std::to_string(missing.size()) + " of " + counted(sectors.size(), "sector") +
                     ", which were indexed for this time; plotting adds them");
}

std::vector<PiecePlace> PieceFinder::find(PieceIndex piece) const {
  std::vector<PiecePlace> places;
  for (const auto& index : indexes_) {
    for (const PlottedPiece& copy : index->find(piece)) {
      if (is_there(piece, copy)) {
        places.push_back(copy.place);
      }
    }
  }
  std::ranges::sort(places);
  return places;
}

/// Whether the sector is plotted as the index says, and holds that piece then. The second follows
/// from the id of the sector: an index that was made for something else gives no wrong piece.
bool PieceFinder::is_there(PieceIndex piece, const PlottedPiece& copy) const {
  const SectorIndex sector = copy.place.sector;
  if (sector.value() >= farm_.target_sector_count() ||
      copy.place.offset.value() >= farm_.pieces_in_sector() || farm_.is_being_modified(sector) ||
      farm_.plotted_history_size(sector) != copy.history_size) {
    return false;
  }
  return derive_piece_index(farm_.sector_id(sector, copy.history_size), copy.place.offset,
                            farm_.chain_parameters().at(copy.history_size)) == piece;
}

}  // namespace furrow
