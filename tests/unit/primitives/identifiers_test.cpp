// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "furrow/errors.hpp"

#include "host/base/hex.hpp"
#include "host/primitives/piece_element.hpp"
#include "host/primitives/ulid.hpp"

namespace furrow {
namespace {

TEST(Ulid, TextComesBackInUpperCase) {
  for (const char* text :
       {"01ARZ3NDEKTSV4RRFFQ69G5FAV", "00000000000000000000000000", "7ZZZZZZZZZZZZZZZZZZZZZZZZZ"}) {
    EXPECT_EQ(Ulid::parse(text).to_string(), text);
  }
  EXPECT_EQ(Ulid::parse("01arz3ndektsv4rrffq69g5fav").to_string(), "01ARZ3NDEKTSV4RRFFQ69G5FAV");
  EXPECT_EQ(to_hex(Ulid::parse("7ZZZZZZZZZZZZZZZZZZZZZZZZZ").bytes),
            "ffffffffffffffffffffffffffffffff");
  EXPECT_EQ(Ulid::from_parts(1, {}).to_string(), "00000000010000000000000000");
}

TEST(Ulid, RefusesWhatIsNone) {
  for (const char* text :
       {"", "01ARZ3NDEKTSV4RRFFQ69G5FA", "01ARZ3NDEKTSV4RRFFQ69G5FAVX",
        "81ARZ3NDEKTSV4RRFFQ69G5FAV", "01ARZ3NDEKTSV4RRFFQ69G5FAU", "01ARZ3NDEKTSV4RRFFQ69G5FA-"}) {
    EXPECT_THROW(Ulid::parse(text), MalformedData) << text;
  }
}

TEST(PieceElement, ChecksumFindsAFlippedByteAnywhere) {
  const auto element = std::make_unique<PieceElement>();
  element->piece_index = 300;
  element->seal();
  EXPECT_NO_THROW(element->verify_checksum("element"));
  const std::span<std::uint8_t> bytes = mutable_bytes_of(*element);
  for (std::size_t at = 0; at < bytes.size(); at += 65'537) {
    bytes[at] ^= 1;
    EXPECT_THROW(element->verify_checksum("element"), ChecksumMismatch) << at;
    bytes[at] ^= 1;
  }
  bytes.back() ^= 1;
  EXPECT_THROW(element->verify_checksum("element"), ChecksumMismatch);
}

TEST(Hex, RefusesBadText) {
  EXPECT_THROW(from_hex("abc", "test"), MalformedData);
  EXPECT_THROW(from_hex("0g", "test"), MalformedData);
  std::array<std::uint8_t, 2> two{};
  EXPECT_THROW(from_hex("aabbcc", two, "test"), InvalidBytesLength);
  from_hex("AAbb", two, "test");
  EXPECT_EQ(to_hex(two), "aabb");
}

}  // namespace
}  // namespace furrow
