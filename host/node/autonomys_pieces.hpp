// SPDX-License-Identifier: Apache-2.0
// Pieces of Autonomys out of a cluster (docs/spec/09-autonomys.md, sections 3.2 and 13.2).
#pragma once

#include <memory>

#include "host/cluster/bus.hpp"
#include "host/node/cluster_pieces.hpp"

namespace furrow::node {

/// What can be checked without the network's commitments: that every chunk is an element of the field.
/// Whether the record is the right one, those who put it into the caches have checked; the network's
/// own plotter does not look either. `bus` outlives it.
std::unique_ptr<ClusterPieces<AutonomysPiece>> make_autonomys_pieces(cluster::Bus& bus,
                                                                     ClusterPiecesOptions options);

}  // namespace furrow::node
