// SPDX-License-Identifier: Apache-2.0
// Pieces of Abundance out of a cluster, verified against the headers of their super segments
// (docs/spec/07-cluster-protocol.md, section 8.3).
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <stop_token>

#include "furrow/piece_getter.hpp"

#include "host/archive/piece_validation.hpp"
#include "host/base/simd_mode.hpp"
#include "host/cluster/bus.hpp"
#include "host/node/cluster_pieces.hpp"
#include "host/node/super_segment_headers.hpp"

namespace furrow::node {

struct ClusterPieceGetterOptions {
  ClusterPiecesOptions pieces = {};
  SimdMode mode = SimdMode::kBest;
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
                     ClusterPieceGetterOptions options);

  void get_pieces(std::span<const PieceIndex> indices, const Sink& sink,
                  std::stop_token stop) override;

  /// What pieces of a segment are verified against, as a piece of it tells that is in the cluster. Throws
  /// SourceUnavailable when there is none to be had.
  [[nodiscard]] SegmentIdentity identity(SegmentIndex segment, const std::stop_token& stop);

  /// Pieces that were passed on though nobody could say whether they are right.
  [[nodiscard]] std::uint64_t unverified() const { return pieces_.unverified(); }

 private:
  /// Returns the header that it was verified against; none when nobody knows it.
  std::optional<SuperSegmentHeader> verify(PieceIndex index, const Piece& piece,
                                           const std::stop_token& stop);

  SuperSegmentHeaders& headers_;
  const SimdMode mode_;
  ClusterPieces<Piece> pieces_;
};

}  // namespace furrow::node
