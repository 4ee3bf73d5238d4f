// SPDX-License-Identifier: Apache-2.0
#include "host/pieces/store_check.hpp"

#include <set>

#include "host/base/foreign_error.hpp"
#include "host/pieces/store_piece_getter.hpp"

namespace furrow {
namespace {

std::vector<PieceIndex> pieces_of(SegmentIndex segment) {
  std::vector<PieceIndex> result;
  for (std::size_t position = 0; position < kNumPieces; ++position) {
    result.push_back(piece_index_at(segment, PiecePosition(static_cast<std::uint8_t>(position))));
  }
  return result;
}

}  // namespace

StoreReport check_store(const std::filesystem::path& store,
                        const Observer<const StoreProgress&>& progress,
                        const std::stop_token& stop) {
  StoreReport report;
  std::set<SegmentIndex> missing_packs;
  StorePieceGetter getter(store, {.on_warning = [&](const std::string& line) {
                            report.notes.push_back({"index", line});
                          }});
  report.segments = getter.manifest().segments.size();
  report.pieces = report.segments * kNumPieces;
  for (const SegmentPackProblem& problem : getter.check_files()) {
    report.broken.push_back(
        {"pack of segment " + std::to_string(problem.segment.value()), problem.message});
    if (problem.is_missing) {
      missing_packs.insert(problem.segment);
    }
  }

  StoreProgress now{.pieces_total = report.pieces};
  for (std::uint64_t s = 0; s < report.segments && !stop.stop_requested(); ++s) {
    if (missing_packs.contains(SegmentIndex(s))) {
      now.pieces_done += kNumPieces;
      continue;
    }
    getter.get_pieces(
        pieces_of(SegmentIndex(s)),
        [&](PieceIndex index, const PieceAnswer& answer) {
          if (answer.piece != nullptr) {
            ++report.intact_pieces;
          } else {
            report.broken.push_back(
                {"piece " + std::to_string(index.value()),
                 answer.error != nullptr ? message_of(answer.error) : "it is not there"});
          }
          ++now.pieces_done;
          progress(now);
        },
        stop);
  }
  report.stopped = now.pieces_done < report.pieces;
  return report;
}

}  // namespace furrow
