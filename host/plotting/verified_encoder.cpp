// SPDX-License-Identifier: Apache-2.0
#include "host/plotting/verified_encoder.hpp"

#include <algorithm>
#include <deque>
#include <exception>
#include <iterator>
#include <map>
#include <numeric>
#include <optional>
#include <random>
#include <thread>
#include <utility>

#include "furrow/core/bits.hpp"

#include "host/base/hex.hpp"
#include "host/base/mutex.hpp"
#include "host/base/threads.hpp"

namespace furrow {
namespace {

std::string hex_of(const SectorId& sector_id) {
  return to_hex(sector_id.bytes);
}

/// The verification of one call of encode: copies of sources, and a thread that compares.
class Verification {
 public:
  /// `on_difference` is called once at most, from the thread.
  Verification(EncodingJob& job, std::vector<PieceOffset> sample, const EncodeOneRecord& reference,
               std::function<void()> on_difference)
      : job_(job),
        sample_(std::move(sample)),
        reference_(reference),
        on_difference_(std::move(on_difference)) {
    if (!sample_.empty()) {
      try {
        thread_ = start_thread("fw-verify", [this](const std::stop_token& stop) { work(stop); });
      } catch (const ResourceExhausted&) {
        // finish() compares, later and on the thread of the encoder.
      }
    }
  }

  void keep_source(PieceOffset offset) {
    if (std::binary_search(sample_.begin(), sample_.end(), offset)) {
      auto copy = std::make_unique<Record>(job_.record(offset));
      const Lock lock(mutex_);
      sources_[offset] = std::move(copy);
    }
  }

  void verify(PieceOffset offset) {
    const Lock lock(mutex_);
    if (sources_.contains(offset)) {
      waiting_.push_back(offset);
      changed_.notify_all();
    }
  }

  /// Waits for what is to be verified and ends the thread. A stop request cuts that short unless
  /// all records of the job are done: those count as encoded, and few are left to compare. False
  /// when something was left out. Throws what the reference threw.
  [[nodiscard]] bool finish(const std::stop_token& stop) {
    if (thread_.joinable()) {
      {
        const Lock lock(mutex_);
        changed_.wait(mutex_, stop, [this]() FURROW_REQUIRES(mutex_) {
          return is_cut_short_ || (waiting_.empty() && !is_busy_);
        });
      }
      thread_.request_stop();
      thread_.join();
    }
    const Lock lock(mutex_);
    is_cut_short_ = false;
    while (!waiting_.empty() && !is_cut_short_) {
      // Asked in this order: a pause counts, a stop only while there is something left to encode.
      compare_next([&] { return (!stop.stop_requested() && job_.may_go_on()) || job_.all_done(); });
    }
    if (failure_ != nullptr) {
      std::rethrow_exception(failure_);
    }
    return waiting_.empty();
  }

  /// The first record that is wrong, and how. To be asked after finish().
  [[nodiscard]] const std::optional<std::pair<PieceOffset, std::string>>& wrong() const {
    return wrong_;
  }

 private:
  void work(const std::stop_token& stop) {
    const Lock lock(mutex_);
    while (!is_cut_short_ && changed_.wait(mutex_, stop, [this]() FURROW_REQUIRES(mutex_) {
      return !waiting_.empty();
    }) && !stop.stop_requested()) {
      compare_next([&] { return !stop.stop_requested() && job_.may_go_on(); });
    }
  }

  /// The record waits again when `may_go_on` said no.
  void compare_next(const MayGoOn& may_go_on) FURROW_REQUIRES(mutex_) {
    const PieceOffset offset = waiting_.front();
    waiting_.pop_front();
    std::unique_ptr<Record> source = std::move(sources_[offset]);
    sources_.erase(offset);
    is_busy_ = true;
    bool is_compared = false;
    {
      const Unlocked unlocked(mutex_);
      is_compared = compare(offset, *source, may_go_on);
    }
    is_busy_ = false;
    if (!is_compared) {
      sources_[offset] = std::move(source);
      waiting_.push_front(offset);
      is_cut_short_ = true;
    }
    if (wrong_.has_value() || failure_ != nullptr) {
      waiting_.clear();
    }
    changed_.notify_all();
  }

  /// `record` is the source and is replaced by its encoded form. False when it was cut short, with
  /// the record as it was.
  bool compare(PieceOffset offset, Record& record, const MayGoOn& may_go_on) {
    try {
      FoundProofs found_proofs;
      std::string what;
      try {
        if (reference_(job_.network(), job_.sector_id(), offset, record, found_proofs, may_go_on) ==
            EncodeOutcome::kCancelled) {
          return false;
        }
        what =
            record_difference(record, found_proofs, job_.record(offset), job_.found_proofs(offset));
      } catch (const UnencodableRecord& error) {
        what = error.what();
      }
      if (!what.empty() && !wrong_.has_value()) {
        wrong_.emplace(offset, std::move(what));
        on_difference_();
      }
    } catch (...) {
      failure_ = std::current_exception();
    }
    return true;
  }

  EncodingJob& job_;
  const std::vector<PieceOffset> sample_;
  const EncodeOneRecord& reference_;
  const std::function<void()> on_difference_;
  Mutex mutex_;
  ConditionVariable changed_;
  std::map<PieceOffset, std::unique_ptr<Record>> sources_ FURROW_GUARDED_BY(mutex_);
  std::deque<PieceOffset> waiting_ FURROW_GUARDED_BY(mutex_);
  bool is_busy_ FURROW_GUARDED_BY(mutex_) = false;
  bool is_cut_short_ FURROW_GUARDED_BY(mutex_) = false;
  // Written by the thread alone, read by others when it has ended.
  std::optional<std::pair<PieceOffset, std::string>> wrong_;
  std::exception_ptr failure_;
  std::jthread thread_;
};

}  // namespace

std::string record_difference(const Record& expected, const FoundProofs& expected_bitmap,
                              const Record& actual, const FoundProofs& actual_bitmap) {
  if (expected_bitmap != actual_bitmap) {
    const auto at =
        std::mismatch(expected_bitmap.begin(), expected_bitmap.end(), actual_bitmap.begin());
    return "its bitmap differs from byte " +
           std::to_string(std::distance(expected_bitmap.begin(), at.first)) + " on";
  }
  if (expected != actual) {
    const auto at = std::mismatch(expected.begin(), expected.end(), actual.begin());
    return "it differs from chunk " + std::to_string(std::distance(expected.begin(), at.first)) +
           " on";
  }
  return {};
}

WrongEncoding::WrongEncoding(const std::string& encoder_name, const SectorId& sector_id,
                             PieceOffset offset, const std::string& difference)
    : EncoderError("wrong encoding: " + encoder_name + ", sector " + hex_of(sector_id) +
                       ", piece offset " + std::to_string(offset.value()) + ": " + difference,
                   {.piece_offset = offset.value()}),
      offset_(offset) {}

std::vector<PieceOffset> sampled_offsets(std::uint64_t seed, const SectorId& sector_id,
                                         std::size_t n_records, std::size_t n_samples,
                                         PieceOffset first_offset) {
  std::vector<std::uint16_t> early(std::min(n_records, std::max(n_samples, (n_records + 1) / 2)));
  std::iota(early.begin(), early.end(), std::uint16_t{0});
  std::vector<std::uint16_t> chosen;
  std::mt19937_64 random(seed ^ core::load_le64(sector_id.data()));
  std::sample(early.begin(), early.end(), std::back_inserter(chosen), n_samples, random);
  std::vector<PieceOffset> result;
  result.reserve(chosen.size());
  for (const std::uint16_t offset : chosen) {
    result.emplace_back(static_cast<std::uint16_t>(first_offset.value() + offset));
  }
  return result;
}

VerifiedEncoder::VerifiedEncoder(std::unique_ptr<RecordsEncoder> encoder, Options options)
    : encoder_(std::move(encoder)), options_(std::move(options)) {}

EncodeOutcome VerifiedEncoder::encode(EncodingJob& job, std::stop_token stop) {
  if (is_quarantined_) {
    throw DeviceLost(name(), "quarantined, because it gave wrong bytes before");
  }
  std::stop_source end;
  const std::stop_callback forward(stop, [&] { end.request_stop(); });
  Verification verification(job,
                            sampled_offsets(options_.seed, job.sector_id(), job.size(),
                                            options_.records_per_sector, job.first_offset()),
                            options_.reference, [&] { end.request_stop(); });
  EncodingJob watched =
      job.watched({.on_claimed = [&](PieceOffset offset) { verification.keep_source(offset); },
                   .on_done = [&](PieceOffset offset) { verification.verify(offset); }});

  EncodeOutcome outcome = EncodeOutcome::kCancelled;
  std::exception_ptr failure;
  try {
    outcome = encoder_->encode(watched, end.get_token());
  } catch (...) {
    // What it finished before is verified all the same: a device that dies may have lied first.
    failure = std::current_exception();
  }
  const bool is_verified = verification.finish(stop);
  if (verification.wrong().has_value()) {
    is_quarantined_ = true;
    const auto& [offset, what] = *verification.wrong();
    throw WrongEncoding(name(), job.sector_id(), offset, what);
  }
  if (failure != nullptr) {
    std::rethrow_exception(failure);
  }
  if (!is_verified) {
    return EncodeOutcome::kCancelled;
  }
  // One that was stopped when the last record was done has left nothing out.
  return job.all_done() ? EncodeOutcome::kComplete : outcome;
}

}  // namespace furrow
