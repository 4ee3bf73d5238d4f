// SPDX-License-Identifier: Apache-2.0
#include "host/node/cluster_piece_getter.hpp"

#include <utility>

#include "host/pieces/source_errors.hpp"

namespace furrow::node {

ClusterPieceGetter::ClusterPieceGetter(cluster::Bus& bus, SuperSegmentHeaders& headers,
                                       ClusterPieceGetterOptions options)
    : headers_(headers),
      mode_(options.mode),
      pieces_(
          bus,
          [this](PieceIndex index, const Piece& piece, const std::stop_token& stop) {
            return verify(index, piece, stop).has_value();
          },
          std::move(options.pieces)) {}

void ClusterPieceGetter::get_pieces(std::span<const PieceIndex> indices, const Sink& sink,
                                    std::stop_token stop) {
  pieces_.get_pieces(indices, sink, std::move(stop));
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

std::optional<SuperSegmentHeader> ClusterPieceGetter::verify(PieceIndex index, const Piece& piece,
                                                             const std::stop_token& stop) {
  const SuperSegmentIndex super_segment(piece.header.super_segment_index.value());
  const SuperSegmentHeaders::Answer answer = headers_.find(super_segment, stop);
  switch (answer.known) {
    case SuperSegmentHeaders::Known::kHeader:
      verify_piece(mode_, piece, index, answer.header);
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
