// SPDX-License-Identifier: Apache-2.0
// The golden vectors (tests/golden/README.md), for tests of the C interface.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "host/base/hex.hpp"
#include "host/crypto/blake3.hpp"
#include "tools/vectors/golden_stream.hpp"

namespace furrow::test {

/// The cases of tests/golden/SET.json.
nlohmann::json golden(const std::string& set);

inline std::vector<std::uint8_t> from_hex(const nlohmann::json& text) {
  const auto digits = text.get<std::string>();
  std::vector<std::uint8_t> bytes(digits.size() / 2);
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    bytes[i] = static_cast<std::uint8_t>(std::stoul(digits.substr(2 * i, 2), nullptr, 16));
  }
  return bytes;
}

/// Numbers of 64 bits are texts there, others are not.
inline std::uint64_t number(const nlohmann::json& value) {
  return value.is_string() ? std::stoull(value.get<std::string>()) : value.get<std::uint64_t>();
}

inline std::vector<std::uint8_t> seeded(const nlohmann::json& seed, std::size_t n_bytes,
                                        std::uint64_t plus = 0) {
  return vectors::stream(vectors::parse_seed(seed) + plus, n_bytes);
}

inline std::string digest(std::span<const std::uint8_t> bytes) {
  return to_hex(blake3(bytes).bytes);
}

}  // namespace furrow::test
