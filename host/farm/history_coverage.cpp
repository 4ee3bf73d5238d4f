// SPDX-License-Identifier: Apache-2.0
#include "host/farm/history_coverage.hpp"

#include <string>
#include <vector>

#include "furrow/errors.hpp"

#include "host/base/counted.hpp"
#include "host/farm/space.hpp"
#include "host/primitives/sector_id.hpp"

namespace furrow {
namespace {

FarmerProtocolInfo with_history(FarmerProtocolInfo info, HistorySize history_size) {
  info.history_size = history_size;
  return info;
}

/// Which pieces of a history are there, and how many segments still have too few of them.
class Coverage {
 public:
  explicit Coverage(std::uint64_t segments)
      : is_there_(segments * kNumPieces), pieces_(segments), missing_segments_(segments) {}

  void add(PieceIndex piece) {
    if (piece.value() >= is_there_.size() || is_there_[piece.value()]) {
      return;
    }
    is_there_[piece.value()] = true;
    if (++pieces_[segment_index_of(piece).value()] == kNumRawRecords) {
      --missing_segments_;
    }
  }

  void add_sector(const SectorId& sector_id, const FarmerProtocolInfo& info,
                  std::uint16_t pieces_in_sector) {
    for (std::uint16_t offset = 0; offset < pieces_in_sector; ++offset) {
      add(derive_piece_index(sector_id, PieceOffset(offset), info));
    }
  }

  [[nodiscard]] bool is_complete() const { return missing_segments_ == 0; }
  [[nodiscard]] std::uint64_t missing_segments() const { return missing_segments_; }

 private:
  std::vector<bool> is_there_;
  std::vector<std::uint16_t> pieces_;  // of each segment
  std::uint64_t missing_segments_;
};

[[noreturn]] void throw_too_many(std::uint64_t segments, std::uint16_t pieces_in_sector,
                                 const std::string& detail) {
  throw InvalidArgument("a history of " + counted(segments, "segment") + " does not fit into " +
                        std::to_string(kMaxSectors) + " sectors of " +
                        counted(pieces_in_sector, "piece") + detail);
}

}  // namespace

std::uint16_t sectors_to_cover_history(const Hash& public_key_hash,
                                       const Hash& shard_commitments_root,
                                       const FarmerProtocolInfo& info,
                                       std::uint16_t pieces_in_sector,
                                       std::span<const std::optional<PlottedSectorId>> existing) {
  if (pieces_in_sector == 0) {
    throw InvalidArgument("pieces in sector: expected at least 1, actual 0");
  }
  if (existing.size() > kMaxSectors) {
    throw InvalidArgument("sectors in farm: expected at most " + std::to_string(kMaxSectors) +
                          ", actual " + std::to_string(existing.size()));
  }
  const std::uint64_t segments = info.history_size.count();
  // Even without a single duplicate it takes this many pieces; says so before memory is asked for.
  if (segments > std::uint64_t{kMaxSectors} * pieces_in_sector / kNumRawRecords) {
    throw_too_many(segments, pieces_in_sector, "");
  }

  Coverage coverage(segments);
  for (std::uint16_t count = 0;; ++count) {
    if (count >= existing.size() && coverage.is_complete()) {
      return count;
    }
    if (count == kMaxSectors) {
      throw_too_many(segments, pieces_in_sector,
                     ": " + counted(coverage.missing_segments(), "segment") +
                         " would have fewer than 128 of their pieces");
    }
    if (count < existing.size() && existing[count]) {
      coverage.add_sector(existing[count]->sector_id,
                          with_history(info, existing[count]->history_size), pieces_in_sector);
    } else {
      coverage.add_sector(
          derive_sector_id(Network::kAbundance, public_key_hash, shard_commitments_root,
                           SectorIndex(count), info.history_size),
          info, pieces_in_sector);
    }
  }
}

}  // namespace furrow
