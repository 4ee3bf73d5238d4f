// SPDX-License-Identifier: Apache-2.0
#include "host/plotting/download_sector.hpp"

#include <exception>
#include <map>
#include <span>
#include <string>
#include <utility>

#include "host/base/foreign_error.hpp"
#include "host/crypto/blake3.hpp"
#include "host/pieces/source_errors.hpp"
#include "host/primitives/sector_id.hpp"

namespace furrow {
namespace {

/// Offsets of a sector that still want each piece.
class MissingPieces {
 public:
  MissingPieces(std::span<const PieceIndex> piece_indexes, RawSector& sector) : sector_(sector) {
    for (std::size_t offset = 0; offset < piece_indexes.size(); ++offset) {
      offsets_[piece_indexes[offset]].push_back(offset);
    }
  }

  /// Copies the piece to every offset that wants it; pieces that nobody wants (any more) are
  /// ignored.
  void fill(PieceIndex index, const Piece& piece) {
    const auto found = offsets_.find(index);
    if (found == offsets_.end()) {
      return;
    }
    const Hash checksum = blake3(bytes_of(piece));
    for (const std::size_t offset : found->second) {
      sector_.all_records()[offset] = piece.record;
      sector_.metadata[offset] = {piece.header, checksum};
    }
    offsets_.erase(found);
  }

  [[nodiscard]] std::vector<PieceIndex> indexes() const {
    std::vector<PieceIndex> result;
    for (const auto& entry : offsets_) {
      result.push_back(entry.first);
    }
    return result;
  }

 private:
  std::map<PieceIndex, std::vector<std::size_t>> offsets_;
  RawSector& sector_;
};

/// Gets everything; throws a PlottingError when it cannot.
void get_all(MissingPieces& missing, const DownloadOptions& options, const std::stop_token& stop) {
  std::optional<Permits::Permit> turn;
  if (options.turns != nullptr && !(turn = options.turns->acquire(stop))) {
    return;
  }
  const std::vector<PieceIndex> indexes = missing.indexes();
  std::size_t n_unanswered = indexes.size();
  std::optional<PieceIndex> failed;
  std::exception_ptr why;
  try {
    options.piece_getter.get_pieces(
        indexes,
        [&](PieceIndex index, const PieceAnswer& answer) {
          if (answer.piece != nullptr) {
            missing.fill(index, *answer.piece);
          } else if (!failed.has_value()) {
            failed = index;
            why = answer.error;
          }
          if (n_unanswered > 0 && --n_unanswered <= options.tail) {
            turn.reset();
          }
        },
        stop);
  } catch (...) {
    // Getters may be somebody else's, and throw what they like.
    throw FailedToRetrievePieces(message_of(std::current_exception()),
                                 kind_of(std::current_exception()));
  }
  if (stop.stop_requested()) {
    return;
  }
  if (failed.has_value()) {
    throw why != nullptr
        ? PieceRecoveryFailed(*failed, kind_of(why), message_of(why))
        : PieceRecoveryFailed(*failed, ErrorKind::kUnavailable, "no source has it");
  }
  const std::size_t left = missing.indexes().size();
  if (left != 0) {
    throw FailedToRetrievePieces(std::to_string(left) + " of " + std::to_string(indexes.size()) +
                                 " pieces were neither delivered nor refused");
  }
}

}  // namespace

std::optional<DownloadedSector> download_sector(const SectorPlan& plan,
                                                const DownloadOptions& options,
                                                const std::stop_token& stop) {
  return download_sector(plan, options, stop, RawSector(plan.pieces_in_sector));
}

std::optional<DownloadedSector> download_sector(const SectorPlan& plan,
                                                const DownloadOptions& options,
                                                const std::stop_token& stop, RawSector memory) {
  if (memory.metadata.size() != plan.pieces_in_sector) {
    throw InvalidArgument("memory of a sector: expected room for " +
                          std::to_string(plan.pieces_in_sector) + " records, actual " +
                          std::to_string(memory.metadata.size()));
  }
  DownloadedSector sector{derive_sector_id(plan.public_key_hash, plan.shard_commitments_root,
                                           plan.sector_index, plan.protocol_info.history_size),
                          plan.sector_index,
                          {},
                          std::move(memory),
                          plan.protocol_info.history_size};
  for (std::uint16_t offset = 0; offset < plan.pieces_in_sector; ++offset) {
    sector.piece_indexes.push_back(
        derive_piece_index(sector.sector_id, PieceOffset(offset), plan.protocol_info));
  }
  MissingPieces missing(sector.piece_indexes, sector.raw_sector);

  try {
    get_all(missing, options, stop);
  } catch (const PlottingError&) {
    if (!stop.stop_requested()) {  // what failed because of it is no failure
      throw;
    }
  }
  return stop.stop_requested() ? std::nullopt : std::optional(std::move(sector));
}

}  // namespace furrow
