// SPDX-License-Identifier: Apache-2.0
#include "tools/vectors/vector_input.hpp"

#include <algorithm>
#include <charconv>
#include <numeric>
#include <string_view>

namespace furrow::vectors {
namespace {

std::uint64_t parse(std::string_view text, int base, const char* field) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (error != std::errc() || end != text.data() + text.size()) {
    throw MalformedData(std::string(field) + ": not a 64-bit number: '" + std::string(text) + "'");
  }
  return value;
}

}  // namespace

void fill_stream(std::uint64_t seed, std::span<std::uint8_t> out) {
  const std::vector<std::uint8_t> bytes = stream(seed, out.size());
  std::copy(bytes.begin(), bytes.end(), out.begin());
}

std::vector<std::uint32_t> drawn_indexes(std::uint64_t seed, std::size_t n, std::size_t count) {
  std::vector<std::uint32_t> order(n);
  std::iota(order.begin(), order.end(), 0U);
  Splitmix random(seed);
  for (std::size_t i = 0; i + 1 < n; ++i) {
    std::swap(order[i], order[i + random.next() % (n - i)]);
  }
  order.resize(count);
  std::sort(order.begin(), order.end());
  return order;
}

std::uint64_t number(const nlohmann::json& object, const char* field) {
  const nlohmann::json& value = object.at(field);
  return value.is_string() ? parse(value.get<std::string>(), 10, field)
                           : value.get<std::uint64_t>();
}

std::uint64_t seed(const nlohmann::json& object, const char* field) {
  const std::string text = object.at(field).get<std::string>();
  if (!text.starts_with("0x")) {
    throw MalformedData(std::string(field) + ": expected 0x and hex digits, actual '" + text + "'");
  }
  return parse(std::string_view(text).substr(2), 16, field);
}

std::vector<std::uint8_t> hex(const nlohmann::json& object, const char* field) {
  return from_hex(object.at(field).get<std::string>(), field);
}

}  // namespace furrow::vectors
