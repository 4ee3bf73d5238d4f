// SPDX-License-Identifier: Apache-2.0
// Shared memory of a block, which of its bytes have been written, and who touched them since the
// last barrier.
#pragma once

#include <cstdint>
#include <cstring>
#include <vector>

namespace furrow::sass {

class SharedMemory {
 public:
  /// Addresses from `first` to `end` may be used.
  void start_block(std::uint32_t first, std::uint32_t end);
  /// All warps have arrived: what was done before cannot meet what is done from now on.
  void pass_barrier() { ++epoch_; }

  [[nodiscard]] std::uint32_t first() const { return first_; }
  [[nodiscard]] std::uint32_t end() const {
    return first_ + static_cast<std::uint32_t>(bytes_.size());
  }
  [[nodiscard]] bool contains(std::uint32_t address, unsigned size) const {
    return address >= first_ && address - first_ <= bytes_.size() &&
           size <= bytes_.size() - (address - first_);
  }
  std::uint8_t* at(std::uint32_t address) { return bytes_.data() + (address - first_); }

  [[nodiscard]] bool is_written(std::uint32_t address, unsigned size) const;
  void mark_written(std::uint32_t address, unsigned size) {
    std::memset(written_.data() + (address - first_), 1, size);
  }

  enum class Access : std::uint8_t { kRead, kWrite, kAtomic };
  /// Notes an access by `warp`. False if it races with one of another warp.
  bool note(std::uint32_t address, unsigned size, unsigned warp, Access access);
  /// Notes a store, all of whose lanes have the same `number`. False if one of its lanes has stored
  /// another value there.
  bool note_value(std::uint32_t address, unsigned size, const void* value, std::uint32_t number);

 private:
  /// Two bytes: nothing smaller is stored by our kernels.
  static constexpr std::uint32_t kCellBytes = 2;
  static constexpr std::uint8_t kSeveral = 0xFF;
  struct Cell {
    std::uint32_t written_in = 0;  ///< epochs
    std::uint32_t read_in = 0;
    std::uint32_t stored_by = 0;
    std::uint8_t writer = 0;
    std::uint8_t reader = 0;
    bool is_atomic = false;
  };

  std::uint32_t first_ = 0;
  std::uint32_t epoch_ = 1;
  std::vector<std::uint8_t> bytes_;
  std::vector<std::uint8_t> written_;
  std::vector<Cell> cells_;
};

}  // namespace furrow::sass
