// SPDX-License-Identifier: Apache-2.0
#include "host/primitives/scale.hpp"

#include <limits>
#include <span>

#include <gtest/gtest.h>

#include "host/base/hex.hpp"

namespace furrow {
namespace {

// Examples of docs/spec/01, section 10.
TEST(Scale, KnownEncodings) {
  EXPECT_EQ(to_hex(ScaleWriter().u16(1000).bytes()), "e803");
  EXPECT_EQ(to_hex(ScaleWriter().compact(1).compact(63).compact(64).compact(1000).bytes()),
            "04fc0101a10f");
  EXPECT_EQ(to_hex(ScaleWriter().compact(65536).bytes()), "02000400");
  EXPECT_EQ(to_hex(ScaleWriter().byte_string(std::vector<std::uint8_t>{0xaa, 0xbb}).bytes()),
            "08aabb");
  EXPECT_EQ(to_hex(ScaleWriter().boolean(true).u8(1).text("no").bytes()), "0101086e6f");
  EXPECT_EQ(to_hex(ScaleWriter().compact(1'049'560).bytes()), "620f4000");
  EXPECT_EQ(to_hex(ScaleWriter().compact(std::uint64_t{1} << 30).bytes()), "0300000040");
  EXPECT_EQ(to_hex(ScaleWriter().compact(std::numeric_limits<std::uint64_t>::max()).bytes()),
            "13ffffffffffffffff");
}

TEST(Scale, CompactValuesComeBackAtEveryBorder) {
  for (const unsigned bits : {0U, 1U, 6U, 14U, 30U, 32U, 40U, 48U, 56U, 63U}) {
    for (const std::int64_t around : {-1, 0, 1}) {
      const std::uint64_t value = (std::uint64_t{1} << bits) + static_cast<std::uint64_t>(around);
      const std::vector<std::uint8_t> bytes = ScaleWriter().compact(value).u8(0x77).take();
      ScaleReader reader(bytes);
      EXPECT_EQ(reader.compact(), value);
      EXPECT_EQ(reader.u8(), 0x77) << "nothing beyond the value is taken";
      EXPECT_EQ(reader.remaining(), 0U);
    }
  }
}

TEST(Scale, CompactRefusesLongerFormsThanNeeded) {
  for (const char* hex : {"0100", "fd00", "02000000", "feff0000", "0300000000", "03ffffff3f",
                          "070000000000", "13ffffffff00000000", "17000000000000000001"}) {
    const std::vector<std::uint8_t> bytes = from_hex(hex, "test");
    ScaleReader reader(bytes);
    EXPECT_THROW(reader.compact(), ScaleError) << hex;
  }
}

TEST(Scale, EveryReadIsBoundsChecked) {
  const std::vector<std::uint8_t> whole =
      ScaleWriter().u64(7).u128(9).byte_string(std::vector<std::uint8_t>(100)).take();
  for (std::size_t length = 0; length < whole.size(); ++length) {
    ScaleReader reader{std::span<const std::uint8_t>(whole).first(length)};
    EXPECT_THROW(
        {
          reader.u64();
          reader.u128();
          reader.byte_string();
        },
        ScaleError)
        << "cut to " << length;
  }
  const std::vector<std::uint8_t> not_boolean = {2};
  ScaleReader reader(not_boolean);
  EXPECT_THROW(reader.boolean(), ScaleError);
}

}  // namespace
}  // namespace furrow
