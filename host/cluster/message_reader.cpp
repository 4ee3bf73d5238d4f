// SPDX-License-Identifier: Apache-2.0
#include "host/cluster/message_reader.hpp"

#include "host/base/printable.hpp"
#include "host/base/utf8.hpp"

namespace furrow::cluster {
MalformedMessage::MalformedMessage(std::string_view message, std::string_view field,
                                   std::uint64_t offset, const std::string& expected,
                                   const std::string& actual)
    : MalformedData(std::string(message) + ": " + std::string(field) + " at byte " +
                        std::to_string(offset) + ": expected " + expected + ", actual " + actual,
                    {.offset = offset, .expected = expected, .actual = actual}),
      names_(std::make_shared<const Names>(Names{std::string(message), std::string(field)})) {}

void MessageReader::refuse(const std::string& expected, const std::string& actual) const {
  throw MalformedMessage(message_, field_, field_offset_, expected, actual);
}

std::uint8_t MessageReader::u8() {
  return foreign([this] { return in_.u8(); });
}
std::uint16_t MessageReader::u16() {
  return foreign([this] { return in_.u16(); });
}
std::uint32_t MessageReader::u32() {
  return foreign([this] { return in_.u32(); });
}
std::uint64_t MessageReader::u64() {
  return foreign([this] { return in_.u64(); });
}
uint128 MessageReader::u128() {
  return foreign([this] { return in_.u128(); });
}
bool MessageReader::boolean() {
  return foreign([this] { return in_.boolean(); });
}

std::uint8_t MessageReader::variant(std::size_t count) {
  const std::uint8_t index = u8();
  if (index >= count) {
    refuse("a variant below " + std::to_string(count), std::to_string(index));
  }
  return index;
}

std::span<const std::uint8_t> MessageReader::raw(std::size_t size) {
  return foreign([&] { return in_.raw(size); });
}

std::span<const std::uint8_t> MessageReader::byte_string() {
  return foreign([this] { return in_.byte_string(); });
}

std::string MessageReader::text() {
  const std::span<const std::uint8_t> bytes = byte_string();
  std::string text(bytes.begin(), bytes.end());
  if (!is_utf8(text)) {
    refuse("UTF-8", excerpt(text));
  }
  return text;
}

std::size_t MessageReader::list_length(std::uint64_t limit) {
  const std::uint64_t length = foreign([this] { return in_.compact(); });
  if (length > limit) {
    refuse("at most " + std::to_string(limit) + " elements", std::to_string(length));
  }
  if (length > remaining()) {
    refuse(std::to_string(length) + " elements", std::to_string(remaining()) + " bytes");
  }
  return static_cast<std::size_t>(length);
}

}  // namespace furrow::cluster
