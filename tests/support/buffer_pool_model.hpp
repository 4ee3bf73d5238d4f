// SPDX-License-Identifier: Apache-2.0
// What a buffer pool has to do, in the plainest form: two lists of what lies in the block. It
// shares no code with the pool.
#pragma once

#include <algorithm>
#include <cstddef>
#include <deque>
#include <optional>

#include "host/store/buffer_pool.hpp"

namespace furrow::test {

/// Tells where the pool has to put each message. Slices are known by numbers of the caller's
/// choice.
class BufferPoolModel {
 public:
  struct Message {
    BufferPoolMode mode = BufferPoolMode::kBack;
    unsigned slot = 0;  // these three not in system memory
    std::size_t begin = 0;
    std::size_t gap_end = 0;
    std::size_t size = 0;
  };

  BufferPoolModel(std::size_t capacity, std::size_t alignment)
      : capacity_(capacity), alignment_(alignment) {}

  /// What the message becomes that is built, or begun, by n more bytes.
  void grow(std::size_t n) {
    if (n == 0) {
      return;
    }
    const Message old = message_.value_or(Message{});
    message_ = grown(n);
    message_->size = old.size + n;
    const bool in_system = message_->mode == BufferPoolMode::kAlloc;
    if (old.size != 0 && old.mode != BufferPoolMode::kAlloc &&
        (in_system || message_->begin != old.begin)) {
      ++counters_.n_moves;
      counters_.n_moved_bytes += old.size;
    }
    if (in_system && (old.size == 0 || old.mode != BufferPoolMode::kAlloc)) {
      ++counters_.n_fallbacks;
    }
    counters_.n_mode_changes += message_->mode == mode_ ? 0 : 1;
    mode_ = message_->mode;
  }

  /// The message, if it has bytes, becomes the slice `number`.
  void take(std::size_t number) {
    if (!message_) {
      return;
    }
    const Piece piece{number, message_->slot, message_->begin, message_->begin + message_->size};
    if (mode_ == BufferPoolMode::kAlloc) {
      ++counters_.n_alloc;
    } else {
      (mode_ == BufferPoolMode::kFront ? front_ : back_).push_back(piece);
      ++(mode_ == BufferPoolMode::kFront ? counters_.n_front : counters_.n_back);
      counters_.high_water_mark = std::max(counters_.high_water_mark, piece.end);
    }
    message_.reset();
  }

  void drop(std::size_t number) {
    for (auto* part : {&front_, &back_}) {
      for (Piece& piece : *part) {
        piece.is_alive = piece.is_alive && piece.number != number;
      }
    }
  }

  /// Where the message would be if it grew.
  [[nodiscard]] BufferPoolMode mode_after(std::size_t n) const {
    return BufferPoolModel(*this).grown(n).mode;
  }
  [[nodiscard]] const std::optional<Message>& message() const { return message_; }
  [[nodiscard]] BufferPoolMode mode() const { return mode_; }
  [[nodiscard]] const BufferPoolCounters& counters() const { return counters_; }

 private:
  struct Piece {
    std::size_t number;
    unsigned slot;
    std::size_t begin;
    std::size_t end;
    bool is_alive = true;
  };
  using Part = std::deque<Piece>;

  static void forget_dropped(Part& part, bool also_at_the_beginning) {
    while (!part.empty() && !part.back().is_alive) {
      part.pop_back();
    }
    while (also_at_the_beginning && !part.empty() && !part.front().is_alive) {
      part.pop_front();
    }
  }

  /// A message put behind everything in `part`, up to `gap_end` and below `slot_end`.
  [[nodiscard]] std::optional<Message> behind(const Part& part, BufferPoolMode mode,
                                              std::size_t gap_end, unsigned slot_end,
                                              std::size_t size) const {
    Message result{mode, 0, 0, gap_end, size};
    if (!part.empty()) {
      result.slot = part.back().slot + 1;
      result.begin = (part.back().end + alignment_ - 1) / alignment_ * alignment_;
    }
    const bool fits = result.slot < slot_end && result.begin + size <= gap_end;
    return fits ? std::optional(result) : std::nullopt;
  }

  [[nodiscard]] Message grown(std::size_t n) {
    const std::size_t size = n + (message_ ? message_->size : 0);
    if (message_ &&
        (message_->mode == BufferPoolMode::kAlloc || message_->begin + size <= message_->gap_end)) {
      return *message_;
    }
    forget_dropped(back_, true);
    forget_dropped(front_, false);
    if (back_.empty()) {
      back_.swap(front_);
      forget_dropped(back_, true);
    }
    if (message_) {
      Message here = *message_;
      here.mode = BufferPoolMode::kBack;
      here.gap_end = capacity_;
      for (const Part* part : {&back_, &front_}) {
        for (const Piece& piece : *part) {
          if (piece.is_alive && piece.begin >= here.begin && piece.begin < here.gap_end) {
            here.mode = BufferPoolMode::kFront;
            here.gap_end = piece.begin;
          }
        }
      }
      if (here.begin + size <= here.gap_end) {
        return here;
      }
    }
    const auto in_back = behind(back_, BufferPoolMode::kBack, capacity_, BufferPool::kSlots, size);
    if (in_back) {
      return *in_back;
    }
    const auto in_front = back_.empty() ? std::nullopt
                                        : behind(front_, BufferPoolMode::kFront,
                                                 back_.front().begin, back_.front().slot, size);
    return in_front.value_or(Message{BufferPoolMode::kAlloc});
  }

  std::size_t capacity_;
  std::size_t alignment_;
  Part front_;
  Part back_;
  std::optional<Message> message_;
  BufferPoolMode mode_ = BufferPoolMode::kBack;
  BufferPoolCounters counters_;
};

}  // namespace furrow::test
