// SPDX-License-Identifier: Apache-2.0
#include "host/pieces/segment_download.hpp"

#include <algorithm>
#include <vector>

#include "host/base/sleep.hpp"
#include "host/pieces/source_errors.hpp"

namespace furrow {
namespace {

/// The downloading of one segment.
class SegmentDownload {
 public:
  SegmentDownload(PieceGetter& getter, SegmentIndex segment, std::stop_token stop,
                  const OnPieceFailed& on_failed)
      : getter_(getter), segment_(segment), stop_(std::move(stop)), on_failed_(on_failed) {}

  [[nodiscard]] bool is_complete() const { return n_pieces_ >= kNumRawRecords; }
  [[nodiscard]] bool is_stopped() const { return stop_.stop_requested(); }
  [[nodiscard]] NotEnoughPieces failure() const { return {segment_, n_pieces_, last_failure_}; }
  SegmentSlots take() { return std::move(slots_); }

  /// One walk over the positions 0 to 255.
  void try_once() {
    std::size_t next = 0;
    while (!is_complete() && next < kNumPieces && !is_stopped()) {
      std::vector<PieceIndex> batch;
      for (; next < kNumPieces && batch.size() < kNumRawRecords - n_pieces_; ++next) {
        if (slots_[next] == nullptr) {
          batch.push_back(piece_index_at(segment_, PiecePosition(static_cast<std::uint8_t>(next))));
        }
      }
      try {
        request(batch);
      } catch (const NoSourceLeft&) {
        throw;  // further tries mend nothing
      } catch (...) {
        const std::exception_ptr error = std::current_exception();
        last_failure_ = message_of(error);
        if (!is_refusal(fault_of(error))) {
          return;
        }
        refusal_ = error;
      }
      if (refusal_ != nullptr) {
        std::rethrow_exception(refusal_);
      }
    }
  }

 private:
  void request(const std::vector<PieceIndex>& batch) {
    if (batch.empty()) {
      return;
    }
    getter_.get_pieces(
        batch,
        [&](PieceIndex index, PieceAnswer answer) {
          if (answer.piece != nullptr) {
            if (segment_index_of(index) != segment_ ||
                slots_[position_of(index).value()] != nullptr) {
              return;  // not asked for
            }
            slots_.set(position_of(index), std::move(answer.piece));
            ++n_pieces_;
          } else if (answer.error != nullptr && is_refusal(fault_of(answer.error))) {
            refusal_ = answer.error;
          } else if (answer.error != nullptr) {
            last_failure_ = message_of(answer.error);
            if (on_failed_) {
              on_failed_(index, answer.error);
            }
          }
        },
        stop_);
  }

  PieceGetter& getter_;
  SegmentIndex segment_;
  std::stop_token stop_;
  const OnPieceFailed& on_failed_;
  SegmentSlots slots_;
  std::size_t n_pieces_ = 0;
  std::string last_failure_;
  std::exception_ptr refusal_;  // of the getter as a whole: no piece is to blame
};

}  // namespace

std::size_t SegmentSlots::n_pieces() const {
  return static_cast<std::size_t>(std::count_if(
      pieces_.begin(), pieces_.end(), [](const PiecePtr& piece) { return piece != nullptr; }));
}

std::array<const Piece*, kNumPieces> SegmentSlots::slots() const {
  std::array<const Piece*, kNumPieces> result;
  std::transform(pieces_.begin(), pieces_.end(), result.begin(),
                 [](const PiecePtr& piece) { return piece.get(); });
  return result;
}

std::optional<SegmentSlots> download_segment_pieces(PieceGetter& getter, SegmentIndex segment,
                                                    const std::stop_token& stop,
                                                    const RetryPolicy& policy,
                                                    const OnPieceFailed& on_failed,
                                                    const std::function<bool()>& is_still_wanted) {
  if (policy.tries == 0) {
    throw InvalidArgument("download of segment " + std::to_string(segment.value()) +
                          ": expected at least one try, actual 0");
  }
  SegmentDownload download(getter, segment, stop, on_failed);
  for (unsigned i = 0; i < policy.tries; ++i) {
    if (i > 0) {
      sleep_for(policy.delay, stop);
    }
    if (stop.stop_requested() || (i > 0 && is_still_wanted && !is_still_wanted())) {
      return std::nullopt;
    }
    download.try_once();
    if (download.is_complete()) {
      return download.take();
    }
  }
  if (stop.stop_requested()) {
    return std::nullopt;
  }
  throw download.failure();
}

SegmentIdentity agreed_identity(const SegmentSlots& slots, SegmentIndex segment) {
  std::vector<std::pair<SegmentIdentity, std::size_t>> votes;
  for (const Piece* piece : slots.slots()) {
    if (piece == nullptr) {
      continue;
    }
    const SegmentIdentity identity = segment_identity_of(*piece, segment);
    const auto same = std::find_if(votes.begin(), votes.end(), [&](const auto& vote) {
      return vote.first.shard == identity.shard && vote.first.local_index == identity.local_index &&
             vote.first.root == identity.root;
    });
    if (same == votes.end()) {
      votes.emplace_back(identity, 1);
    } else {
      ++same->second;
    }
  }
  return std::max_element(votes.begin(), votes.end(),
                          [](const auto& a, const auto& b) { return a.second < b.second; })
      ->first;
}

std::optional<SourceRecords> download_source_records(
    PieceGetter& getter, const ErasureCoding& erasure, const SegmentIdentity& identity,
    const std::stop_token& stop, const RetryPolicy& policy, const ComputeOptions& options,
    const OnPieceFailed& on_failed) {
  const std::optional<SegmentSlots> pieces =
      download_segment_pieces(getter, identity.segment, stop, policy, on_failed);
  if (!pieces) {
    return std::nullopt;
  }
  return reconstruct_source_records(pieces->slots(), identity, erasure, options).records;
}

}  // namespace furrow
