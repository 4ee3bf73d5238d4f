// SPDX-License-Identifier: Apache-2.0
#include "host/pieces/store_places.hpp"

#include <utility>

#include "host/archive/store_layout.hpp"
#include "host/store/piece_pack.hpp"

namespace furrow {

PieceNotInPack::PieceNotInPack(const std::filesystem::path& pack, PieceIndex index)
    : Error(ErrorKind::kMismatch,
            "'" + pack.native() + "': the pack has no " + describe_piece(index)) {}

StorePlaces::StorePlaces(std::filesystem::path store, const Manifest& manifest, Warning warn)
    : store_(std::move(store)), manifest_(manifest), warn_(std::move(warn)) {
  const std::filesystem::path directory = store_ / kStoreIndexName;
  try {
    index_ = AgeTieredIndex::open_for_lookups(directory);
  } catch (const Error& error) {
    problem_ = error.what();
    this->warn("the index '" + directory.native() +
               "' cannot be used, the tables of the packs serve instead: " + *problem_);
  }
}

std::vector<std::optional<StorePlace>> StorePlaces::find(
    std::span<const PieceIndex> indices) const {
  std::vector<std::optional<StorePlace>> places(indices.size());
  if (!index_) {
    return places;
  }
  std::vector<IndexKey> keys;
  keys.reserve(indices.size());
  for (const PieceIndex index : indices) {
    const Hash& root = manifest_.segments[segment_index_of(index).value()].header.root;
    keys.push_back(piece_key(root, position_of(index).value()));
  }
  std::vector<EntryId> ids(indices.size(), kUnresolvedId);
  try {
    index_->batch_lookup(keys, ids);
  } catch (const Error& error) {
    warn(std::string("the index is damaged, the tables of the packs serve instead: ") +
         error.what());
    return places;
  }
  for (std::size_t i = 0; i < indices.size(); ++i) {
    if (ids[i] >= kDeletedId) {
      continue;
    }
    const StorePlace place = StorePlace::from_id(ids[i]);
    if (place.segment == segment_index_of(indices[i])) {
      places[i] = place;
    }
  }
  return places;
}

StorePlace StorePlaces::by_pack(PieceIndex index) const {
  const SegmentIndex segment = segment_index_of(index);
  const std::filesystem::path path = store_ / segment_pack_name(segment);
  const Lock lock(mutex_);
  auto pack = packs_.find(segment);
  if (pack == packs_.end()) {
    pack = packs_.emplace(segment, read_pack(path, segment)).first;
  }
  const std::optional<StorePlace>& place = pack->second.places[position_of(index).value()];
  if (!place) {
    if (pack->second.problem) {
      std::rethrow_exception(pack->second.problem);
    }
    throw PieceNotInPack(path, index);
  }
  return *place;
}

StorePlaces::Pack StorePlaces::read_pack(const std::filesystem::path& path, SegmentIndex segment) {
  try {
    return {places_in(PiecePack::open(path).table(), segment), nullptr};
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kCorrupt) {
      throw;
    }
    PackTable table;  // the same that the damaged one was made of
    scan_frames(File::open_read(path), table);
    return {places_in(table, segment), std::current_exception()};
  }
}

void StorePlaces::warn(const std::string& message) const {
  const Lock lock(warning_);
  warn_(message);
}

}  // namespace furrow
