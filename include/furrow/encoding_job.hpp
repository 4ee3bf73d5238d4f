// SPDX-License-Identifier: Apache-2.0
// Records of one sector on their way through one or more encoders.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "furrow/errors.hpp"
#include "furrow/may_go_on.hpp"
#include "furrow/types.hpp"

namespace furrow {

/// Hands out records of a sector that follow one another. Each record is unclaimed at first,
/// claimed by one encoder at a time, and done in the end; a claimed one may be given back.
/// Thread-safe: several encoders work on one job, and balance themselves because each claims when
/// it has room.
///
/// Between claim and done (or give_back) the claimant alone may touch record and bitmap.
class EncodingJob {
 public:
  /// What somebody who hands the job on wants to know or to decide. Called from the threads that
  /// claim and finish, several at once; empty functions are not called.
  struct Watch {
    /// Before each claim, where false makes it come back empty; and, asked by encoders that can end
    /// inside a record, every few milliseconds of work, where false makes them give it back. May
    /// wait.
    MayGoOn may_go_on = {};
    /// After a record was claimed, while it is still as it came.
    std::function<void(PieceOffset)> on_claimed = {};
    /// After a record is done.
    std::function<void(PieceOffset)> on_done = {};
  };

  /// `records` (shape [n][32768][32] bytes, record i at piece offset first_offset + i) and
  /// `found_proofs` (shape [n][8192] bytes) must outlive the job. Throws InvalidArgument when they
  /// differ in length, or reach beyond the 65535 records that a sector can have.
  EncodingJob(const SectorId& sector_id, std::span<Record> records,
              std::span<FoundProofs> found_proofs, PieceOffset first_offset = PieceOffset(0))
      : sector_id_(sector_id),
        records_(records),
        found_proofs_(found_proofs),
        first_offset_(first_offset) {
    constexpr std::size_t kMost = std::numeric_limits<std::uint16_t>::max();
    if (records.size() != found_proofs.size()) {
      throw InvalidArgument("encoder: " + std::to_string(records.size()) + " records but " +
                                std::to_string(found_proofs.size()) + " bitmaps",
                            {.expected = std::to_string(records.size()),
                             .actual = std::to_string(found_proofs.size())});
    }
    if (first_offset.value() + records.size() > kMost) {
      throw InvalidArgument("encoder: expected at most 65535 records of a sector, actual " +
                                std::to_string(records.size()) + " from piece offset " +
                                std::to_string(first_offset.value()) + " on",
                            {.piece_offset = first_offset.value(),
                             .expected = std::to_string(kMost - first_offset.value()),
                             .actual = std::to_string(records.size())});
    }
    shared_->states.assign(records.size(), State::kUnclaimed);
  }

  /// The same records under one more watch; this job must outlive it.
  [[nodiscard]] EncodingJob watched(Watch watch) {
    EncodingJob result(*this);
    result.watches_.push_back(std::move(watch));
    return result;
  }

  [[nodiscard]] const SectorId& sector_id() const noexcept { return sector_id_; }
  /// Records of the job, done or not.
  [[nodiscard]] std::size_t size() const noexcept { return records_.size(); }
  /// Piece offset of the first record; the others follow it.
  [[nodiscard]] PieceOffset first_offset() const noexcept { return first_offset_; }
  /// Pre: `offset` is one of the size() offsets from first_offset() on.
  [[nodiscard]] Record& record(PieceOffset offset) const { return records_[index_of(offset)]; }
  /// Pre: as for record().
  [[nodiscard]] FoundProofs& found_proofs(PieceOffset offset) const {
    return found_proofs_[index_of(offset)];
  }

  /// Whether work on a claimed record may go on; to be asked every few milliseconds by an encoder
  /// that can give a record back half-way. May wait: a pause takes effect here. Thread-safe.
  [[nodiscard]] bool may_go_on() const {
    return std::all_of(watches_.begin(), watches_.end(),
                       [](const Watch& watch) { return furrow::may_go_on(watch.may_go_on); });
  }

  /// Claims records nobody has, at most `most`; none when there are none at the moment.
  [[nodiscard]] std::vector<PieceOffset> claim(std::size_t most) {
    if (!may_go_on()) {
      return {};
    }
    std::vector<PieceOffset> result;
    for (const std::size_t index : shared_->claim(most)) {
      result.emplace_back(static_cast<std::uint16_t>(first_offset_.value() + index));
    }
    try {
      for (const PieceOffset offset : result) {
        tell(&Watch::on_claimed, offset);
      }
    } catch (...) {
      for (const PieceOffset offset : result) {
        give_back(offset);
      }
      throw;
    }
    return result;
  }

  /// The record is encoded and its bitmap is set. Throws Error when it was not claimed.
  void done(PieceOffset offset) {
    change(offset, State::kDone);
    tell(&Watch::on_done, offset);
  }

  /// The record is as it was when it was claimed; somebody else may have it. Throws Error when it
  /// was not claimed.
  void give_back(PieceOffset offset) { change(offset, State::kUnclaimed); }

  [[nodiscard]] bool all_done() const {
    const std::lock_guard lock(shared_->mutex);
    return shared_->n_done == size();
  }

  /// Whether there is something to claim at the moment.
  [[nodiscard]] bool has_unclaimed() const {
    const std::lock_guard lock(shared_->mutex);
    return shared_->n_unclaimed() > 0;
  }

 private:
  enum class State : std::uint8_t { kUnclaimed, kClaimed, kDone };

  struct Shared {
    std::vector<std::size_t> claim(std::size_t most) {
      const std::lock_guard lock(mutex);
      std::vector<std::size_t> result;
      result.reserve(std::min(most, n_unclaimed()));
      while (result.size() < most && n_unclaimed() > 0) {
        std::size_t index = next;
        if (given_back.empty()) {
          ++next;
        } else {
          index = given_back.back();
          given_back.pop_back();
        }
        states[index] = State::kClaimed;
        result.push_back(index);
      }
      return result;
    }

    /// False when the record was not claimed.
    [[nodiscard]] bool change(std::size_t index, State state) {
      const std::lock_guard lock(mutex);
      if (index >= states.size() || states[index] != State::kClaimed) {
        return false;
      }
      states[index] = state;
      if (state == State::kDone) {
        ++n_done;
      } else {
        given_back.push_back(index);
      }
      return true;
    }

    [[nodiscard]] std::size_t n_unclaimed() const {
      return states.size() - next + given_back.size();
    }

    std::mutex mutex;
    std::vector<State> states;
    std::size_t next = 0;  ///< records from here on were never claimed
    std::vector<std::size_t> given_back;
    std::size_t n_done = 0;
  };

  EncodingJob(const EncodingJob&) = default;

  /// Beyond every record for an offset before the first one.
  [[nodiscard]] std::size_t index_of(PieceOffset offset) const noexcept {
    return std::size_t{offset.value()} - first_offset_.value();
  }

  void change(PieceOffset offset, State state) {
    if (!shared_->change(index_of(offset), state)) {
      throw Error(ErrorKind::kInternal,
                  "encoder: the record at piece offset " + std::to_string(offset.value()) +
                      " was not claimed, but is reported on",
                  {.piece_offset = offset.value()});
    }
  }

  void tell(std::function<void(PieceOffset)> Watch::*event, PieceOffset offset) const {
    for (const Watch& watch : watches_) {
      if (watch.*event) {
        (watch.*event)(offset);
      }
    }
  }

  SectorId sector_id_;
  std::span<Record> records_;
  std::span<FoundProofs> found_proofs_;
  PieceOffset first_offset_;
  std::shared_ptr<Shared> shared_ = std::make_shared<Shared>();
  std::vector<Watch> watches_;
};

/// Records that were claimed together. Those not done when it goes are given back, so that whoever
/// leaves by an exception leaves nothing behind. Move-only, thread-compatible.
class Claim {
 public:
  /// Nothing.
  Claim() = default;
  /// Claims at most `most` records.
  Claim(EncodingJob& job, std::size_t most) : job_(&job), pending_(job.claim(most)) {}
  Claim(Claim&& other) noexcept : job_(other.job_), pending_(std::exchange(other.pending_, {})) {}
  Claim& operator=(Claim&& other) noexcept {
    std::swap(job_, other.job_);
    std::swap(pending_, other.pending_);
    return *this;
  }
  ~Claim() { give_back(); }

  /// Claimed records that are not done yet, in the order in which they were claimed.
  [[nodiscard]] std::span<const PieceOffset> pending() const noexcept { return pending_; }
  [[nodiscard]] bool empty() const noexcept { return pending_.empty(); }
  /// Pre: `offset` is pending.
  void done(PieceOffset offset) {
    std::erase(pending_, offset);
    job_->done(offset);
  }
  /// Gives back what is pending, which must be as it was claimed.
  void give_back() {
    for (const PieceOffset offset : std::exchange(pending_, {})) {
      job_->give_back(offset);
    }
  }

 private:
  EncodingJob* job_ = nullptr;
  std::vector<PieceOffset> pending_;
};

}  // namespace furrow
