// SPDX-License-Identifier: Apache-2.0
#include "host/pieces/store_piece_getter.hpp"

#include <algorithm>
#include <cerrno>
#include <numeric>
#include <utility>

#include "host/archive/piece_validation.hpp"
#include "host/archive/store_layout.hpp"
#include "host/pieces/source_errors.hpp"
#include "host/store/piece_pack.hpp"

namespace furrow {
namespace {

/// The frame at a place. Throws DamagedPack when there is none, WrongPieceInFrame when it is not
/// that of the piece.
PackEntry frame_of(const PackFrames& pack, PieceIndex index, const StorePlace& place) {
  const PackEntry frame = pack.frame_at(place.offset);
  const PieceIndex key(frame.header.key.value());
  // A shared frame was stored for an earlier piece with the same bytes. That it is this piece, too,
  // the proofs show.
  const bool is_right = place.is_shared ? segment_index_of(key) == segment_index_of(index) &&
                                              key.value() < index.value()
                                        : key == index;
  if (!is_right) {
    throw WrongPieceInFrame(pack.path(), index, key.value());
  }
  return frame;
}

}  // namespace

WrongPieceInFrame::WrongPieceInFrame(const std::filesystem::path& pack, PieceIndex expected,
                                     std::uint64_t actual)
    : Error(ErrorKind::kMismatch, "'" + pack.native() + "': expected " + describe_piece(expected) +
                                      ", actual piece index " + std::to_string(actual)) {}

/// The pack last used by a batch, so that neighbouring pieces open it once.
class StorePieceGetter::OpenPack {
 public:
  /// Null when the file is absent.
  const PackFrames* get(const std::filesystem::path& store, SegmentIndex segment) {
    if (segment_ != segment) {
      pack_.reset();
      segment_.reset();
      try {
        pack_ = PackFrames::open(store / segment_pack_name(segment));
      } catch (const IoError& error) {
        if (error.error_number() != ENOENT) {
          throw;
        }
      }
      segment_ = segment;
    }
    return pack_ ? &*pack_ : nullptr;
  }

 private:
  std::optional<SegmentIndex> segment_;
  std::optional<PackFrames> pack_;
};

StorePieceGetter::StorePieceGetter(std::filesystem::path store, StorePieceGetterOptions options)
    : store_(std::move(store)),
      manifest_(Manifest::load(store_ / kManifestFileName)),
      places_(store_, manifest_, std::move(options.on_warning)),
      pools_(std::move(options.block_source)),
      on_missing_pack_(std::move(options.on_missing_pack)) {}

void StorePieceGetter::get_pieces(std::span<const PieceIndex> indices, const Sink& sink,
                                  std::stop_token stop) {
  std::vector<PieceIndex> known;
  for (const PieceIndex index : indices) {
    if (segment_index_of(index).value() < manifest_.segments.size()) {
      known.push_back(index);
    } else {
      sink(index, PieceAnswer::not_found());
    }
  }
  const std::vector<std::optional<StorePlace>> places = places_.find(known);
  std::vector<std::size_t> order(known.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  // Pieces of a pack lie in their order.
  std::sort(order.begin(), order.end(),
            [&](std::size_t a, std::size_t b) { return known[a] < known[b]; });

  OpenPack open;
  const PiecePools::Lease pool = pools_.take();
  for (const std::size_t i : order) {
    if (stop.stop_requested()) {
      return;
    }
    PieceAnswer answer;
    try {
      answer = read(known[i], places[i], open, *pool);
    } catch (const Error&) {
      static_cast<void>(pool->get_data_owned());  // what came of the piece
      answer = PieceAnswer::failed(std::current_exception());
    }
    sink(known[i], std::move(answer));
  }
}

PieceAnswer StorePieceGetter::read(PieceIndex index, const std::optional<StorePlace>& place,
                                   OpenPack& open, BufferPool& pool) const {
  const SegmentIndex segment = segment_index_of(index);
  const PackFrames* pack = open.get(store_, segment);
  if (pack == nullptr) {
    note_missing_pack(segment);
    return PieceAnswer::not_found();
  }
  const PackEntry frame = find_frame(*pack, index, place);
  pack->read(frame, pool.get_writable(kPieceSize));
  PiecePtr piece = piece_in(pool.get_data_owned());
  verify_piece_of_segment(SimdMode::kBest, *piece, position_of(index),
                          manifest_.segment_identity(segment));
  return PieceAnswer::found(std::move(piece));
}

/// Throws StoreGone when it is not a pack alone that is missing.
void StorePieceGetter::require_store() const {
  std::error_code error;
  if (!std::filesystem::exists(store_ / kManifestFileName, error)) {
    throw StoreGone("the store '" + store_.native() + "' is gone: expected " + kManifestFileName +
                    " there, " + (error ? error.message() : "actual none"));
  }
}

void StorePieceGetter::note_missing_pack(SegmentIndex segment) const {
  require_store();
  const Lock lock(mutex_);
  if (missing_packs_.insert(segment).second && on_missing_pack_) {
    on_missing_pack_("'" + (store_ / segment_pack_name(segment)).native() + "' is missing");
  }
}

/// The frame that the index names, unless it is not that of the piece and the pack says another.
PackEntry StorePieceGetter::find_frame(const PackFrames& pack, PieceIndex index,
                                       const std::optional<StorePlace>& place) const {
  if (place) {
    try {
      return frame_of(pack, index, *place);
    } catch (const Error& error) {
      if (error.kind() == ErrorKind::kIo || places_.by_pack(index) == place) {
        throw;  // the index is right, the frame is damaged
      }
    }
  }
  const StorePlace by_pack = places_.by_pack(index);
  if (!places_.problem()) {
    places_.warn("the index does not say where " + describe_piece(index) +
                 " is, the table of its pack does");
  }
  return frame_of(pack, index, by_pack);
}

std::optional<SegmentPackProblem> StorePieceGetter::check_pack(SegmentIndex segment) const {
  const std::filesystem::path path = store_ / segment_pack_name(segment);
  try {
    const SegmentPlaces places = places_in(PiecePack::open(path).table(), segment);
    const auto missing = std::ranges::find_if(places, [](const auto& place) { return !place; });
    if (missing != places.end()) {
      throw PieceNotInPack(
          path, piece_index_at(segment,
                               PiecePosition(static_cast<std::uint8_t>(missing - places.begin()))));
    }
    return std::nullopt;
  } catch (const IoError& error) {
    require_store();
    return SegmentPackProblem{
        segment,
        error.error_number() == ENOENT ? "'" + path.native() + "' is missing" : error.what(),
        /*is_unreadable=*/true};
  } catch (const Error& error) {
    return SegmentPackProblem{segment, error.what(), /*is_unreadable=*/false};
  }
}

std::vector<SegmentPackProblem> StorePieceGetter::check_files() const {
  std::vector<SegmentPackProblem> problems;
  for (std::uint64_t i = 0; i < manifest_.segments.size(); ++i) {
    if (std::optional<SegmentPackProblem> problem = check_pack(SegmentIndex(i))) {
      problems.push_back(*std::move(problem));
    }
  }
  return problems;
}

}  // namespace furrow
