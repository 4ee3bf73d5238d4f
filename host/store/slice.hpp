// SPDX-License-Identifier: Apache-2.0
// Bytes of a finished message, owned wherever they lie.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <utility>

#include "host/store/slot_block.hpp"

namespace furrow {

/// Owns bytes in a slot of a pool's block or on the heap. Move-only. Thread-compatible: it may be
/// used, moved to and dropped on any thread, by one at a time. Valid until dropped, also when the
/// pool is gone by then.
class Slice {
 public:
  /// No bytes, no slot.
  Slice() noexcept = default;
  /// Becomes the owner of a slot of `block`, in which `bytes` lie.
  Slice(std::span<std::uint8_t> bytes, SlotBlock& block, unsigned slot) noexcept
      : bytes_(bytes), owner_(&block), slot_(slot) {}
  /// Takes over memory of std::malloc in which `bytes` lie.
  Slice(std::span<std::uint8_t> bytes, void* allocation) noexcept
      : bytes_(bytes), owner_(allocation) {}

  Slice(Slice&& other) noexcept
      : bytes_(std::exchange(other.bytes_, {})),
        owner_(std::exchange(other.owner_, nullptr)),
        slot_(std::exchange(other.slot_, kOnHeap)) {}
  /// What this slice owned is dropped at once.
  Slice& operator=(Slice&& other) noexcept {
    if (this != &other) {
      drop();
      bytes_ = std::exchange(other.bytes_, {});
      owner_ = std::exchange(other.owner_, nullptr);
      slot_ = std::exchange(other.slot_, kOnHeap);
    }
    return *this;
  }
  Slice(const Slice&) = delete;
  Slice& operator=(const Slice&) = delete;
  ~Slice() { drop(); }

  [[nodiscard]] std::span<std::uint8_t> bytes() noexcept { return bytes_; }
  [[nodiscard]] std::span<const std::uint8_t> bytes() const noexcept { return bytes_; }
  [[nodiscard]] std::size_t size() const noexcept { return bytes_.size(); }
  [[nodiscard]] bool empty() const noexcept { return bytes_.empty(); }
  /// Whether the bytes lie in the block of a pool, and so are pinned when the block is.
  [[nodiscard]] bool is_in_block() const noexcept { return slot_ != kOnHeap; }

 private:
  static constexpr unsigned kOnHeap = SlotBlock::kSlots;

  // The analyser cannot know that a block counts its owners and that slot_ tells which kind owner_
  // is. NOLINTBEGIN(clang-analyzer-cplusplus.NewDelete, clang-analyzer-unix.Malloc)
  void drop() noexcept {
    if (is_in_block()) {
      static_cast<SlotBlock*>(owner_)->give_back(slot_);
    } else {
      std::free(owner_);
    }
  }
  // NOLINTEND(clang-analyzer-cplusplus.NewDelete, clang-analyzer-unix.Malloc)

  std::span<std::uint8_t> bytes_;
  void* owner_ = nullptr;  // a SlotBlock when slot_ is a slot, else an allocation or null
  unsigned slot_ = kOnHeap;
};

}  // namespace furrow
