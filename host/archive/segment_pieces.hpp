// SPDX-License-Identifier: Apache-2.0
// Owners of the large byte arrays of a segment: its 256 pieces, and its 128 source records.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <new>
#include <span>

#include "furrow/piece.hpp"

namespace furrow {

namespace detail {
struct FreeMemory {
  void operator()(void* memory) const noexcept { std::free(memory); }
};
/// Zeroed memory for `count` objects of bytes only, which therefore need no constructor. The system
/// hands it out page by page as it is touched.
template <class T>
std::unique_ptr<T[], FreeMemory> allocate_zeroed(std::size_t count) {
  static_assert(alignof(T) == 1 && std::is_trivially_copyable_v<T>);
  void* memory = std::calloc(count, sizeof(T));
  if (memory == nullptr) {
    throw std::bad_alloc();
  }
  return std::unique_ptr<T[], FreeMemory>(static_cast<T*>(memory));
}
}  // namespace detail

/// The 256 pieces of a segment in position order, zeros at first: 268687360 bytes.
/// Move-only owner; parts may be written by several threads at once.
class SegmentPieces {
 public:
  SegmentPieces() : pieces_(detail::allocate_zeroed<Piece>(kNumPieces)) {}

  [[nodiscard]] Piece& operator[](std::size_t position) { return pieces_[position]; }
  [[nodiscard]] const Piece& operator[](std::size_t position) const { return pieces_[position]; }
  [[nodiscard]] std::span<Piece, kNumPieces> all() {
    return std::span<Piece, kNumPieces>(pieces_.get(), kNumPieces);
  }
  [[nodiscard]] std::span<const Piece, kNumPieces> all() const {
    return std::span<const Piece, kNumPieces>(pieces_.get(), kNumPieces);
  }

 private:
  std::unique_ptr<Piece[], detail::FreeMemory> pieces_;
};

/// The 128 source records of a segment, back to back: the encoded segment, 134217728 bytes.
/// Move-only owner.
class SourceRecords {
 public:
  SourceRecords() : records_(detail::allocate_zeroed<Record>(kNumRawRecords)) {}

  [[nodiscard]] Record& operator[](std::size_t position) { return records_[position]; }
  [[nodiscard]] const Record& operator[](std::size_t position) const { return records_[position]; }
  [[nodiscard]] std::span<const std::uint8_t> bytes() const {
    return {reinterpret_cast<const std::uint8_t*>(records_.get()), kSegmentSize};
  }
  [[nodiscard]] std::span<std::uint8_t> bytes() {
    return {reinterpret_cast<std::uint8_t*>(records_.get()), kSegmentSize};
  }

 private:
  std::unique_ptr<Record[], detail::FreeMemory> records_;
};

}  // namespace furrow
