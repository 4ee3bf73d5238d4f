// SPDX-License-Identifier: Apache-2.0
#include "host/node/cluster_piece_getter.hpp"

#include <algorithm>
#include <exception>
#include <set>
#include <utility>
#include <variant>

#include "host/base/counted.hpp"
#include "host/base/mutex.hpp"
#include "host/base/threads.hpp"
#include "host/pieces/source_errors.hpp"

namespace furrow::node {

using cluster::IndexedPiece;
using cluster::StreamRequest;

namespace {

/// A controller may name every cache that has a piece.
constexpr std::size_t kMostPlacesOfAPiece = 64;

/// What is wrong with the pieces of one source in one call: one line for all of them. Of one thread.
class Faults {
 public:
  void add(const std::string& text) {
    if (n_++ == 0) {
      first_ = text;
    }
  }
  void tell(const Observer<const std::string&>& on_warning, const std::string& source) const {
    if (n_ == 1) {
      on_warning(source + ": " + first_);
    } else if (n_ > 1) {
      on_warning(source + ": " + counted(n_, "fault") + ", the first: " + first_);
    }
  }

 private:
  std::uint64_t n_ = 0;
  std::string first_;
};

/// Takes the elements of a stream, no more than were asked for. Why there are not all of them; empty when
/// there are, or a stop was requested.
template <class Request>
std::string take_all(StreamRequest<Request>& stream, std::size_t most, const auto& take,
                     const std::stop_token& stop) {
  for (std::size_t n = 0; auto element = stream.next(stop); ++n) {
    if (n == most) {
      return "expected no more than " + counted(most, "element") + ", actual: more";
    }
    take(*element);
  }
  return stream.end()->is_complete() || stop.stop_requested() ? std::string() : stream.end()->text;
}

}  // namespace

/// The pieces of one call that are still wanted. Thread-safe.
class ClusterPieceGetter::Batch {
 public:
  Batch(ClusterPieceGetter& getter, std::span<const PieceIndex> indices, const Sink& sink,
        const std::stop_token& stop)
      : getter_(getter), sink_(sink), stop_(stop) {
    for (const PieceIndex index : indices) {
      wanted_.emplace(index, nullptr);
    }
  }

  /// Passes a piece on, if it is wanted and right.
  void take(const IndexedPiece& piece, Faults& faults) {
    {
      const Lock lock(mutex_);
      if (!wanted_.contains(piece.piece_index)) {
        return;  // a slot of a cache may hold another piece by now
      }
    }
    try {
      if (!getter_.verify(piece.piece_index, *piece.piece.piece, stop_).has_value()) {
        ++getter_.unverified_;
      }
    } catch (const InvalidPiece& error) {
      faults.add(error.what());
      const Lock lock(mutex_);
      const auto wanted = wanted_.find(piece.piece_index);
      if (wanted != wanted_.end()) {
        wanted->second = std::current_exception();
      }
      return;
    }
    const Lock lock(mutex_);
    if (wanted_.erase(piece.piece_index) != 0) {
      sink_(piece.piece_index, PieceAnswer::found(piece.piece.piece));
    }
  }

  [[nodiscard]] std::vector<PieceIndex> wanted() const {
    const Lock lock(mutex_);
    std::vector<PieceIndex> indices;
    indices.reserve(wanted_.size());
    for (const auto& [index, reason] : wanted_) {
      indices.push_back(index);
    }
    return indices;
  }

  /// Answers what is left: nobody else is asked for it.
  void conclude() {
    const Lock lock(mutex_);
    for (const auto& [index, error] : std::exchange(wanted_, {})) {
      sink_(index, error == nullptr ? PieceAnswer::not_found() : PieceAnswer::failed(error));
    }
  }

 private:
  ClusterPieceGetter& getter_;
  const Sink& sink_;
  const std::stop_token& stop_;
  mutable Mutex mutex_;
  /// With what was wrong about what came for it; null: nothing came.
  std::map<PieceIndex, std::exception_ptr> wanted_ FURROW_GUARDED_BY(mutex_);
};

void ClusterPieceGetter::get_pieces(std::span<const PieceIndex> indices, const Sink& sink,
                                    std::stop_token stop) {
  Batch batch(*this, indices, sink, stop);
  const Places places = find_in_caches(indices, stop);
  std::atomic<std::size_t> next = 0;
  const auto read_caches = [&](std::size_t, const std::stop_token& end) {
    for (std::size_t i = next++; i < places.size() && !end.stop_requested(); i = next++) {
      const auto& [cache, offsets] = *std::next(places.begin(), static_cast<std::ptrdiff_t>(i));
      const std::string name = "cache " + cache.to_string();
      StreamRequest<cluster::ReadPiecesRequest> stream(
          bus_, cluster::SubjectToken(cache.to_string(), "cache id"), {offsets}, options_.stream);
      Faults faults;
      const std::string why = take_all(
          stream, offsets.size(),
          [&](const cluster::ReadPiecesElement& element) {
            if (const auto* const failure = std::get_if<cluster::RemoteFailure>(&element.result)) {
              faults.add(failure->text);
            } else if (const auto& slot = std::get<cluster::CacheSlot>(element.result);
                       slot.found) {
              batch.take(*slot.found, faults);
            }
          },
          end);
      if (!why.empty()) {
        faults.add(why);
      }
      faults.tell(options_.on_warning, name);
    }
  };
  if (!places.empty()) {
    run_workers(std::min(options_.most_caches, places.size()), "cluster-cache", stop, read_caches);
  }

  std::vector<PieceIndex> wanted = batch.wanted();
  if (wanted.empty() || stop.stop_requested()) {
    return;
  }
  const std::size_t n_wanted = wanted.size();
  StreamRequest<cluster::PiecesRequest> stream(bus_, std::nullopt, {std::move(wanted)},
                                               options_.stream);
  Faults faults;
  const std::string why = take_all(
      stream, n_wanted,
      [&](const cluster::PiecesElement& element) { batch.take(element.piece, faults); }, stop);
  faults.tell(options_.on_warning, "controller");
  if (stop.stop_requested()) {
    return;
  }
  if (!why.empty()) {
    throw SourceUnavailable("controller: " + why);
  }
  batch.conclude();
}

SegmentIdentity ClusterPieceGetter::identity(SegmentIndex segment, const std::stop_token& stop) {
  constexpr std::size_t kTried = 8;  // for the case that some of them are nowhere
  std::vector<PieceIndex> indices;
  for (std::size_t i = 0; i < kTried; ++i) {
    indices.push_back(piece_index_at(segment, PiecePosition(static_cast<std::uint8_t>(i * 31))));
  }
  std::optional<SegmentIdentity> identity;
  get_pieces(
      indices,
      [&](PieceIndex index, const PieceAnswer& answer) {
        if (answer.piece != nullptr && !identity.has_value()) {
          identity = segment_identity_of(*answer.piece, segment);
          identity->super_segment = verify(index, *answer.piece, stop);
        }
      },
      stop);
  if (!identity.has_value()) {
    throw SourceUnavailable("segment " + std::to_string(segment.value()) +
                            ": no piece of it is in the cluster that would say what it is");
  }
  return *identity;
}

ClusterPieceGetter::Places ClusterPieceGetter::find_in_caches(std::span<const PieceIndex> indices,
                                                              const std::stop_token& stop) {
  StreamRequest<cluster::FindPiecesRequest> stream(
      bus_, options_.cache_group, {std::vector<PieceIndex>(indices.begin(), indices.end())},
      options_.stream);
  // One place for each piece: what is not there after all, the controller is asked for.
  std::set<PieceIndex> unplaced(indices.begin(), indices.end());
  Places places;
  const std::string why = take_all(
      stream, kMostPlacesOfAPiece * indices.size(),
      [&](const cluster::FoundPiece& found) {
        if (unplaced.erase(found.piece_index) != 0) {
          places[found.place.piece_cache_id.ulid].push_back(found.place.offset);
        }
      },
      stop);
  if (!why.empty()) {
    options_.on_warning("places of pieces in caches: " + why);
  }
  return places;
}

std::optional<SuperSegmentHeader> ClusterPieceGetter::verify(PieceIndex index, const Piece& piece,
                                                             const std::stop_token& stop) {
  const SuperSegmentIndex super_segment(piece.header.super_segment_index.value());
  const SuperSegmentHeaders::Answer answer = headers_.find(super_segment, stop);
  switch (answer.known) {
    case SuperSegmentHeaders::Known::kHeader:
      verify_piece(options_.mode, piece, index, answer.header);
      return answer.header;
    case SuperSegmentHeaders::Known::kUnknown:
      throw MisplacedPiece(index, "super segment", "one that the controller knows",
                           std::to_string(super_segment.value()));
    case SuperSegmentHeaders::Known::kNoAnswer:
      break;
  }
  return std::nullopt;
}

}  // namespace furrow::node
