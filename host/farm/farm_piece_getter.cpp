// SPDX-License-Identifier: Apache-2.0
#include "host/farm/farm_piece_getter.hpp"

#include <algorithm>
#include <atomic>
#include <utility>

#include "host/base/mutex.hpp"
#include "host/base/threads.hpp"
#include "host/sector/sector_reader.hpp"

namespace furrow {
namespace {

/// A slot that says what is in a sector is there before its first byte is written over, and after
/// its last one. So whoever begins again with the slot as it is now reads no mixture, unless the
/// sector is plotted anew once more.
constexpr int kMostAttempts = 3;

}  // namespace

FarmPieceGetter::FarmPieceGetter(Farm& farm, const Options& options)
    : farm_(farm), options_(options) {}

PiecePtr FarmPieceGetter::read(const PiecePlace& place) {
  for (int attempt = 1;; ++attempt) {
    try {
      return read_once(place);
    } catch (const InvalidArgument&) {
      throw;
    } catch (const Error&) {
      // The same slot as before may be that of other bytes: those that were damaged before.
      const bool is_another = farm_.reload_slot(place.sector);
      if (attempt == kMostAttempts ||
          !(is_another || (attempt == 1 && farm_.was_written_lately()))) {
        throw;
      }
    }
  }
}

PiecePtr FarmPieceGetter::read_once(const PiecePlace& place) {
  if (farm_.sector_state(place.sector) == SectorState::kLost) {
    throw SectorHoldsNothing(place.sector);
  }
  const SectorId sector_id = farm_.sector_id(place.sector);
  const std::shared_ptr<const SectorMetadata> metadata = farm_.sector_metadata(place.sector);
  const LeasePool<ProofTable>::Lease table =
      tables_.take([this] { return make_proof_table(Network::kAbundance, options_.k); });
  return read_piece(
      place.offset, sector_id, *metadata,
      [&](std::uint64_t offset, std::span<std::uint8_t> out) {
        farm_.read_sector_bytes(place.sector, offset, out);
      },
      *table, erasure_);
}

/// Made when it is needed: reading one place does not take it.
const PieceFinder& FarmPieceGetter::finder() {
  std::call_once(finder_made_, [this] {
    finder_ = std::make_unique<const PieceFinder>(farm_);
    if (options_.on_remark) {
      std::ranges::for_each(finder_->remarks(), options_.on_remark);
    }
  });
  return *finder_;
}

PieceAnswer FarmPieceGetter::answer(PieceIndex index) {
  std::exception_ptr error;
  for (const PiecePlace& place : finder().find(index)) {
    try {
      const std::optional<HistorySize> history = farm_.plotted_history_size(place.sector);
      PiecePtr piece = read(place);
      if (farm_.plotted_history_size(place.sector) == history) {
        return PieceAnswer::found(std::move(piece));
      }  // else it was plotted anew meanwhile, and another piece is there now
    } catch (const Error&) {
      error = std::current_exception();
    }
  }
  return error != nullptr ? PieceAnswer::failed(error) : PieceAnswer::not_found();
}

void FarmPieceGetter::get_pieces(std::span<const PieceIndex> indices, const Sink& sink,
                                 std::stop_token stop) {
  (void)finder();  // what is wrong with it is wrong with the whole request
  std::atomic<std::size_t> next = 0;
  Mutex sink_mutex;
  bool has_sink_thrown = false;
  run_workers(std::min<std::size_t>(options_.threads, indices.size()), "fw-read", stop,
              [&](std::size_t, const std::stop_token& end) {
                for (std::size_t i = next++; i < indices.size() && !end.stop_requested();
                     i = next++) {
                  PieceAnswer got = answer(indices[i]);
                  const Lock lock(sink_mutex);
                  if (!has_sink_thrown) {
                    has_sink_thrown = true;  // unless it returns
                    sink(indices[i], std::move(got));
                    has_sink_thrown = false;
                  }
                }
              });
}

}  // namespace furrow
