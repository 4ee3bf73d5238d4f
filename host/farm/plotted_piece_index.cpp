// SPDX-License-Identifier: Apache-2.0
// Keys, 36 bytes, integers big-endian so that they sort by number:
//
//    0  u64       piece index                   history size (count of segments)
//    8  16 bytes  id of the farm                id of the farm
//   24  u32       copy number                   sector index
//   28  u64       0: entry of a piece           1: entry of a sector, "its pieces are here"
//
// The copies of a piece have the numbers 0, 1, 2, ... without a gap: whoever looks for all of them
// stops at the first number that is not there. Entries become durable in the order in which they
// were added, so a crash makes no gap either.
#include "host/farm/plotted_piece_index.hpp"

#include <algorithm>
#include <map>
#include <system_error>
#include <utility>

#include "furrow/errors.hpp"

#include "host/base/counted.hpp"
#include "host/base/mutex.hpp"
#include "host/farm/own_files.hpp"
#include "host/primitives/sector_id.hpp"
#include "host/store/segment_index/index_errors.hpp"

namespace furrow {
namespace {

constexpr std::uint64_t kPieceEntry = 0;
constexpr std::uint64_t kSectorEntry = 1;

/// An index that has more entries than this beside twice those of the farm is made anew.
constexpr std::uint64_t kReplacedEntriesAllowed = std::uint64_t{1} << 16;

/// Copies looked up at a time.
constexpr std::uint32_t kFirstCopies = 4;
constexpr std::uint32_t kMostCopies = 1024;

template <class T>
void put_big_endian(std::uint8_t* out, T value) {
  for (std::size_t i = 0; i < sizeof(T); ++i) {
    out[i] = static_cast<std::uint8_t>(value >> (8 * (sizeof(T) - 1 - i)));
  }
}

IndexKey make_key(std::uint64_t first, const Ulid& farm_id, std::uint32_t second,
                  std::uint64_t kind) {
  IndexKey key;
  put_big_endian(key.data(), first);
  std::ranges::copy(farm_id.bytes, key.data() + 8);
  put_big_endian(key.data() + 24, second);
  put_big_endian(key.data() + 28, kind);
  return key;
}

IndexKey key_of_copy(PieceIndex piece, const Ulid& farm_id, std::uint32_t copy) {
  return make_key(piece.value(), farm_id, copy, kPieceEntry);
}

IndexKey key_of_sector(const IndexedSector& sector, const Ulid& farm_id) {
  return make_key(sector.history_size.count(), farm_id, sector.index.value(), kSectorEntry);
}

/// History size, sector and offset. Heights are below 2^31, hence no id is a reserved one.
EntryId pack(const IndexedSector& sector, std::uint16_t offset) {
  return static_cast<EntryId>(height_of(sector.history_size)) << 32 |
         static_cast<EntryId>(sector.index.value()) << 16 | offset;
}

PlottedPiece unpack(EntryId id) {
  return {.place = {SectorIndex(static_cast<std::uint16_t>(id >> 16)),
                    PieceOffset(static_cast<std::uint16_t>(id))},
          .history_size = HistorySize::from_count(id >> 32)};
}

}  // namespace

std::vector<PieceIndex> pieces_of_sector(const SectorId& sector_id, const FarmerProtocolInfo& info,
                                         std::uint16_t pieces_in_sector) {
  std::vector<PieceIndex> pieces;
  pieces.reserve(pieces_in_sector);
  for (std::uint16_t offset = 0; offset < pieces_in_sector; ++offset) {
    pieces.push_back(derive_piece_index(sector_id, PieceOffset(offset), info));
  }
  return pieces;
}

PlottedPieceIndex::PlottedPieceIndex(std::shared_ptr<const AgeTieredIndex> lookups,
                                     AgeTieredIndex* writable, const Ulid& farm_id)
    : lookups_(std::move(lookups)), writable_(writable), farm_id_(farm_id) {}

std::unique_ptr<PlottedPieceIndex> PlottedPieceIndex::open(const std::filesystem::path& directory,
                                                           const Ulid& farm_id) {
  std::shared_ptr<AgeTieredIndex> index =
      AgeTieredIndex::open(directory, {.memory_entries = kEntriesInMemory});
  AgeTieredIndex* writable = index.get();
  return std::unique_ptr<PlottedPieceIndex>(
      new PlottedPieceIndex(std::move(index), writable, farm_id));
}

std::unique_ptr<const PlottedPieceIndex> PlottedPieceIndex::open_for_lookups(
    const std::filesystem::path& directory, const Ulid& farm_id) {
  return std::unique_ptr<const PlottedPieceIndex>(
      new PlottedPieceIndex(AgeTieredIndex::open_for_lookups(directory), nullptr, farm_id));
}

AgeTieredIndex& PlottedPieceIndex::writable() const {
  if (writable_ == nullptr) {
    throw InvalidArgument("index of plotted pieces: open for lookups only");
  }
  return *writable_;
}

void PlottedPieceIndex::add_sector(const IndexedSector& sector,
                                   std::span<const PieceIndex> pieces) {
  const Lock lock(adding_);
  AgeTieredIndex& index = writable();
  if (has_sector(sector)) {
    return;
  }
  std::vector<PieceIndex> distinct(pieces.begin(), pieces.end());
  std::ranges::sort(distinct);
  distinct.erase(std::unique(distinct.begin(), distinct.end()), distinct.end());
  std::vector<std::uint32_t> next_copy = count_copies(distinct);

  const std::int32_t height = height_of(sector.history_size);
  std::vector<IndexEntry> entries;
  entries.reserve(pieces.size() + 1);
  for (std::size_t offset = 0; offset < pieces.size(); ++offset) {
    const auto place = std::ranges::lower_bound(distinct, pieces[offset]) - distinct.begin();
    const std::uint32_t copy = next_copy[static_cast<std::size_t>(place)]++;
    entries.push_back({.key = key_of_copy(pieces[offset], farm_id_, copy),
                       .height = height,
                       .id = pack(sector, static_cast<std::uint16_t>(offset))});
  }
  entries.push_back({.key = key_of_sector(sector, farm_id_), .height = height, .id = 0});
  index.append(entries);
}

/// Number of copies of each piece: the first number without an entry, found by doubling the step
/// and then halving the gap, for all pieces at the same time.
std::vector<std::uint32_t> PlottedPieceIndex::count_copies(
    std::span<const PieceIndex> pieces) const {
  struct Search {
    std::uint32_t low = 0;              // all numbers below have an entry
    std::optional<std::uint32_t> high;  // this one has none
    std::uint32_t step = 1;
    [[nodiscard]] bool is_done() const { return high == low; }
    [[nodiscard]] std::uint32_t probe() const {
      return high ? low + (*high - low) / 2 : low + step - 1;
    }
  };
  std::vector<Search> searches(pieces.size());
  for (;;) {
    std::vector<std::size_t> asked;
    std::vector<IndexKey> keys;
    for (std::size_t i = 0; i < pieces.size(); ++i) {
      if (!searches[i].is_done()) {
        asked.push_back(i);
        keys.push_back(key_of_copy(pieces[i], farm_id_, searches[i].probe()));
      }
    }
    if (asked.empty()) {
      break;
    }
    std::vector<EntryId> ids(keys.size(), kUnresolvedId);
    lookups_->batch_lookup(keys, ids);
    for (std::size_t i = 0; i < asked.size(); ++i) {
      Search& search = searches[asked[i]];
      const std::uint32_t probe = search.probe();
      if (ids[i] == kUnresolvedId) {
        search.high = probe;
      } else {
        search.low = probe + 1;
        search.step *= 2;
      }
    }
  }
  std::vector<std::uint32_t> counts;
  counts.reserve(searches.size());
  for (const Search& search : searches) {
    counts.push_back(search.low);
  }
  return counts;
}

void PlottedPieceIndex::flush() {
  AgeTieredIndex& index = writable();
  index.flush();
  while (index.compact()) {
  }
}

bool PlottedPieceIndex::has_sector(const IndexedSector& sector) const {
  return lookups_->lookup(key_of_sector(sector, farm_id_)).has_value();
}

std::vector<PlottedPiece> PlottedPieceIndex::find(PieceIndex piece) const {
  std::vector<PlottedPiece> found;
  std::vector<IndexKey> keys;
  for (std::uint32_t n = kFirstCopies;; n = std::min(2 * n, kMostCopies)) {
    keys.clear();
    for (std::uint32_t i = 0; i < n; ++i) {
      keys.push_back(key_of_copy(piece, farm_id_, static_cast<std::uint32_t>(found.size()) + i));
    }
    std::vector<EntryId> ids(n, kUnresolvedId);
    lookups_->batch_lookup(keys, ids);
    for (const EntryId id : ids) {
      if (id == kUnresolvedId) {
        return found;
      }
      found.push_back(unpack(id));
    }
  }
}

std::uint64_t PlottedPieceIndex::entry_count() const {
  const IndexStatus status = lookups_->status();
  return status.entries_in_memory + status.entries_on_disk;
}

namespace {

std::size_t add_missing(
    PlottedPieceIndex& index, std::span<const IndexedSector> sectors,
    std::uint16_t pieces_in_sector,
    const std::function<std::vector<PieceIndex>(const IndexedSector&)>& pieces_of) {
  const std::uint64_t wanted = sectors.size() * (std::uint64_t{pieces_in_sector} + 1);
  if (index.entry_count() > 2 * wanted + kReplacedEntriesAllowed) {
    throw MalformedData("holds " + counted(index.entry_count(), "entry", "entries") + " for " +
                        counted(sectors.size(), "sector") + ", most of them replaced");
  }
  std::size_t n_missing = 0;
  for (const IndexedSector& sector : sectors) {
    if (!index.has_sector(sector)) {
      index.add_sector(sector, pieces_of(sector));
      ++n_missing;
    }
  }
  index.flush();
  return n_missing;
}

}  // namespace

std::unique_ptr<PlottedPieceIndex> open_piece_index(
    const std::filesystem::path& directory, const Ulid& farm_id,
    std::span<const IndexedSector> sectors, std::uint16_t pieces_in_sector,
    const std::function<std::vector<PieceIndex>(const IndexedSector&)>& pieces_of,
    const Observer<const std::string&>& warn) {
  const auto do_without = [&](const Error& error) {
    warn(directory.native() + ": " + error.what() + "; going on without it");
    return nullptr;
  };
  for (const bool is_second_try : {false, true}) {
    try {
      auto index = PlottedPieceIndex::open(directory, farm_id);
      const std::size_t n_missing = add_missing(*index, sectors, pieces_in_sector, pieces_of);
      if (n_missing > 0) {
        warn(directory.native() + ": lacked the pieces of " + std::to_string(n_missing) + " of " +
             counted(sectors.size(), "sector") + ", which were added");
      }
      return index;
    } catch (const IndexInUse& error) {
      return do_without(error);
    } catch (const Error& error) {
      if (is_second_try) {
        return do_without(error);
      }
      warn(directory.native() + ": " + error.what() + "; it is made anew");
    }
    remove_own_files(directory, is_segment_index_name);  // what stays makes the second try fail
  }
  return nullptr;
}

}  // namespace furrow
