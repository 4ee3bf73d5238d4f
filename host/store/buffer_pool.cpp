// SPDX-License-Identifier: Apache-2.0
#include "host/store/buffer_pool.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>
#include <string>
#include <utility>

#include "furrow/errors.hpp"

namespace furrow {

BufferPool::BufferPool(const BufferPoolOptions& options)
    : capacity_(options.capacity), alignment_(options.alignment), system_(options.alignment) {
  if (alignment_ > page_size()) {
    throw InvalidArgument("buffer pool: alignment " + std::to_string(alignment_) +
                          " is more than a page of " + std::to_string(page_size()) + " bytes");
  }
  if (capacity_ == 0) {
    return;
  }
  MemoryBlock memory = options.source(capacity_);
  if (memory == nullptr || reinterpret_cast<std::uintptr_t>(memory.get()) % page_size() != 0) {
    throw InvalidArgument("buffer pool: the block of " + std::to_string(capacity_) +
                          " bytes does not start at a page");
  }
  block_ = SlotBlock::make(std::move(memory));
  data_ = block_->data();
}

BufferPool::~BufferPool() {
  if (block_ != nullptr) {
    block_->leave_pool(SlotBlock::kAllSlots & ~handed_out_);
  }
}

std::span<std::uint8_t> BufferPool::get_writable_elsewhere(std::size_t n) {
  // A message stays in system memory once it is there: its next part may well be as long.
  const std::size_t size = end_ - begin_;
  if (!system_.bytes().empty() || n > capacity_ - size || !find_room(size + n)) {
    return continue_in_system_memory(n);
  }
  const std::span part(data_ + end_, n);
  end_ += n;
  return part;
}

/// Makes room for a message of `n_bytes`, more than 0 and at most the capacity. What there is of it
/// moves when it must. False when the block has no such room.
bool BufferPool::find_room(std::size_t n_bytes) {
  // Slots may become free while this runs, which is no harm: they are found the next time.
  const unsigned live = handed_out_ & ~block_->given_back();
  n_front_slots_ = static_cast<unsigned>(std::bit_width(live & ((1U << n_front_slots_) - 1)));
  if (live >> n_front_slots_ == 0) {
    n_front_slots_ = 0;  // the back part is gone
  }
  if (begin_ != end_) {
    // Slices behind a message in the front may have gone since it began.
    const unsigned behind = live >> slot_;
    const std::size_t end =
        behind == 0 ? capacity_
                    : slots_[slot_ + static_cast<unsigned>(std::countr_zero(behind))].begin;
    if (n_bytes <= end - begin_) {
      gap_end_ = end;
      set_mode(behind == 0 ? BufferPoolMode::kBack : BufferPoolMode::kFront);
      return true;
    }
  }
  const auto behind_slots = [this](unsigned n_slots) {
    return n_slots == 0 ? 0 : slots_[n_slots - 1].next;
  };
  const auto n_slots = static_cast<unsigned>(std::bit_width(live));
  if (n_slots < kSlots &&
      move_into({n_slots, behind_slots(n_slots), capacity_}, n_bytes, BufferPoolMode::kBack)) {
    return true;
  }
  if (live == 0) {
    return false;
  }
  const unsigned first_back =
      n_front_slots_ + static_cast<unsigned>(std::countr_zero(live >> n_front_slots_));
  return n_front_slots_ < first_back &&
         move_into({n_front_slots_, behind_slots(n_front_slots_), slots_[first_back].begin},
                   n_bytes, BufferPoolMode::kFront);
}

bool BufferPool::move_into(const Gap& gap, std::size_t n_bytes, BufferPoolMode mode) noexcept {
  if (gap.begin >= gap.end || n_bytes > gap.end - gap.begin) {
    return false;
  }
  if ((handed_out_ >> gap.slot & 1U) != 0) {
    const unsigned given_back = block_->given_back();
    block_->renew(given_back);  // all at once: it is an atomic operation
    handed_out_ &= ~given_back;
  }
  const std::size_t size = end_ - begin_;
  if (size != 0) {
    std::memmove(data_ + gap.begin, data_ + begin_, size);  // the old place may be in the same gap
    ++counters_.n_moves;
    counters_.n_moved_bytes += size;
  }
  slot_ = gap.slot;
  begin_ = gap.begin;
  end_ = gap.begin + size;
  gap_end_ = gap.end;
  set_mode(mode);
  return true;
}

std::span<std::uint8_t> BufferPool::continue_in_system_memory(std::size_t n) {
  if (!system_.bytes().empty()) {
    return system_.get_writable(n);
  }
  const std::span<std::uint8_t> old = message();
  // A sum that does not fit asks for more than any memory has.
  const bool fits = n <= std::numeric_limits<std::size_t>::max() - old.size();
  const std::span<std::uint8_t> moved =
      system_.get_writable(fits ? old.size() + n : std::numeric_limits<std::size_t>::max());
  if (!old.empty()) {
    std::memcpy(moved.data(), old.data(), old.size());
    ++counters_.n_moves;
    counters_.n_moved_bytes += old.size();
  }
  begin_ = end_ = gap_end_ = 0;
  ++counters_.n_fallbacks;
  set_mode(BufferPoolMode::kAlloc);
  return moved.subspan(old.size());
}

Slice BufferPool::get_data_owned() noexcept {
  if (begin_ == end_) {
    counters_.n_alloc += system_.bytes().empty() ? 0 : 1;
    return system_.get_data_owned();
  }
  Slice slice(message(), *block_, slot_);
  handed_out_ |= 1U << slot_;
  slots_[slot_] = {begin_, (end_ + alignment_ - 1) & ~(alignment_ - 1)};
  if (mode_ == BufferPoolMode::kFront) {
    n_front_slots_ = slot_ + 1;
    ++counters_.n_front;
  } else {
    ++counters_.n_back;
  }
  counters_.high_water_mark = std::max(counters_.high_water_mark, end_);
  begin_ = end_ = gap_end_ = 0;
  return slice;
}

void BufferPool::set_mode(BufferPoolMode mode) noexcept {
  counters_.n_mode_changes += mode == mode_ ? 0 : 1;
  mode_ = mode;
}

}  // namespace furrow
