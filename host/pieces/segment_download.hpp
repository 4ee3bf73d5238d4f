// SPDX-License-Identifier: Apache-2.0
// Fetching enough pieces of a segment to recover the others (docs/spec/05-archiving-and-pieces.md,
// section 11).
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <exception>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>

#include "furrow/piece_getter.hpp"

#include "host/archive/segment_reconstruction.hpp"

namespace furrow {

/// How often to try, and how long to wait between tries.
struct RetryPolicy {
  unsigned tries = 4;
  std::chrono::milliseconds delay = std::chrono::seconds(10);
};

/// Pieces of a segment, as far as they were found.
class SegmentSlots {
 public:
  [[nodiscard]] const Piece* operator[](std::size_t position) const {
    return pieces_[position].get();
  }
  void set(PiecePosition position, PiecePtr piece) { pieces_[position.value()] = std::move(piece); }
  [[nodiscard]] std::size_t n_pieces() const;
  /// As the functions of segment_reconstruction take them; valid until this object changes.
  [[nodiscard]] std::array<const Piece*, kNumPieces> slots() const;

 private:
  std::array<PiecePtr, kNumPieces> pieces_;
};

/// Told of each piece that was asked for and failed, with the error; not when it is the getter as a
/// whole that refuses.
using OnPieceFailed = std::function<void(PieceIndex, const std::exception_ptr&)>;

/// Asks `getter` for pieces of the segment, source pieces first, until 128 are there. None when a
/// stop was requested, which also cuts a wait short, or when `is_still_wanted`, which is asked
/// after each wait, says no. Throws NotEnoughPieces, with the last failure in its message, when the
/// tries are used up, InvalidArgument when there are none to use, and at once NoSourceLeft, what
/// is_still_wanted throws, and the error of a piece with which the getter as a whole refuses.
std::optional<SegmentSlots> download_segment_pieces(
    PieceGetter& getter, SegmentIndex segment, const std::stop_token& stop,
    const RetryPolicy& policy = {}, const OnPieceFailed& on_failed = {},
    const std::function<bool()>& is_still_wanted = {});

/// The identity that most of the pieces agree on: what recovery is checked against when nothing
/// else is known. Only for pieces from a getter that is trusted to have validated them. Pre: there
/// is a piece.
SegmentIdentity agreed_identity(const SegmentSlots& slots, SegmentIndex segment);

/// Downloads pieces of the segment and gives its 128 source records, for reading history. None when
/// a stop was requested. Throws as above.
std::optional<SourceRecords> download_source_records(
    PieceGetter& getter, const ErasureCoding& erasure, const SegmentIdentity& identity,
    const std::stop_token& stop, const RetryPolicy& policy = {}, const ComputeOptions& options = {},
    const OnPieceFailed& on_failed = {});

}  // namespace furrow
