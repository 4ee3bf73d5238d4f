// SPDX-License-Identifier: Apache-2.0
// The 128 bits of an instruction, taken field by field. Whatever the decoder did not ask for must
// be zero, so that no modifier goes unnoticed.
#pragma once

#include <cstdint>
#include <string>

#include "tests/sass/cubin/cubin.hpp"
#include "tests/sass/errors.hpp"

namespace furrow::sass {

class Fields {
 public:
  explicit Fields(const Words& words) : words_(words) {}

  /// Bits `first` to `first + count - 1`. No field crosses bit 64.
  std::uint64_t take(unsigned first, unsigned count) {
    const bool is_high = first >= 64;
    const std::uint64_t mask = (count == 64 ? 0 : std::uint64_t{1} << count) - 1;
    const unsigned shift = first % 64;
    (is_high ? taken_.high : taken_.low) |= mask << shift;
    return (is_high ? words_.high : words_.low) >> shift & mask;
  }
  bool flag(unsigned bit) { return take(bit, 1) != 0; }

  /// A field that has but one meaning here.
  void expect(unsigned first, unsigned count, std::uint64_t value) {
    const std::uint64_t actual = take(first, count);
    if (actual != value) {
      throw UnknownInstruction("bits " + std::to_string(first) + " to " +
                               std::to_string(first + count - 1) + ": expected " +
                               std::to_string(value) + ", actual " + std::to_string(actual));
    }
  }

  /// Throws UnknownInstruction when a bit is set that nobody took.
  void finish() const {
    for (unsigned bit = 0; bit < 128; ++bit) {
      const std::uint64_t left = bit < 64 ? words_.low & ~taken_.low : words_.high & ~taken_.high;
      if ((left >> bit % 64 & 1) != 0) {
        throw UnknownInstruction("bit " + std::to_string(bit) + ": expected 0, actual 1");
      }
    }
  }

 private:
  Words words_;
  Words taken_;
};

}  // namespace furrow::sass
