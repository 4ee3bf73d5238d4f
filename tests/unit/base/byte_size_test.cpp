// SPDX-License-Identifier: Apache-2.0
#include "host/base/byte_size.hpp"

#include <gtest/gtest.h>

#include "furrow/errors.hpp"

namespace furrow {
namespace {

constexpr std::uint64_t kTiB = std::uint64_t{1} << 40;

TEST(ParseSize, ABareLetterIsDecimalAndAnILetterIsBinary) {
  EXPECT_EQ(parse_size("0"), 0U);
  EXPECT_EQ(parse_size("17"), 17U);
  EXPECT_EQ(parse_size("17B"), 17U);
  EXPECT_EQ(parse_size("5T"), 5'000'000'000'000U);
  EXPECT_EQ(parse_size("5TB"), 5'000'000'000'000U);
  EXPECT_EQ(parse_size("5Ti"), 5 * kTiB);
  EXPECT_EQ(parse_size("5TiB"), 5 * kTiB);
  EXPECT_EQ(parse_size("10G"), 10'000'000'000U);
  EXPECT_EQ(parse_size("3K"), 3000U);
  EXPECT_EQ(parse_size("3Ki"), 3072U);
  EXPECT_EQ(parse_size("3M"), 3'000'000U);
  EXPECT_EQ(parse_size("3MiB"), 3U << 20);
  EXPECT_EQ(parse_size("2P"), 2'000'000'000'000'000U);
  EXPECT_EQ(parse_size("2PiB"), 2048 * kTiB);
}

TEST(ParseSize, CaseAndSpacesDoNotMatter) {
  EXPECT_EQ(parse_size("10gib"), std::uint64_t{10} << 30);
  EXPECT_EQ(parse_size("10GIB"), std::uint64_t{10} << 30);
  EXPECT_EQ(parse_size("10gi"), std::uint64_t{10} << 30);
  EXPECT_EQ(parse_size("10 gb"), 10'000'000'000U);
  EXPECT_EQ(parse_size("10  KiB"), 10240U);
  EXPECT_EQ(parse_size("1b"), 1U);
}

TEST(ParseSize, FractionsAreExactToTheByte) {
  EXPECT_EQ(parse_size("1.5TB"), 1'500'000'000'000U);
  EXPECT_EQ(parse_size("1.5Ti"), kTiB + kTiB / 2);
  EXPECT_EQ(parse_size("0.1G"), 100'000'000U);
  EXPECT_EQ(parse_size("0.0004K"), 0U);
  EXPECT_EQ(parse_size("1.0"), 1U);
  EXPECT_EQ(parse_size("9007199254740993"), 9'007'199'254'740'993U) << "no double has it";
  EXPECT_EQ(parse_size("9007199254740993K"), 9'007'199'254'740'993'000U);
  EXPECT_EQ(parse_size("9223372036854775807"), kMaxByteSize);
}

void expect_refused(const char* text, const char* why) {
  try {
    ADD_FAILURE() << text << " is taken for " << parse_size(text);
  } catch (const InvalidArgument& error) {
    EXPECT_NE(std::string(error.what()).find(why), std::string::npos) << error.what();
    EXPECT_NE(std::string(error.what()).find(text), std::string::npos) << error.what();
  }
}

TEST(ParseSize, WhatIsNoSizeIsRefused) {
  for (const char* text :
       {"",    " ",     "G",   "-1",  "+1",  "1.",   ".5",    ".",   "1.2.3", "5X", "5TT",
        "5iB", "5Tib2", "5Bi", "5BB", "1e3", "0x10", "5 T B", "all", "1,5G",  " 5"}) {
    expect_refused(text, "not a size");
  }
}

TEST(ParseSize, WhatIsTooLargeIsSaidToBeThat) {
  for (const char* text : {"9223372036854775808", "18446744073709551616", "8192PiB", "10000P",
                           "99999999999999999999999T", "8191.9999999999999999999PiB"}) {
    expect_refused(text, "too large");
  }
}

TEST(SizeText, HasOneDecimal) {
  EXPECT_EQ(size_text(0), "0 bytes");
  EXPECT_EQ(size_text(1023), "1023 bytes");
  EXPECT_EQ(size_text(1024), "1.0 KiB");
  EXPECT_EQ(size_text(1536 * kTiB / 1024), "1.5 TiB");
  EXPECT_EQ(size_text(3 * 1024 * kTiB), "3.0 PiB");
}

}  // namespace
}  // namespace furrow
