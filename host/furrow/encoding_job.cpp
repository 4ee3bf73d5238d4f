// SPDX-License-Identifier: Apache-2.0
#include "furrow/encoding_job.hpp"

#include <algorithm>
#include <limits>
#include <mutex>
#include <string>

namespace furrow {
namespace {

void check_lengths(std::size_t n_records, std::size_t n_bitmaps, PieceOffset first_offset) {
  constexpr std::size_t kMost = std::numeric_limits<std::uint16_t>::max();
  if (n_records != n_bitmaps) {
    throw InvalidArgument(
        "encoder: " + std::to_string(n_records) + " records but " + std::to_string(n_bitmaps) +
            " bitmaps",
        {.expected = std::to_string(n_records), .actual = std::to_string(n_bitmaps)});
  }
  if (first_offset.value() + n_records > kMost) {
    throw InvalidArgument("encoder: expected at most 65535 records of a sector, actual " +
                              std::to_string(n_records) + " from piece offset " +
                              std::to_string(first_offset.value()) + " on",
                          {.piece_offset = first_offset.value(),
                           .expected = std::to_string(kMost - first_offset.value()),
                           .actual = std::to_string(n_records)});
  }
}

}  // namespace

/// Which records nobody has, somebody has, and are done. Thread-safe.
class EncodingJob::Records {
 public:
  enum class State : std::uint8_t { kUnclaimed, kClaimed, kDone };

  explicit Records(std::size_t n) : states_(n, State::kUnclaimed) {}

  std::vector<std::size_t> claim(std::size_t most) {
    const std::lock_guard lock(mutex_);
    std::vector<std::size_t> result;
    result.reserve(std::min(most, n_unclaimed()));
    while (result.size() < most && n_unclaimed() > 0) {
      std::size_t index = next_;
      if (given_back_.empty()) {
        ++next_;
      } else {
        index = given_back_.back();
        given_back_.pop_back();
      }
      states_[index] = State::kClaimed;
      result.push_back(index);
    }
    return result;
  }

  void change(std::size_t index, PieceOffset offset, State state) {
    const std::lock_guard lock(mutex_);
    if (index >= states_.size() || states_[index] != State::kClaimed) {
      throw Error(ErrorKind::kInternal,
                  "encoder: the record at piece offset " + std::to_string(offset.value()) +
                      " was not claimed, but is reported on",
                  {.piece_offset = offset.value()});
    }
    states_[index] = state;
    if (state == State::kDone) {
      ++n_done_;
    } else {
      given_back_.push_back(index);
    }
  }

  bool all_done() const {
    const std::lock_guard lock(mutex_);
    return n_done_ == states_.size();
  }

  bool has_unclaimed() const {
    const std::lock_guard lock(mutex_);
    return n_unclaimed() > 0;
  }

 private:
  std::size_t n_unclaimed() const { return states_.size() - next_ + given_back_.size(); }

  // Not one of host/base, which lies above this room.
  mutable std::mutex mutex_;  // of what follows
  std::vector<State> states_;
  std::size_t next_ = 0;  // records from here on were never claimed
  std::vector<std::size_t> given_back_;
  std::size_t n_done_ = 0;
};

EncodingJob::EncodingJob(const SectorId& sector_id, std::span<Record> records,
                         std::span<FoundProofs> found_proofs, PieceOffset first_offset,
                         Network network)
    : sector_id_(sector_id),
      records_(records),
      found_proofs_(found_proofs),
      first_offset_(first_offset),
      network_(network),
      states_(std::make_shared<Records>(records.size())) {
  check_lengths(records.size(), found_proofs.size(), first_offset);
}

EncodingJob EncodingJob::watched(Watch watch) {
  EncodingJob result(*this);
  result.watches_.push_back(std::move(watch));
  return result;
}

bool EncodingJob::may_go_on() const {
  return std::all_of(watches_.begin(), watches_.end(),
                     [](const Watch& watch) { return furrow::may_go_on(watch.may_go_on); });
}

std::vector<PieceOffset> EncodingJob::claim(std::size_t most) {
  if (!may_go_on()) {
    return {};
  }
  std::vector<PieceOffset> result;
  for (const std::size_t index : states_->claim(most)) {
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

void EncodingJob::done(PieceOffset offset) {
  states_->change(index_of(offset), offset, Records::State::kDone);
  tell(&Watch::on_done, offset);
}

void EncodingJob::give_back(PieceOffset offset) {
  states_->change(index_of(offset), offset, Records::State::kUnclaimed);
}

bool EncodingJob::all_done() const {
  return states_->all_done();
}

bool EncodingJob::has_unclaimed() const {
  return states_->has_unclaimed();
}

void EncodingJob::tell(std::function<void(PieceOffset)> Watch::*event, PieceOffset offset) const {
  for (const Watch& watch : watches_) {
    if (watch.*event) {
      (watch.*event)(offset);
    }
  }
}

void Claim::done(PieceOffset offset) {
  std::erase(pending_, offset);
  job_->done(offset);
}

void Claim::give_back() {
  for (const PieceOffset offset : std::exchange(pending_, {})) {
    job_->give_back(offset);
  }
}

}  // namespace furrow
