// SPDX-License-Identifier: Apache-2.0
// A block of memory that a pool and up to eight slices own together, and the word that says who of
// them is left:
//
//   bit    0   1   2   3   4   5   6   7       8
//          that slot was not given back        the pool is alive
//
// A slot's bit is set from the start. The slice in it clears the bit once, by subtracting it, when
// it is dropped; the pool sets it again before the slot's next use. So handing out a slice touches
// nothing that is shared, and dropping it is one instruction, which also tells who was last and has
// to free the block. Clearing releases, looking acquires: who finds a bit clear sees everything
// that was done with the slice's bytes.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "host/base/memory_block.hpp"

namespace furrow {

/// Lives until the pool and all slices have left. `give_back` is for any thread, constant time and
/// lock-free; the rest is for the pool's one user, who knows which slots have been handed out.
class alignas(64) SlotBlock {  // a cache line of its own: other threads write to the word
 public:
  static constexpr unsigned kSlots = 8;

  static constexpr unsigned kAllSlots = (1U << kSlots) - 1;

  /// The caller is the pool, which has to leave with leave_pool.
  static SlotBlock* make(MemoryBlock memory) { return new SlotBlock(std::move(memory)); }
  SlotBlock(const SlotBlock&) = delete;
  SlotBlock& operator=(const SlotBlock&) = delete;

  [[nodiscard]] std::uint8_t* data() const noexcept { return memory_.get(); }
  /// Bit i: slot i was handed out and given back.
  [[nodiscard]] unsigned given_back() const noexcept {
    return ~owners_.load(std::memory_order_acquire) & kAllSlots;
  }
  /// Makes slots that were given back ready to be handed out again. Who sends the slice to another
  /// thread orders this before its end.
  void renew(unsigned slots) noexcept { owners_.fetch_add(slots, std::memory_order_relaxed); }
  /// Called by the slice in that slot, once. The block may be gone afterwards.
  void give_back(unsigned slot) noexcept { remove(1U << slot); }
  /// Called by the pool, once, with all slots that are not handed out since they were made or
  /// renewed. The block may be gone afterwards.
  void leave_pool(unsigned own_slots) noexcept { remove(kPool | own_slots); }

 private:
  static constexpr unsigned kPool = 1U << kSlots;

  explicit SlotBlock(MemoryBlock memory) : memory_(std::move(memory)) {}
  ~SlotBlock() = default;
  void remove(unsigned owners) noexcept {
    if (owners_.fetch_sub(owners, std::memory_order_acq_rel) == owners) {
      delete this;
    }
  }

  std::atomic<unsigned> owners_ = kPool | kAllSlots;
  MemoryBlock memory_;
};

}  // namespace furrow
