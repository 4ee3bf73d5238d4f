// SPDX-License-Identifier: Apache-2.0
#include "host/pieces/recovering_piece_getter.hpp"

#include <algorithm>
#include <utility>

#include "host/base/counted.hpp"
#include "host/base/sleep.hpp"
#include "host/pieces/source_errors.hpp"

namespace furrow {

/// The right to rebuild, and what a batch waits for meanwhile. Both end with it.
class RecoveringPieceGetter::Turn {
 public:
  Turn(RecoveringPieceGetter& owner, SegmentIndex segment, std::vector<Wanted>& wanted)
      : owner_(owner), segment_(segment), wanted_(wanted) {
    entries_.reserve(wanted_.size());
    const Lock lock(owner_.mutex_);
    try {
      for (Wanted& piece : wanted_) {
        entries_.push_back(owner_.wanted_.emplace(segment_, &piece));
      }
    } catch (...) {
      erase_entries();
      throw;
    }
  }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;
  ~Turn() {
    const Lock lock(owner_.mutex_);
    erase_entries();
    if (is_mine_) {
      owner_.is_rebuilding_ = false;
      owner_.changed_.notify_all();
    }
  }

  /// Waits for the right. False when a stop was requested, or when others have rebuilt everything.
  bool wait(const std::stop_token& stop) {
    const auto is_done = [this] {
      return std::all_of(wanted_.begin(), wanted_.end(),
                         [](const Wanted& piece) { return piece.piece != nullptr; });
    };
    const Lock lock(owner_.mutex_);
    owner_.changed_.wait(owner_.mutex_, stop, [&]() FURROW_REQUIRES(owner_.mutex_) {
      return is_done() || !owner_.is_rebuilding_;
    });
    is_mine_ = !stop.stop_requested() && !is_done();
    owner_.is_rebuilding_ = owner_.is_rebuilding_ || is_mine_;
    return is_mine_;
  }

 private:
  void erase_entries() FURROW_REQUIRES(owner_.mutex_) {
    for (const auto entry : entries_) {
      owner_.wanted_.erase(entry);
    }
  }

  RecoveringPieceGetter& owner_;
  SegmentIndex segment_;
  std::vector<Wanted>& wanted_;
  std::vector<std::multimap<SegmentIndex, Wanted*>::iterator> entries_;
  bool is_mine_ = false;
};

/// One call of get_pieces.
class RecoveringPieceGetter::Batch {
 public:
  Batch(RecoveringPieceGetter& owner, std::span<const PieceIndex> indices, const Sink& sink,
        std::stop_token stop)
      : owner_(owner), options_(owner.options_), sink_(sink), stop_(std::move(stop)) {
    for (const PieceIndex index : indices) {
      ++open_[index];
    }
  }

  void run() {
    std::chrono::milliseconds delay = options_.retry_delays.first;
    for (unsigned n = 1; !stop_.stop_requested();
         ++n, delay = std::min(2 * delay, options_.retry_delays.longest)) {
      const std::exception_ptr failure = attempt();
      if (open_.empty() || stop_.stop_requested()) {
        return;
      }
      if (n == options_.retry_delays.max_attempts || !owner_.may_change()) {
        give_up(failure);
        return;
      }
      if (options_.on_failed_attempt) {
        options_.on_failed_attempt(failure, delay);
      }
      if (options_.pause) {
        options_.pause(delay, stop_);
      } else {
        sleep_for(delay, stop_);
      }
    }
  }

 private:
  /// Gets what can be had now; the first failure, if pieces are left.
  std::exception_ptr attempt() {
    refused_.clear();
    whole_failure_ = nullptr;
    std::vector<PieceIndex> wanted;
    for (const auto& [index, count] : open_) {
      wanted.push_back(index);
    }
    ask(wanted);
    if (owner_.may_change() && whole_failure_ == nullptr && !stop_.stop_requested()) {
      // Before 128 others are asked for: what failed once may come the second time. Also what was
      // said not to be there: of a server that something came in front of, the next batch shows it.
      std::vector<PieceIndex> again;
      for (const auto& [index, error] : refused_) {
        again.push_back(index);
      }
      ask(again);
    }
    if (stop_.stop_requested()) {
      return nullptr;
    }
    rebuild_refused();
    if (first_rebuilding_failure_ != nullptr || whole_failure_ != nullptr || open_.empty()) {
      return whole_failure_ != nullptr ? whole_failure_ : first_rebuilding_failure_;
    }
    return std::make_exception_ptr(
        Error(ErrorKind::kUnavailable,
              counted(open_.size(), "piece") + " of " + std::to_string(wanted.size()) +
                  (open_.size() == 1 ? " was" : " were") + " neither delivered nor refused"));
  }

  void ask(const std::vector<PieceIndex>& wanted) {
    if (wanted.empty()) {
      return;
    }
    bool is_in_sink = false;
    try {
      owner_.source_.get_pieces(
          wanted,
          [&](PieceIndex index, PieceAnswer answer) {
            if (!open_.contains(index)) {
              return;  // not asked for, or answered before
            }
            if (answer.piece == nullptr) {
              refused_[index] = std::move(answer.error);
              return;
            }
            refused_.erase(index);
            is_in_sink = true;
            give(index, PieceAnswer::found(std::move(answer.piece)));
            is_in_sink = false;
          },
          stop_);
    } catch (const NoSourceLeft&) {
      throw;  // time mends nothing
    } catch (...) {
      if (is_in_sink) {
        throw;
      }
      whole_failure_ = std::current_exception();
    }
  }

  void give(PieceIndex index, const PieceAnswer& answer) {
    const auto found = open_.find(index);
    const std::size_t count = found->second;
    open_.erase(found);
    for (std::size_t i = 0; i < count; ++i) {
      sink_(index, answer);
    }
  }

  void rebuild_refused() {
    first_rebuilding_failure_ = nullptr;
    std::map<SegmentIndex, std::vector<Wanted>> segments;
    for (const auto& [index, error] : refused_) {
      segments[segment_index_of(index)].push_back({index, nullptr});
    }
    for (auto& [segment, wanted] : segments) {
      if (!stop_.stop_requested()) {
        rebuild(segment, wanted);
      }
    }
  }

  void rebuild(SegmentIndex segment, std::vector<Wanted>& wanted) {
    std::exception_ptr failure;
    {
      Turn turn(owner_, segment, wanted);
      for (const Wanted& piece : wanted) {
        if (options_.on_rebuild) {
          options_.on_rebuild(piece.index, refused_.at(piece.index));
        }
      }
      if (turn.wait(stop_)) {
        try {
          owner_.rebuild(segment, stop_);
        } catch (const NoSourceLeft&) {
          throw;
        } catch (...) {
          failure = std::current_exception();
        }
      }
    }
    for (const Wanted& piece : wanted) {
      if (piece.piece != nullptr) {
        give(piece.index, PieceAnswer::found(piece.piece));
      } else if (failure != nullptr) {
        refused_[piece.index] = failure;
        if (first_rebuilding_failure_ == nullptr) {
          first_rebuilding_failure_ = std::make_exception_ptr(
              PieceNotRebuilt(piece.index, kind_of(failure), message_of(failure)));
        }
      }
    }
  }

  void give_up(const std::exception_ptr& failure) {
    if (whole_failure_ != nullptr) {
      std::rethrow_exception(whole_failure_);
    }
    while (!open_.empty()) {
      const PieceIndex index = open_.begin()->first;
      const auto refused = refused_.find(index);
      const bool is_known = refused != refused_.end() && refused->second != nullptr;
      give(index, PieceAnswer::failed(is_known ? refused->second : failure));
    }
  }

  RecoveringPieceGetter& owner_;
  const RecoveringPieceGetterOptions& options_;
  const Sink& sink_;
  std::stop_token stop_;
  std::map<PieceIndex, std::size_t> open_;            // with how often each is wanted
  std::map<PieceIndex, std::exception_ptr> refused_;  // in this attempt; null: not there
  std::exception_ptr whole_failure_;
  std::exception_ptr first_rebuilding_failure_;
};

PieceNotRebuilt::PieceNotRebuilt(PieceIndex piece, ErrorKind kind, const std::string& reason)
    : Error(kind, "cannot recover missing piece " + std::to_string(piece.value()) + ": " + reason,
            {.piece_index = piece.value()}) {}

RecoveringPieceGetter::RecoveringPieceGetter(PieceGetter& source, const ErasureCoding& erasure,
                                             RecoveringPieceGetterOptions options)
    : source_(source), erasure_(erasure), options_(std::move(options)) {}
RecoveringPieceGetter::~RecoveringPieceGetter() = default;

void RecoveringPieceGetter::get_pieces(std::span<const PieceIndex> indices, const Sink& sink,
                                       std::stop_token stop) {
  Batch(*this, indices, sink, std::move(stop)).run();
}

/// Whether time may change what the source says.
bool RecoveringPieceGetter::may_change() const {
  return options_.retry_delays.max_attempts != 1 && (!options_.may_change || options_.may_change());
}

/// What batches want of the segment and nobody has got yet, each once.
std::vector<PieceIndex> RecoveringPieceGetter::missing_of(SegmentIndex segment) {
  std::vector<PieceIndex> result;
  {
    const Lock lock(mutex_);
    const auto [first, last] = wanted_.equal_range(segment);
    for (auto entry = first; entry != last; ++entry) {
      if (entry->second->piece == nullptr) {
        result.push_back(entry->second->index);
      }
    }
  }
  std::sort(result.begin(), result.end());
  result.erase(std::unique(result.begin(), result.end()), result.end());
  return result;
}

/// Asks once more for what is missing of the segment, before 128 others are; whether anything is
/// missing then. It goes to its batches when the turn ends: a sink may take long, and ask itself.
bool RecoveringPieceGetter::is_still_missing(SegmentIndex segment, const std::stop_token& stop) {
  const std::vector<PieceIndex> missing = missing_of(segment);
  if (missing.empty()) {
    return false;
  }
  try {
    source_.get_pieces(
        missing,
        [&](PieceIndex index, const PieceAnswer& answer) {
          if (answer.piece == nullptr) {
            return;
          }
          const Lock lock(mutex_);
          const auto [first, last] = wanted_.equal_range(segment);
          for (auto entry = first; entry != last; ++entry) {
            if (entry->second->index == index) {
              entry->second->piece = answer.piece;
            }
          }
        },
        stop);
  } catch (const NoSourceLeft&) {
    throw;
  } catch (...) {
    // The download of the segment asks the same source, and says what is wrong.
  }
  return !missing_of(segment).empty();
}

/// Rebuilds what all batches want of the segment. Pre: the caller has the turn.
void RecoveringPieceGetter::rebuild(SegmentIndex segment, const std::stop_token& stop) {
  RetryPolicy policy = options_.segment_policy;
  std::function<bool()> is_still_wanted;
  if (may_change()) {
    is_still_wanted = [&] { return is_still_missing(segment, stop); };
    if (!is_still_wanted()) {
      return;
    }
  } else {
    policy.tries = 1;
  }
  const std::optional<SegmentSlots> slots =
      download_segment_pieces(source_, segment, stop, policy, {}, is_still_wanted);
  if (!slots.has_value()) {
    return;
  }
  // Others may have come to want pieces of it during the download, and may do so during the
  // computation: what has been downloaded serves them, too.
  for (std::vector<PieceIndex> missing = missing_of(segment);
       !missing.empty() && !stop.stop_requested(); missing = missing_of(segment)) {
    std::vector<PiecePosition> positions;
    for (const PieceIndex index : missing) {
      positions.push_back(position_of(index));
    }
    const ReconstructedPieces rebuilt = reconstruct_pieces(
        slots->slots(), positions,
        options_.identity ? options_.identity(segment) : agreed_identity(*slots, segment), erasure_,
        options_.compute);
    const Lock lock(mutex_);
    const auto [first, last] = wanted_.equal_range(segment);
    for (auto entry = first; entry != last; ++entry) {
      Wanted& wanted = *entry->second;
      const auto place = std::lower_bound(missing.begin(), missing.end(), wanted.index);
      if (wanted.piece == nullptr && place != missing.end() && *place == wanted.index) {
        wanted.piece = rebuilt.pieces[static_cast<std::size_t>(place - missing.begin())];
      }
    }
  }
}

}  // namespace furrow
