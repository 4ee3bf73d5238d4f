// SPDX-License-Identifier: Apache-2.0
// Buffers out of one block of memory, without an allocation for each message.
//
// The block holds slices in the order of their slots; free space is used in two places:
//
//        front part        gap of            back part           gap of
//      slots 0, 1, ...   front mode        ... up to the last   back mode
//     +-----------------+---------+-------------------------+-------------+
//     |  [0]  [1]       |         |   [3]  [4]       [6]    |             |
//     +-----------------+---------+-------------------------+-------------+
//     0                                                           capacity
//
// A message is put, in this order of preference,
//   back    behind the last living slice, in the slot after its slot: at byte 0 when none is alive;
//   front   behind the front part, when slices at the beginning of the back part were dropped;
//   alloc   into system memory, when neither has a slot and the bytes.
// A hole between living slices of one part is not used; it joins a gap when its neighbours go. When
// the back part is gone, the front part becomes the back part. A message that outgrows its gap
// moves by the same rule.
//
// Examples: tests/unit/store/buffer_pool_examples_test.cpp.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "host/base/memory_block.hpp"
#include "host/store/buffer.hpp"
#include "host/store/slot_block.hpp"
#include "host/store/system_buffer.hpp"

namespace furrow {

/// Where a pool puts messages.
enum class BufferPoolMode { kBack, kFront, kAlloc };

struct BufferPoolOptions {
  /// Bytes of the block. 0 is legal: no block then, and every message in system memory.
  std::size_t capacity = 0;
  /// Messages and slices start at multiples of this, in system memory too. A power of two of at
  /// most a page.
  std::size_t alignment = 64;
  /// Asked once.
  BlockSource source = make_page_block;
};

/// What a pool did since it was made.
struct BufferPoolCounters {
  std::uint64_t n_back = 0;          ///< slices handed out, by the mode in which they were put
  std::uint64_t n_front = 0;         ///< "
  std::uint64_t n_alloc = 0;         ///< "
  std::uint64_t n_mode_changes = 0;  ///< messages, or moves of one, in another mode than before
  std::uint64_t n_fallbacks = 0;     ///< messages that found no room in the block, taken or not
  std::uint64_t n_moves = 0;         ///< messages that outgrew their gap, with what they held
  std::uint64_t n_moved_bytes = 0;   ///< bytes copied for that
  std::size_t high_water_mark = 0;   ///< highest end of a slice in the block, in bytes
};

/// A Buffer whose messages lie in one block, in at most eight slots, as long as they fit, else in
/// system memory (docs/spec/08-storage-components.md, part 4). Thread-compatible: one user at a
/// time, while slices are dropped on any thread.
///
/// No allocation happens while at most eight slices are alive and the bytes fit in a gap; a slice
/// never moves, and never overlaps another one or the message being built.
class BufferPool {
 public:
  static constexpr unsigned kSlots = SlotBlock::kSlots;

  /// Takes the block from the source. Throws InvalidArgument for a bad alignment or a block that
  /// does not start at a page, and whatever the source throws.
  explicit BufferPool(const BufferPoolOptions& options);
  BufferPool(const BufferPool&) = delete;
  BufferPool& operator=(const BufferPool&) = delete;
  /// Slices stay valid; the last owner frees the block.
  ~BufferPool();

  std::span<std::uint8_t> get_writable(std::size_t n) {
    if (n > gap_end_ - end_) {
      return get_writable_elsewhere(n);
    }
    const std::span part(data_ + end_, n);
    end_ += n;
    return part;
  }
  [[nodiscard]] std::span<const std::uint8_t> bytes() const noexcept {
    return begin_ == end_ ? system_.bytes() : std::span<const std::uint8_t>(message());
  }
  Slice get_data_owned() noexcept;

  [[nodiscard]] std::size_t capacity() const noexcept { return capacity_; }
  [[nodiscard]] std::size_t alignment() const noexcept { return alignment_; }
  /// Of the latest message with bytes; back before the first one. Dropping slices does not change
  /// it: the next message does.
  [[nodiscard]] BufferPoolMode mode() const noexcept { return mode_; }
  [[nodiscard]] const BufferPoolCounters& counters() const noexcept { return counters_; }

 private:
  /// Offsets in the block: where the slice of a slot begins, and where one behind it may.
  struct Slot {
    std::size_t begin = 0;
    std::size_t next = 0;
  };
  struct Gap {
    unsigned slot;
    std::size_t begin;
    std::size_t end;
  };

  [[nodiscard]] std::span<std::uint8_t> message() const noexcept {
    return {data_ + begin_, end_ - begin_};
  }
  std::span<std::uint8_t> get_writable_elsewhere(std::size_t n);
  bool find_room(std::size_t n_bytes);
  bool move_into(const Gap& gap, std::size_t n_bytes, BufferPoolMode mode) noexcept;
  std::span<std::uint8_t> continue_in_system_memory(std::size_t n);
  void set_mode(BufferPoolMode mode) noexcept;

  std::size_t capacity_;
  std::size_t alignment_;
  SlotBlock* block_ = nullptr;  // shared with the slices; null without capacity
  std::uint8_t* data_ = nullptr;
  SystemBuffer system_;  // holds the message being built unless it is in the block or empty

  // The message being built: its slot and its offsets in the block. All three are equal when it is
  // empty or in system memory.
  unsigned slot_ = 0;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  std::size_t gap_end_ = 0;

  std::array<Slot, kSlots> slots_;  // of those alive; ascending with the slot
  unsigned handed_out_ = 0;         // bit i: slot i was handed out since the block had it renewed
  unsigned n_front_slots_ = 0;      // slots below are the front part
  BufferPoolMode mode_ = BufferPoolMode::kBack;
  BufferPoolCounters counters_;
};

static_assert(Buffer<BufferPool>);

}  // namespace furrow
