// SPDX-License-Identifier: Apache-2.0
// Text for terminals, and plurals.
#include <gtest/gtest.h>

#include "host/base/counted.hpp"
#include "host/base/printable.hpp"
#include "host/base/utf8.hpp"

namespace furrow {
namespace {

TEST(Printable, TextStaysAsItIs) {
  for (const char* text : {"", "plain ~ text", "f\u00E4rm \u2014 \U0001F33E"}) {
    EXPECT_EQ(printable(text), text);
  }
}

TEST(Printable, WhatATerminalObeysIsEscaped) {
  EXPECT_EQ(printable("a\nb\r\tc"), "a\\nb\\r\\tc");
  EXPECT_EQ(printable("\033]0;title\007\x7F"), "\\x1B]0;title\\x07\\x7F");
  EXPECT_EQ(printable("\u009B31m"), "\\u{009B}31m") << "CSI as one character";
  EXPECT_EQ(printable("exe\u202Etxt"), "exe\\u{202E}txt");
  EXPECT_EQ(printable("a\u2028b"), "a\\u{2028}b");
  EXPECT_EQ(printable(std::string_view("\0", 1)), "\\x00");
}

TEST(Printable, BytesThatAreNoTextAreEscaped) {
  EXPECT_EQ(printable("\xFF\xC3"), "\\xFF\\xC3");
  EXPECT_EQ(printable("\xED\xA0\x80!"), "\\xED\\xA0\\x80!") << "a surrogate";
  for (int first = 0; first < 256; ++first) {
    for (int second = 0; second < 256; ++second) {
      const std::string text{static_cast<char>(first), static_cast<char>(second)};
      const std::string result = printable(text);
      EXPECT_TRUE(is_utf8(result));
      EXPECT_EQ(result.find_first_of("\n\r\033\x7F"), std::string::npos);
    }
  }
}

TEST(Counted, OneIsOne) {
  EXPECT_EQ(counted(0, "piece"), "0 pieces");
  EXPECT_EQ(counted(1, "piece"), "1 piece");
  EXPECT_EQ(counted(2, "piece"), "2 pieces");
  EXPECT_EQ(counted(1, "batch", "batches"), "1 batch");
  EXPECT_EQ(counted(2, "batch", "batches"), "2 batches");
}

}  // namespace
}  // namespace furrow
