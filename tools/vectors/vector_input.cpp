#include "tools/vectors/vector_input.hpp"

#include <charconv>
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
  SplitMix generator(seed);
  for (std::size_t i = 0; i < out.size(); i += 8) {
    const std::uint64_t value = generator.next();
    for (std::size_t j = 0; j < 8 && i + j < out.size(); ++j) {
      out[i + j] = static_cast<std::uint8_t>(value >> (8 * j));
    }
  }
}

std::vector<std::uint8_t> stream(std::uint64_t seed, std::size_t size) {
  std::vector<std::uint8_t> bytes(size);
  fill_stream(seed, bytes);
  return bytes;
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
