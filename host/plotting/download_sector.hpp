// SPDX-License-Identifier: Apache-2.0
// First stage of plotting: the pieces of a sector (docs/spec/03-record-encoding-and-sector.md, section 6.1).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <stop_token>
#include <vector>

#include "furrow/piece_getter.hpp"
#include "furrow/types.hpp"

#include "host/base/permits.hpp"
#include "host/plotting/plotting_errors.hpp"
#include "host/plotting/raw_sector.hpp"

namespace furrow {

/// Where a sector is, and of what: everything that decides its contents.
struct SectorPlan {
  Network network = Network::kAbundance;
  Hash public_key_hash;
  Hash shard_commitments_root;  ///< of Abundance only
  SectorIndex sector_index;
  FarmerProtocolInfo protocol_info;
  std::uint16_t pieces_in_sector = 0;
};

struct DownloadedSector {
  SectorId sector_id;
  SectorIndex sector_index;
  std::vector<PieceIndex> piece_indexes;  ///< by piece offset
  RawSector raw_sector;
  HistorySize history_size;
};

struct DownloadOptions {
  /// Gets every piece that can be had, and rebuilds what it can (RecoveringPieceGetter): there is
  /// no second attempt.
  PieceGetterRef piece_getter;
  /// When set, the download takes one first, and gives it back when no more than `tail` pieces are
  /// unanswered: the sources then serve one sector after another and do not run dry in between.
  Permits* turns = nullptr;
  std::size_t tail = 8;
  /// The pieces are asked for in so many batches at once, each on a thread of its own as far as the
  /// system starts them: for a getter that computes on the thread that asks, as a store does.
  std::size_t batches = 1;
};

/// Downloads the pieces of a sector into `memory`, which has room for them. Each distinct piece is
/// requested once and copied to every offset that wants it. None only when a stop was requested.
/// Throws InvalidArgument for a getter or memory of another network than that of the plan,
/// FailedToRetrievePieces, for whatever the getter throws and for pieces left unanswered,
/// and PieceRecoveryFailed for the first one that it could not get.
std::optional<DownloadedSector> download_sector(const SectorPlan& plan,
                                                const DownloadOptions& options,
                                                const std::stop_token& stop, RawSector memory);
/// Into memory of its own.
std::optional<DownloadedSector> download_sector(const SectorPlan& plan,
                                                const DownloadOptions& options,
                                                const std::stop_token& stop);

}  // namespace furrow
