// Inputs of vector files: byte strings, numbers and reproducible streams (tests/golden/README.md).
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "furrow/errors.hpp"
#include "furrow/types.hpp"

#include "host/crypto/hex.hpp"
#include "nlohmann/json.hpp"

namespace furrow::vectors {

/// The generator from which inputs are made.
class SplitMix {
 public:
  explicit SplitMix(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next() {
    state_ += 0x9E3779B97F4A7C15;
    std::uint64_t z = state_;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
    return z ^ (z >> 31);
  }

 private:
  std::uint64_t state_;
};

/// The first out.size() bytes of the outputs of SplitMix(seed), each as 8 bytes little-endian.
void fill_stream(std::uint64_t seed, std::span<std::uint8_t> out);
std::vector<std::uint8_t> stream(std::uint64_t seed, std::size_t size);

/// Members of a JSON object; each throws when it is missing or of the wrong kind.
std::uint64_t number(const nlohmann::json& object, const char* field);
std::uint64_t seed(const nlohmann::json& object, const char* field);
std::vector<std::uint8_t> hex(const nlohmann::json& object, const char* field);

/// A byte string of fixed length from hex text.
template <class Bytes>
Bytes fixed_bytes(const nlohmann::json& text, const char* what) {
  Bytes bytes;
  from_hex(text.get<std::string>(), bytes.bytes, what);
  return bytes;
}
template <class Bytes>
Bytes fixed_bytes_at(const nlohmann::json& object, const char* field) {
  return fixed_bytes<Bytes>(object.at(field), field);
}

}  // namespace furrow::vectors
