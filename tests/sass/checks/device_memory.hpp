// SPDX-License-Identifier: Apache-2.0
// Global memory: allocations far apart, and which of their bytes have been written.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <vector>

namespace furrow::sass {

class DeviceMemory {
 public:
  struct Allocation {
    std::uint64_t address = 0;
    std::vector<std::uint8_t> bytes;
    std::vector<std::uint8_t> written;  ///< 1 for each byte of `bytes` that was

    [[nodiscard]] bool contains(std::uint64_t at, std::uint64_t size) const {
      return at >= address && at - address <= bytes.size() && size <= bytes.size() - (at - address);
    }
  };

  /// Address of `size` new bytes, full of garbage.
  std::uint64_t allocate(std::size_t size);
  /// Throws BadLaunch for an address that is none of an allocation.
  void free(std::uint64_t address);
  /// The allocation around `address`, or null.
  Allocation* find(std::uint64_t address) {
    if (last_ != nullptr && last_->contains(address, 1)) {
      return last_;
    }
    return look_up(address);
  }
  /// Place of `size` bytes for the host to read, or to write, after which they count as written.
  /// Throws BadLaunch out of bounds.
  const std::uint8_t* to_read(std::uint64_t address, std::size_t size);
  std::uint8_t* to_write(std::uint64_t address, std::size_t size);

  [[nodiscard]] std::size_t used_bytes() const { return used_bytes_; }

 private:
  Allocation* look_up(std::uint64_t address);
  Allocation& checked(std::uint64_t address, std::size_t size);

  std::map<std::uint64_t, std::unique_ptr<Allocation>> allocations_;
  Allocation* last_ = nullptr;
  std::uint64_t next_ = std::uint64_t{1} << 40;
  std::size_t used_bytes_ = 0;
};

}  // namespace furrow::sass
