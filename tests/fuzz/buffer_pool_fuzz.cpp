// SPDX-License-Identifier: Apache-2.0
// Operations on a buffer pool, decoded from bytes; the model of tests/support says what each has to
// do, and each slice's checksum that nobody else wrote to it.
//
//   byte 0       capacity: its class in the low 3 bits, see below; alignment 2^(high nibble % 13)
//   bytes 1, 2   the capacity in its class, little-endian
//   then         one operation after the other: kind in the low 3 bits of a byte, its number x in
//   the
//                high 5, a further byte y where a size or the index of a slice is wanted
//
// Sizes are likely ones, so that short inputs get far: a few bytes, a share of the capacity, and
// the bytes around both.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

#include "tests/support/checked_buffer_pool.hpp"

namespace {

using furrow::BufferPoolMode;
using furrow::test::CheckedBufferPool;

/// Most bytes of a message that is copied or in system memory; longer ones stay untouched in a
/// block.
constexpr std::size_t kMostReal = std::size_t{1} << 16;

class Input {
 public:
  explicit Input(std::span<const std::uint8_t> bytes) : bytes_(bytes) {}
  [[nodiscard]] bool is_empty() const { return bytes_.empty(); }
  /// 0 at the end.
  std::uint8_t byte() {
    if (bytes_.empty()) {
      return 0;
    }
    const std::uint8_t first = bytes_.front();
    bytes_ = bytes_.subspan(1);
    return first;
  }

 private:
  std::span<const std::uint8_t> bytes_;
};

std::size_t capacity_of(unsigned kind, std::size_t number) {
  switch (kind) {
    case 0:
      return number % 65;  // next to nothing
    case 1:
      return number % 2048;  // a few alignments
    case 2:
      return 512 + 64 * (number % 64);  // eight frames
    case 3:
      return number;  // up to 64 KiB
    case 4:
      return (number + 1) * 32;  // up to 2 MiB
    case 5:
      return 4096 * (number % 4096);  // up to 16 MiB
    case 6:
      return (number + 1) << 16;  // up to 2^32, by 64 KiB
    default:
      return (std::size_t{1} << 32) - number;
  }
}

std::size_t size_of(unsigned kind, std::size_t number, std::size_t capacity) {
  switch (kind % 8) {
    case 0:
      return number;
    case 1:
      return number * 16;
    case 2:
      return capacity / 8 + number - std::min<std::size_t>(number, 128);
    case 3:
      return capacity * number / 256;
    case 4:
      return capacity - std::min<std::size_t>(capacity, number);
    case 5:
      return capacity + number;
    case 6:
      return capacity / (number + 1);
    default:
      return number * 250;
  }
}

void grow(CheckedBufferPool& checked, std::size_t n) {
  const std::size_t size = checked.pool().bytes().size();
  const bool stays_untouched = size == 0 && checked.model().mode_after(n) != BufferPoolMode::kAlloc;
  if (size + n <= kMostReal || stays_untouched) {
    checked.grow(n);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t n_bytes) {
  Input input({data, n_bytes});
  const std::uint8_t layout = input.byte();
  const std::size_t low = input.byte();
  const std::size_t capacity = capacity_of(layout & 7, low | std::size_t{input.byte()} << 8);
  CheckedBufferPool checked(capacity, std::size_t{1} << ((layout >> 4) % 13));
  while (!input.is_empty()) {
    const std::uint8_t operation = input.byte();
    const unsigned x = operation >> 3;
    const std::size_t n_slices = checked.n_slices();
    switch (operation & 7) {
      case 0:
      case 1:
        grow(checked, size_of(x, input.byte(), capacity));
        break;
      case 2:
        grow(checked, x);
        break;
      case 3:
        grow(checked, size_of(x, input.byte(), capacity));
        checked.take();
        break;
      case 4:
        checked.take();
        break;
      case 5:
        if (n_slices > 0) {
          checked.drop(x % n_slices, x == 31);
        }
        break;
      case 6:
        if (n_slices > 0) {
          checked.drop(n_slices - 1 - x % n_slices);
        }
        break;
      default:
        if (x == 31) {
          checked.drop_all();
        } else if (n_slices > 0) {
          checked.rewrite(x % n_slices);
        }
        break;
    }
  }
  if (checked.n_slices() % 2 == 0) {
    checked.end_pool();
  } else {
    checked.drop_all();
  }
  return 0;
}
