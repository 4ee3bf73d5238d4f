// SPDX-License-Identifier: Apache-2.0
// Inputs of vector files: byte strings, numbers and reproducible streams (tests/golden/README.md).
#pragma once

#include <cstdint>
#include <cstdio>
#include <span>
#include <string>
#include <vector>

#include "furrow/errors.hpp"
#include "furrow/types.hpp"

#include "host/base/hex.hpp"
#include "nlohmann/json.hpp"
#include "tools/vectors/golden_stream.hpp"

namespace furrow::vectors {

/// Fills `out` with the first bytes of the stream of a seed.
void fill_stream(std::uint64_t seed, std::span<std::uint8_t> out);

/// `count` of the indexes below `n`, drawn by a Fisher-Yates shuffle of the first n - 1 of them, in
/// ascending order.
std::vector<std::uint32_t> drawn_indexes(std::uint64_t seed, std::size_t n, std::size_t count);

/// Members of a JSON object; each throws when it is missing or of the wrong kind.
std::uint64_t number(const nlohmann::json& object, const char* field);
std::uint64_t seed(const nlohmann::json& object, const char* field);
std::vector<std::uint8_t> hex(const nlohmann::json& object, const char* field);

/// sscanf over the whole text: `format` must end with %n, and nothing may follow what it matches.
template <class... Targets>
bool scan_all(const std::string& text, const char* format, Targets*... targets) {
  int end = -1;
  std::sscanf(text.c_str(), format, targets..., &end);
  return end >= 0 && static_cast<std::size_t>(end) == text.size();
}

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
