// A block of memory that a pool and up to eight slices own together, and the word that says who of
// them is left:
//
//   bit    0   1   2   3   4   5   6   7       8
//          the slice in that slot is alive     the pool is alive
//
// Each owner clears its bit once, by subtracting it: one instruction that also tells who was last
// and frees the block. Leaving releases, looking acquires: who finds a bit clear sees everything
// that was done with the slice's bytes.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "host/store/memory_block.hpp"

namespace furrow {

/// Lives until the pool and all slices have left. `take` and `live_slots` are for the pool's one
/// user; `leave` is for any thread, constant time and lock-free.
class alignas(64) SlotBlock {  // a cache line of its own: other threads write to the word
 public:
  static constexpr unsigned kSlots = 8;

  /// The caller is the pool; it has to leave with leave_pool.
  static SlotBlock* make(MemoryBlock memory) { return new SlotBlock(std::move(memory)); }
  SlotBlock(const SlotBlock&) = delete;
  SlotBlock& operator=(const SlotBlock&) = delete;

  [[nodiscard]] std::uint8_t* data() const noexcept { return memory_.get(); }
  /// Bit i: the slice in slot i is alive.
  [[nodiscard]] unsigned live_slots() const noexcept {
    return owners_.load(std::memory_order_acquire) & (kPool - 1);
  }
  /// Pre: the slot is free. Nothing is published by it: whoever gets the slice to another thread
  /// does that.
  void take(unsigned slot) noexcept { owners_.fetch_add(1U << slot, std::memory_order_relaxed); }
  /// Called by the slice in that slot, once. The block may be gone afterwards.
  void leave(unsigned slot) noexcept { remove(1U << slot); }
  /// Called by the pool, once. The block may be gone afterwards.
  void leave_pool() noexcept { remove(kPool); }

 private:
  static constexpr unsigned kPool = 1U << kSlots;

  explicit SlotBlock(MemoryBlock memory) : memory_(std::move(memory)) {}
  ~SlotBlock() = default;
  void remove(unsigned owner) noexcept {
    if (owners_.fetch_sub(owner, std::memory_order_acq_rel) == owner) {
      delete this;
    }
  }

  std::atomic<unsigned> owners_ = kPool;
  MemoryBlock memory_;
};

}  // namespace furrow
