// SPDX-License-Identifier: Apache-2.0
// Pseudo-random bytes of the golden vectors (tests/golden/README.md, Conventions).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace furrow::vectors {

/// Sequence of 64-bit numbers that a seed stands for in the golden vectors.
class Splitmix {
 public:
  explicit Splitmix(std::uint64_t seed) : state_(seed) {}

  std::uint64_t next() {
    state_ += 0x9E3779B97F4A7C15U;
    std::uint64_t z = state_;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9U;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBU;
    return z ^ (z >> 31);
  }

 private:
  std::uint64_t state_;
};

/// First `n_bytes` bytes of the numbers of Splitmix(seed), each as 8 bytes little-endian.
inline std::vector<std::uint8_t> stream(std::uint64_t seed, std::size_t n_bytes) {
  std::vector<std::uint8_t> bytes(n_bytes);
  Splitmix numbers(seed);
  std::uint64_t number = 0;
  for (std::size_t i = 0; i < n_bytes; ++i) {
    number = i % 8 == 0 ? numbers.next() : number >> 8;
    bytes[i] = static_cast<std::uint8_t>(number);
  }
  return bytes;
}

/// A seed as the vectors write it, "0x" and 16 hexadecimal digits. Throws std::invalid_argument
/// when `text` does not start with a number.
inline std::uint64_t parse_seed(const std::string& text) {
  return std::stoull(text, nullptr, 16);
}

}  // namespace furrow::vectors
