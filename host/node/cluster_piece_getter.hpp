// SPDX-License-Identifier: Apache-2.0
// Pieces out of a cluster: from its caches, then from its controller
// (docs/spec/07-cluster-protocol.md, section 8.3).
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "furrow/piece_getter.hpp"

#include "host/archive/piece_validation.hpp"
#include "host/base/observer.hpp"
#include "host/base/simd_mode.hpp"
#include "host/cluster/bus.hpp"
#include "host/cluster/piece_messages.hpp"
#include "host/cluster/stream_requester.hpp"
#include "host/cluster/subjects.hpp"
#include "host/node/super_segment_headers.hpp"

namespace furrow::node {

struct ClusterPieceGetterOptions {
  /// Whose caches are asked.
  cluster::SubjectToken cache_group = cluster::global_cache_group();
  cluster::StreamRequesterOptions stream = {};
  /// That are read at the same time.
  std::size_t most_caches = 8;
  SimdMode mode = SimdMode::kBest;
  /// Gets lines about what is wrong but harmless. Called on the threads that ask.
  Observer<const std::string&> on_warning = {};
};

/// Every piece is verified against the header of its super segment; where the controller gives none, it is
/// passed on as it is and counted.
///
/// Answers: found; not found when the controller has looked for it; failed with an InvalidPiece when what
/// came was not that piece. Throws SourceUnavailable when the controller does not answer to the end.
/// Thread-safe.
class ClusterPieceGetter final : public PieceGetter {
 public:
  /// `bus` and `headers` outlive it.
  ClusterPieceGetter(cluster::Bus& bus, SuperSegmentHeaders& headers,
                     ClusterPieceGetterOptions options)
      : bus_(bus), headers_(headers), options_(std::move(options)) {}

  void get_pieces(std::span<const PieceIndex> indices, const Sink& sink,
                  std::stop_token stop) override;

  /// What pieces of a segment are verified against, as a piece of it tells that is in the cluster. Throws
  /// SourceUnavailable when there is none to be had.
  [[nodiscard]] SegmentIdentity identity(SegmentIndex segment, const std::stop_token& stop);

  /// Pieces that were passed on though nobody could say whether they are right.
  [[nodiscard]] std::uint64_t unverified() const { return unverified_; }

 private:
  class Batch;
  using Places = std::map<Ulid, std::vector<cluster::CacheOffset>>;

  [[nodiscard]] Places find_in_caches(std::span<const PieceIndex> indices,
                                      const std::stop_token& stop);
  /// Returns the header that it was verified against; none when nobody knows it.
  std::optional<SuperSegmentHeader> verify(PieceIndex index, const Piece& piece,
                                           const std::stop_token& stop);

  cluster::Bus& bus_;
  SuperSegmentHeaders& headers_;
  const ClusterPieceGetterOptions options_;
  std::atomic<std::uint64_t> unverified_ = 0;
};

}  // namespace furrow::node
