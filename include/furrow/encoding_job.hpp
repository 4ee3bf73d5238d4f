// SPDX-License-Identifier: Apache-2.0
// Records of one sector on their way through one or more encoders.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
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
              std::span<FoundProofs> found_proofs, PieceOffset first_offset = PieceOffset(0),
              Network network = Network::kAbundance);

  /// The same records under one more watch; this job must outlive it.
  [[nodiscard]] EncodingJob watched(Watch watch);

  [[nodiscard]] const SectorId& sector_id() const noexcept { return sector_id_; }
  /// Whose rules the records are encoded by.
  [[nodiscard]] Network network() const noexcept { return network_; }
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
  [[nodiscard]] bool may_go_on() const;

  /// Claims records nobody has, at most `most`; none when there are none at the moment.
  [[nodiscard]] std::vector<PieceOffset> claim(std::size_t most);

  /// The record is encoded and its bitmap is set. Throws Error when it was not claimed.
  void done(PieceOffset offset);

  /// The record is as it was when it was claimed; somebody else may have it. Throws Error when it
  /// was not claimed.
  void give_back(PieceOffset offset);

  [[nodiscard]] bool all_done() const;

  /// Whether there is something to claim at the moment.
  [[nodiscard]] bool has_unclaimed() const;

 private:
  class Records;

  EncodingJob(const EncodingJob&) = default;

  /// Beyond every record for an offset before the first one.
  [[nodiscard]] std::size_t index_of(PieceOffset offset) const noexcept {
    return std::size_t{offset.value()} - first_offset_.value();
  }
  void tell(std::function<void(PieceOffset)> Watch::*event, PieceOffset offset) const;

  SectorId sector_id_;
  std::span<Record> records_;
  std::span<FoundProofs> found_proofs_;
  PieceOffset first_offset_;
  Network network_;
  std::shared_ptr<Records> states_;  ///< shared by all jobs with these records
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
  void done(PieceOffset offset);
  /// Gives back what is pending, which must be as it was claimed.
  void give_back();

 private:
  EncodingJob* job_ = nullptr;
  std::vector<PieceOffset> pending_;
};

}  // namespace furrow
