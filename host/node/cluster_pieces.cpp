// SPDX-License-Identifier: Apache-2.0
#include "host/node/cluster_pieces.hpp"

#include <algorithm>
#include <exception>
#include <optional>
#include <set>
#include <utility>
#include <variant>

#include "host/archive/piece_validation.hpp"
#include "host/base/counted.hpp"
#include "host/base/mutex.hpp"
#include "host/base/threads.hpp"
#include "host/pieces/source_errors.hpp"

namespace furrow::node {

using cluster::StreamRequest;

namespace {

/// A controller may name every cache that has a piece.
constexpr std::size_t kMostPlacesOfAPiece = 64;

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

/// What is wrong with the pieces of one source in one call: one line for all of them. Of one thread.
class SourceFaults {
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

/// The pieces of one call that are still wanted. Thread-safe.
template <class P>
class ClusterPieces<P>::Batch {
 public:
  Batch(ClusterPieces& getter, std::span<const PieceIndex> indices, const Sink& sink,
        const std::stop_token& stop)
      : getter_(getter), sink_(sink), stop_(stop) {
    for (const PieceIndex index : indices) {
      wanted_.emplace(index, nullptr);
    }
  }

  /// Passes a piece on, if it is wanted and right.
  void take(const cluster::IndexedPieceOf<P>& piece, SourceFaults& faults) {
    {
      const Lock lock(mutex_);
      if (!wanted_.contains(piece.piece_index)) {
        return;  // a slot of a cache may hold another piece by now
      }
    }
    try {
      if (!getter_.check_(piece.piece_index, *piece.piece.piece, stop_)) {
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
      sink_(piece.piece_index, PieceAnswerOf<P>::found(piece.piece.piece));
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
      sink_(index,
            error == nullptr ? PieceAnswerOf<P>::not_found() : PieceAnswerOf<P>::failed(error));
    }
  }

 private:
  ClusterPieces& getter_;
  const Sink& sink_;
  const std::stop_token& stop_;
  mutable Mutex mutex_;
  /// With what was wrong about what came for it; null: nothing came.
  std::map<PieceIndex, std::exception_ptr> wanted_ FURROW_GUARDED_BY(mutex_);
};

template <class P>
void ClusterPieces<P>::get_pieces(std::span<const PieceIndex> indices, const Sink& sink,
                                  std::stop_token stop) {
  Batch batch(*this, indices, sink, stop);
  const Places places = find_in_caches(indices, stop);
  std::atomic<std::size_t> next = 0;
  const auto read_caches = [&](std::size_t, const std::stop_token& end) {
    for (std::size_t i = next++; i < places.size() && !end.stop_requested(); i = next++) {
      const auto& [cache, offsets] = *std::next(places.begin(), static_cast<std::ptrdiff_t>(i));
      const std::string name = "cache " + cache.to_string();
      StreamRequest<cluster::ReadPiecesRequestOf<P>> stream(
          bus_, cluster::SubjectToken(cache.to_string(), "cache id"), {offsets}, options_.stream);
      SourceFaults faults;
      const std::string why = take_all(
          stream, offsets.size(),
          [&](const cluster::ReadPiecesElementOf<P>& element) {
            if (const auto* const failure = std::get_if<cluster::RemoteFailure>(&element.result)) {
              faults.add(failure->text);
            } else if (const auto& slot = std::get<cluster::CacheSlotOf<P>>(element.result);
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
  StreamRequest<cluster::PiecesRequestOf<P>> stream(bus_, std::nullopt, {std::move(wanted)},
                                                    options_.stream);
  SourceFaults faults;
  const std::string why = take_all(
      stream, n_wanted,
      [&](const cluster::PiecesElementOf<P>& element) { batch.take(element.piece, faults); }, stop);
  faults.tell(options_.on_warning, "controller");
  if (stop.stop_requested()) {
    return;
  }
  if (!why.empty()) {
    throw SourceUnavailable("controller: " + why);
  }
  batch.conclude();
}

template <class P>
typename ClusterPieces<P>::Places ClusterPieces<P>::find_in_caches(
    std::span<const PieceIndex> indices, const std::stop_token& stop) {
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

template class ClusterPieces<Piece>;
template class ClusterPieces<AutonomysPiece>;

}  // namespace furrow::node
