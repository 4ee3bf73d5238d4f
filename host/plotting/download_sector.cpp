// Download of a sector with reconstruction and retries (docs/spec/03, section 6.1).
#include <algorithm>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <thread>

#include "host/base/threads.hpp"
#include "host/crypto/blake3.hpp"
#include "host/plotting/plotting.hpp"
#include "host/primitives/sector_id.hpp"

namespace furrow {
namespace {

/// Offsets of a sector that still want each piece; thread-safe.
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
    const Hash checksum = blake3(bytes_of(piece));
    const std::lock_guard lock(mutex_);
    const auto found = offsets_.find(index);
    if (found == offsets_.end()) {
      return;
    }
    for (const std::size_t offset : found->second) {
      sector_.all_records()[offset] = piece.record;
      sector_.metadata[offset] = {piece.header, checksum};
    }
    offsets_.erase(found);
  }

  [[nodiscard]] std::vector<PieceIndex> indexes() const {
    const std::lock_guard lock(mutex_);
    std::vector<PieceIndex> result;
    for (const auto& entry : offsets_) {
      result.push_back(entry.first);
    }
    return result;
  }

 private:
  mutable std::mutex mutex_;
  std::map<PieceIndex, std::vector<std::size_t>> offsets_;
  RawSector& sector_;
};

/// Rebuilds pieces one at a time on a thread of its own while answers still arrive; afterwards, on
/// the thread that asks, when the system starts none.
class RecoveryQueue {
 public:
  RecoveryQueue(const PieceRecovery& recover, MissingPieces& missing, std::stop_token stop)
      : recover_(recover), missing_(missing), stop_(std::move(stop)) {
    try {
      worker_ = start_thread("fw-rebuild", [this] { work(); });
    } catch (const ResourceExhausted&) {
      // finish() does it
    }
  }

  void add(PieceIndex index) {
    const std::lock_guard lock(mutex_);
    queue_.push_back(index);
    changed_.notify_one();
  }

  /// Waits for everything added; gives the first failure.
  std::exception_ptr finish() {
    {
      const std::lock_guard lock(mutex_);
      closed_ = true;
      changed_.notify_one();
    }
    if (worker_.joinable()) {
      worker_.join();
    } else {
      work();
    }
    return first_failure_;
  }

  RecoveryQueue(const RecoveryQueue&) = delete;
  RecoveryQueue& operator=(const RecoveryQueue&) = delete;
  ~RecoveryQueue() {
    if (worker_.joinable()) {
      finish();
    }
  }

 private:
  void work() {
    while (const std::optional<PieceIndex> index = next()) {
      if (!stop_.stop_requested()) {
        rebuild(*index);
      }
    }
  }

  std::optional<PieceIndex> next() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return closed_ || !queue_.empty(); });
    if (queue_.empty()) {
      return std::nullopt;
    }
    const PieceIndex index = queue_.front();
    queue_.pop_front();
    return index;
  }

  void rebuild(PieceIndex index) {
    try {
      missing_.fill(index, *recover_(index, stop_));
    } catch (const std::exception& error) {
      if (first_failure_ == nullptr) {
        first_failure_ = std::make_exception_ptr(PieceRecoveryFailed(index, error.what()));
      }
    }
  }

  const PieceRecovery& recover_;
  MissingPieces& missing_;
  const std::stop_token stop_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<PieceIndex> queue_;
  bool closed_ = false;
  std::exception_ptr first_failure_;  // written by the worker, read after it was joined
  std::jthread worker_;
};

/// One attempt to get everything still missing; throws a PlottingError when it fails.
void attempt(MissingPieces& missing, const DownloadOptions& options, const std::stop_token& stop) {
  std::optional<Permits::Permit> turn;
  if (options.attempts != nullptr && !(turn = options.attempts->acquire(stop))) {
    return;
  }
  RecoveryQueue recovery(options.recover_piece, missing, stop);
  const std::vector<PieceIndex> indexes = missing.indexes();
  std::size_t n_unanswered = indexes.size();
  try {
    options.piece_getter.get_pieces(
        indexes,
        [&](PieceIndex index, const PieceAnswer& answer) {
          if (answer.piece != nullptr) {
            missing.fill(index, *answer.piece);
          } else {
            if (options.on_piece_failed) {
              options.on_piece_failed(index, answer.error);
            }
            recovery.add(index);
          }
          if (n_unanswered > 0 && --n_unanswered <= options.tail) {
            turn.reset();
          }
        },
        stop);
  } catch (const std::exception& error) {
    throw FailedToRetrievePieces(error.what());
  }
  if (const std::exception_ptr failure = recovery.finish()) {
    std::rethrow_exception(failure);
  }
  const std::size_t left = missing.indexes().size();
  if (left != 0 && !stop.stop_requested()) {
    throw FailedToRetrievePieces(std::to_string(left) + " of " + std::to_string(indexes.size()) +
                                 " pieces were neither delivered nor refused");
  }
}

/// Sleeps; false when a stop was requested.
bool pause(std::chrono::milliseconds delay, const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any never;
  std::unique_lock lock(mutex);
  never.wait_for(lock, stop, delay, [] { return false; });
  return !stop.stop_requested();
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
                          {},
                          std::move(memory),
                          plan.protocol_info.history_size};
  for (std::uint16_t offset = 0; offset < plan.pieces_in_sector; ++offset) {
    sector.piece_indexes.push_back(
        derive_piece_index(sector.sector_id, PieceOffset(offset), plan.protocol_info));
  }
  MissingPieces missing(sector.piece_indexes, sector.raw_sector);

  std::chrono::milliseconds delay = options.retry_delays.first;
  for (unsigned attempts = 1; !stop.stop_requested();
       ++attempts, delay = std::min(2 * delay, options.retry_delays.longest)) {
    try {
      attempt(missing, options, stop);
      if (!stop.stop_requested()) {
        return sector;
      }
    } catch (const PlottingError& error) {
      if (stop.stop_requested()) {
        break;  // what failed because of it is no failure
      }
      if (attempts == options.retry_delays.max_attempts) {
        throw;
      }
      if (options.on_failed_attempt) {
        options.on_failed_attempt(error, delay);
      }
      if (!pause(delay, stop)) {
        break;
      }
    }
  }
  return std::nullopt;
}

}  // namespace furrow
