// SPDX-License-Identifier: Apache-2.0
#include "host/plotting/download_sector.hpp"

#include <algorithm>
#include <atomic>
#include <exception>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include "host/base/foreign_error.hpp"
#include "host/base/mutex.hpp"
#include "host/base/threads.hpp"
#include "host/crypto/blake3.hpp"
#include "host/pieces/autonomys_piece.hpp"
#include "host/pieces/source_errors.hpp"
#include "host/primitives/sector_id.hpp"

namespace furrow {
namespace {

/// Offsets of a sector that still want each piece. Thread-safe.
class MissingPieces {
 public:
  MissingPieces(std::span<const PieceIndex> piece_indexes, RawSector& sector) : sector_(sector) {
    for (std::size_t offset = 0; offset < piece_indexes.size(); ++offset) {
      offsets_[piece_indexes[offset]].push_back(offset);
    }
  }

  /// Copies the piece to every offset that wants it; pieces that nobody wants (any more) are
  /// ignored.
  template <class P>
  void fill(PieceIndex index, const P& piece) {
    const std::vector<std::size_t> offsets = take(index);
    if (offsets.empty()) {
      return;
    }
    const Hash checksum = blake3(bytes_of(piece));
    for (const std::size_t offset : offsets) {
      sector_.put(offset, piece, checksum);
    }
  }

  /// In ascending order.
  [[nodiscard]] std::vector<PieceIndex> indexes() const {
    const Lock lock(mutex_);
    std::vector<PieceIndex> result;
    for (const auto& entry : offsets_) {
      result.push_back(entry.first);
    }
    return result;
  }

 private:
  std::vector<std::size_t> take(PieceIndex index) {
    const Lock lock(mutex_);
    const auto found = offsets_.find(index);
    if (found == offsets_.end()) {
      return {};
    }
    std::vector<std::size_t> offsets = std::move(found->second);
    offsets_.erase(found);
    return offsets;
  }

  mutable Mutex mutex_;
  std::map<PieceIndex, std::vector<std::size_t>> offsets_ FURROW_GUARDED_BY(mutex_);
  RawSector& sector_;
};

/// The answers to all batches of a download. Thread-safe.
class Answers {
 public:
  /// `turn` ends when no more than `tail` of the `n` pieces are unanswered.
  Answers(std::size_t n, std::size_t tail, std::optional<Permits::Permit> turn)
      : tail_(tail), n_unanswered_(n), turn_(std::move(turn)) {}

  /// To be called once a piece that was found is in its place.
  template <class P>
  void take(PieceIndex index, const PieceAnswerOf<P>& answer) {
    const Lock lock(mutex_);
    if (answer.piece == nullptr && !failed_.has_value()) {
      failed_ = index;
      why_ = answer.error;
    }
    if (n_unanswered_ > 0 && --n_unanswered_ <= tail_) {
      turn_.reset();
    }
  }

  /// Throws the error of the first piece that could not be had.
  void require_success() const {
    const Lock lock(mutex_);
    if (failed_.has_value()) {
      throw why_ != nullptr
          ? PieceRecoveryFailed(*failed_, kind_of(why_), message_of(why_))
          : PieceRecoveryFailed(*failed_, ErrorKind::kUnavailable, "no source has it");
    }
  }

 private:
  const std::size_t tail_;
  mutable Mutex mutex_;
  std::size_t n_unanswered_ FURROW_GUARDED_BY(mutex_);
  std::optional<Permits::Permit> turn_ FURROW_GUARDED_BY(mutex_);
  std::optional<PieceIndex> failed_ FURROW_GUARDED_BY(mutex_);
  std::exception_ptr why_ FURROW_GUARDED_BY(mutex_);
};

/// Calls `ask` with neighbouring parts of `indexes`, as many as there are batches.
void for_each_batch(
    std::span<const PieceIndex> indexes, std::size_t n_batches, const std::stop_token& stop,
    const std::function<void(std::span<const PieceIndex>, const std::stop_token&)>& ask) {
  const std::size_t n =
      std::clamp<std::size_t>(n_batches, 1, std::max<std::size_t>(indexes.size(), 1));
  std::atomic<std::size_t> next = 0;
  run_workers(n, "fw-pieces", stop, [&](std::size_t /*worker*/, const std::stop_token& end) {
    for (std::size_t i = next++; i < n && !end.stop_requested(); i = next++) {
      const std::size_t first = indexes.size() * i / n;
      ask(indexes.subspan(first, indexes.size() * (i + 1) / n - first), end);
    }
  });
}

/// What no getter has to know of a piece: whether it can be encoded. Throws InvalidPiece.
void check_piece(PieceIndex /*index*/, const Piece& /*piece*/) {}
void check_piece(PieceIndex index, const AutonomysPiece& piece) {
  check_record_chunks(index, piece);
}

/// The answer, or that the piece in it is of no use.
template <class P>
PieceAnswerOf<P> checked(PieceIndex index, const PieceAnswerOf<P>& answer) {
  try {
    if (answer.piece != nullptr) {
      check_piece(index, *answer.piece);
    }
    return answer;
  } catch (const InvalidPiece&) {
    return PieceAnswerOf<P>::failed(std::current_exception());
  }
}

/// Gets everything from `getter`; throws a PlottingError when it cannot.
template <class P>
void get_all(MissingPieces& missing, PieceGetterOf<P>& getter, const DownloadOptions& options,
             const std::stop_token& stop) {
  std::optional<Permits::Permit> turn;
  if (options.turns != nullptr && !(turn = options.turns->acquire(stop))) {
    return;
  }
  const std::vector<PieceIndex> indexes = missing.indexes();
  Answers answers(indexes.size(), options.tail, std::move(turn));
  try {
    for_each_batch(indexes, options.batches, stop,
                   [&](std::span<const PieceIndex> batch, const std::stop_token& end) {
                     getter.get_pieces(
                         batch,
                         [&](PieceIndex index, const PieceAnswerOf<P>& given) {
                           const PieceAnswerOf<P> answer = checked(index, given);
                           if (answer.piece != nullptr) {
                             missing.fill(index, *answer.piece);
                           }
                           answers.take(index, answer);
                         },
                         end);
                   });
  } catch (...) {
    // Getters may be somebody else's, and throw what they like.
    throw FailedToRetrievePieces(message_of(std::current_exception()),
                                 kind_of(std::current_exception()));
  }
  if (stop.stop_requested()) {
    return;
  }
  answers.require_success();
  const std::size_t left = missing.indexes().size();
  if (left != 0) {
    throw FailedToRetrievePieces(std::to_string(left) + " of " + std::to_string(indexes.size()) +
                                 " pieces were neither delivered nor refused");
  }
}

void check_network(const SectorPlan& plan, const std::string& what, Network actual) {
  if (actual != plan.network) {
    throw InvalidArgument(
        what + ": expected one of " + traits_of(plan.network).name + ", actual one of " +
            traits_of(actual).name,
        {.expected = traits_of(plan.network).name, .actual = traits_of(actual).name});
  }
}

}  // namespace

std::optional<DownloadedSector> download_sector(const SectorPlan& plan,
                                                const DownloadOptions& options,
                                                const std::stop_token& stop) {
  return download_sector(plan, options, stop, RawSector(plan.network, plan.pieces_in_sector));
}

std::optional<DownloadedSector> download_sector(const SectorPlan& plan,
                                                const DownloadOptions& options,
                                                const std::stop_token& stop, RawSector memory) {
  if (memory.pieces_in_sector() != plan.pieces_in_sector) {
    throw InvalidArgument("memory of a sector: expected room for " +
                          std::to_string(plan.pieces_in_sector) + " records, actual " +
                          std::to_string(memory.pieces_in_sector()));
  }
  check_network(plan, "memory of the sector", memory.network());
  check_network(plan, "piece getter", options.piece_getter.network());
  DownloadedSector sector{
      derive_sector_id(plan.network, plan.public_key_hash, plan.shard_commitments_root,
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
    options.piece_getter.visit([&](auto& getter) { get_all(missing, getter, options, stop); });
  } catch (const PlottingError&) {
    if (!stop.stop_requested()) {  // what failed because of it is no failure
      throw;
    }
  }
  return stop.stop_requested() ? std::nullopt : std::optional(std::move(sector));
}

}  // namespace furrow
