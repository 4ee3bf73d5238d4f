// SPDX-License-Identifier: Apache-2.0
// Pieces out of a cluster: from its caches, then from its controller
// (docs/spec/07-cluster-protocol.md, section 8.3; docs/spec/09-autonomys.md, section 13.2). What is a right
// piece is decided by whoever uses this.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "furrow/piece_getter.hpp"

#include "host/base/observer.hpp"
#include "host/cluster/bus.hpp"
#include "host/cluster/piece_messages.hpp"
#include "host/cluster/stream_requester.hpp"
#include "host/cluster/subjects.hpp"

namespace furrow::node {

struct ClusterPiecesOptions {
  /// Whose caches are asked.
  cluster::SubjectToken cache_group = cluster::global_cache_group();
  /// Its network is that of the pieces, whatever is set.
  cluster::StreamRequesterOptions stream = {};
  /// That are read at the same time.
  std::size_t most_caches = 8;
  /// Gets lines about what is wrong but harmless. Called on the threads that ask.
  Observer<const std::string&> on_warning = {};
};

/// Whether a piece that came under an index is that piece; false when nobody can say. Throws InvalidPiece.
/// Thread-safe.
template <class P>
using CheckPiece = std::function<bool(PieceIndex, const P&, const std::stop_token&)>;

/// Answers: found; not found when the controller has looked for it; failed with an InvalidPiece when what
/// came was not that piece. Throws SourceUnavailable when the controller does not answer to the end.
/// Thread-safe.
template <class P>
class ClusterPieces final : public PieceGetterOf<P> {
 public:
  using typename PieceGetterOf<P>::Sink;

  /// `bus` outlives it.
  ClusterPieces(cluster::Bus& bus, CheckPiece<P> check, ClusterPiecesOptions options)
      : bus_(bus), check_(std::move(check)), options_(std::move(options)) {
    options_.stream.network = kNetworkOf<P>;
  }

  void get_pieces(std::span<const PieceIndex> indices, const Sink& sink,
                  std::stop_token stop) override;

  /// Pieces that were passed on though nobody could say whether they are right.
  [[nodiscard]] std::uint64_t unverified() const { return unverified_; }

 private:
  class Batch;
  using Places = std::map<Ulid, std::vector<cluster::CacheOffset>>;

  [[nodiscard]] Places find_in_caches(std::span<const PieceIndex> indices,
                                      const std::stop_token& stop);

  cluster::Bus& bus_;
  const CheckPiece<P> check_;
  ClusterPiecesOptions options_;
  std::atomic<std::uint64_t> unverified_ = 0;
};

extern template class ClusterPieces<Piece>;
extern template class ClusterPieces<AutonomysPiece>;

}  // namespace furrow::node
