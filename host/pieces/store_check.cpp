// SPDX-License-Identifier: Apache-2.0
#include "host/pieces/store_check.hpp"

#include <exception>
#include <optional>

#include "host/base/counted.hpp"
#include "host/base/foreign_error.hpp"
#include "host/pieces/source_errors.hpp"
#include "host/pieces/store_piece_getter.hpp"

namespace furrow {
namespace {

/// The getter warns of a bad index whenever it is asked, that is for each piece.
class IndexWarnings {
 public:
  void add(const std::string& line) {
    if (n_++ == 0) {
      first_ = line;
    }
  }
  [[nodiscard]] std::vector<StoreFinding> as_findings() const {
    if (n_ == 0) {
      return {};
    }
    return {{"index", n_ == 1 ? first_ : first_ + "; and " + counted(n_ - 1, "warning") + " more"}};
  }

 private:
  std::string first_;
  std::uint64_t n_ = 0;
};

std::vector<PieceIndex> pieces_of(SegmentIndex segment) {
  std::vector<PieceIndex> result;
  for (std::size_t position = 0; position < kNumPieces; ++position) {
    result.push_back(piece_index_at(segment, PiecePosition(static_cast<std::uint8_t>(position))));
  }
  return result;
}

/// What is wrong with a piece. Throws StoreGone, of which no piece is to blame.
std::string reason_of(const PieceAnswer& answer) {
  if (answer.error == nullptr) {
    return "it is not there";
  }
  try {
    std::rethrow_exception(answer.error);
  } catch (const StoreGone&) {
    throw;
  } catch (...) {
    return message_of(std::current_exception());
  }
}

}  // namespace

StoreReport check_store(const std::filesystem::path& store,
                        const Observer<const StoreProgress&>& progress,
                        const std::stop_token& stop) {
  IndexWarnings warnings;
  StorePieceGetter getter(store,
                          {.on_warning = [&](const std::string& line) { warnings.add(line); }});
  StoreReport report;
  report.segments = getter.manifest().segments.size();
  report.pieces = report.segments * kNumPieces;
  StoreProgress now{.pieces_total = report.pieces};

  for (std::uint64_t s = 0; s < report.segments && !stop.stop_requested(); ++s) {
    const SegmentIndex segment(s);
    if (const std::optional<SegmentPackProblem> problem = getter.check_pack(segment)) {
      report.broken.push_back({"pack of segment " + std::to_string(s), problem->message});
      if (problem->is_unreadable) {
        now.pieces_done += kNumPieces;
        progress(now);
        continue;
      }
    }
    getter.get_pieces(
        pieces_of(segment),
        [&](PieceIndex index, const PieceAnswer& answer) {
          if (answer.piece != nullptr) {
            ++report.intact_pieces;
          } else {
            report.broken.push_back({"piece " + std::to_string(index.value()), reason_of(answer)});
          }
          ++now.pieces_done;
          progress(now);
        },
        stop);
  }
  report.notes = warnings.as_findings();
  report.stopped = now.pieces_done < report.pieces;
  return report;
}

}  // namespace furrow
