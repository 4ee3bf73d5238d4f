// SPDX-License-Identifier: Apache-2.0
// Pieces out of the sectors of a farm.
#pragma once

#include <memory>
#include <mutex>

#include "furrow/piece_getter.hpp"

#include "host/base/lease_pool.hpp"
#include "host/base/observer.hpp"
#include "host/erasure/record_erasure.hpp"
#include "host/farm/farm.hpp"
#include "host/farm/piece_finder.hpp"
#include "host/pos/proof_table.hpp"

namespace furrow {

/// Reads pieces back out of plotted sectors, several at a time, each with proof tables of its own
/// (proof_table_bytes). Every piece is verified against the checksum in its sector; when one
/// copy fails, the next one is tried. A piece that no sector has is not found. Thread-safe.
///
/// Another process may plot the farm meanwhile: a sector that it has replaced is read as it is now,
/// one that it is replacing holds nothing.
class FarmPieceGetter final : public PieceGetter {
 public:
  struct Options {
    /// Pieces read at the same time, at least 1.
    unsigned threads = 1;
    unsigned k = kPosK;
    /// Told what PieceFinder remarks, when the first piece is looked for.
    Observer<const std::string&> on_remark = {};
  };

  /// `farm` must outlive the getter. See PieceFinder for the sectors that it sees.
  FarmPieceGetter(Farm& farm, const Options& options);

  void get_pieces(std::span<const PieceIndex> indices, const Sink& sink,
                  std::stop_token stop) override;

  /// The piece at one place. Throws as read_piece, SectorHoldsNothing, and InvalidArgument for a
  /// sector that is not there.
  PiecePtr read(const PiecePlace& place);

 private:
  PiecePtr read_once(const PiecePlace& place);
  const PieceFinder& finder();
  PieceAnswer answer(PieceIndex index);

  Farm& farm_;
  Options options_;
  std::once_flag finder_made_;
  std::unique_ptr<const PieceFinder> finder_;
  RecordErasure erasure_;
  LeasePool<ProofTable> tables_;
};

}  // namespace furrow
