// SPDX-License-Identifier: Apache-2.0
// The pieces that a process of a cluster gives to others, as controller and as cache.
//
// As a cache it has a slot for each piece of its history whose index fits into the offset of a slot, and
// the offset is the index: nothing has to be looked up, nothing is ever replaced, and what one process
// has said of a place holds for the next one, too.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <set>
#include <stop_token>
#include <string>

#include "furrow/piece_getter.hpp"

#include "host/base/first_error.hpp"
#include "host/base/mutex.hpp"
#include "host/base/observer.hpp"

namespace furrow::node {

/// A piece that should be there and is not, or cannot be read.
struct PieceProblem {
  PieceIndex piece_index;
  bool is_missing = false;
  std::string reason;
};

struct PieceStockOptions {
  HistorySize history_size = {};
  /// Of these nothing is there, so nobody is sent to look for it; asked for all the same, it is looked for.
  std::set<SegmentIndex> absent = {};
  /// Is told of each piece once. Called on the threads that read, several at once.
  Observer<const PieceProblem&> on_problem = {};
};

/// Thread-safe.
class PieceStock {
 public:
  struct Counters {
    std::uint64_t pieces = 0;   ///< that were read and handed over
    std::uint64_t missing = 0;  ///< that were asked for and are not there
    std::uint64_t failed = 0;   ///< that could not be read
  };
  struct Answer {
    PiecePtr piece;       ///< null: it is not there
    std::string failure;  ///< why it cannot be read; empty otherwise
  };

  /// `getter` verifies what it returns, and outlives this.
  PieceStock(PieceGetter& getter, PieceStockOptions options);

  [[nodiscard]] std::uint64_t n_pieces() const { return n_pieces_; }
  [[nodiscard]] std::uint32_t n_slots() const {
    return static_cast<std::uint32_t>(
        std::min<std::uint64_t>(n_pieces_, std::numeric_limits<std::uint32_t>::max()));
  }
  /// Whether it should be there, without looking.
  [[nodiscard]] bool has(PieceIndex index) const;
  /// Reads it. After a stop request it may say that it is not there.
  [[nodiscard]] Answer read(PieceIndex index, const std::stop_token& stop);
  [[nodiscard]] Counters counters() const { return {pieces_, missing_, failed_}; }

  /// Requested when the getter as a whole has failed, as a store on a disk that is gone: there is nothing
  /// to give any more.
  [[nodiscard]] std::stop_token gone() const { return gone_.get_token(); }
  /// Throws what it failed with, if it has.
  void rethrow_if_gone() const { why_gone_.rethrow(); }

 private:
  void tell(PieceIndex index, bool is_missing, const std::string& reason);

  PieceGetter& getter_;
  const PieceStockOptions options_;
  const std::uint64_t n_pieces_;
  std::atomic<std::uint64_t> pieces_ = 0;
  std::atomic<std::uint64_t> missing_ = 0;
  std::atomic<std::uint64_t> failed_ = 0;
  std::stop_source gone_;
  FirstError why_gone_;
  Mutex mutex_;
  std::set<PieceIndex> told_ FURROW_GUARDED_BY(mutex_);
};

}  // namespace furrow::node
