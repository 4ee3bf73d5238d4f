// SPDX-License-Identifier: Apache-2.0
// What the program says of its progress: durations, rates, estimates, and bars of any width.
#include "tools/progress_text.hpp"

#include <gtest/gtest.h>

namespace furrow::cli {
namespace {

TEST(ProgressText, DurationsHaveTwoUnits) {
  EXPECT_EQ(duration_text(0), "1 s") << "what is left is never nothing";
  EXPECT_EQ(duration_text(0.4), "1 s");
  EXPECT_EQ(duration_text(58.2), "59 s");
  EXPECT_EQ(duration_text(59.5), "1 min 0 s");
  EXPECT_EQ(duration_text(125), "2 min 5 s");
  EXPECT_EQ(duration_text(3599), "59 min 59 s");
  EXPECT_EQ(duration_text(3600), "1 h 0 min");
  EXPECT_EQ(duration_text(5 * 3600 + 12 * 60 + 59), "5 h 12 min");
  EXPECT_EQ(duration_text(86399), "23 h 59 min");
  EXPECT_EQ(duration_text(86400 * 2.125), "2 d 3 h");
  EXPECT_EQ(duration_text(86400 * 400.0), "400 d 0 h");
}

TEST(ProgressText, RatesAreThoseOfDisksAndFarms) {
  EXPECT_EQ(rate_text(0x1p20), "1.00 MiB/s");
  EXPECT_EQ(rate_text(81.23 * 0x1p20), "81.2 MiB/s");
  EXPECT_EQ(rate_text(1234 * 0x1p20), "1234 MiB/s");
  EXPECT_EQ(rate_text(5000), "0.005 MiB/s");
  EXPECT_EQ(daily_rate_text(0x1p40 / 86400), "1.00 TiB a day");
  EXPECT_EQ(daily_rate_text(0x1p20), "0.082 TiB a day");
}

Standing example() {
  return {.task = "archive",
          .share = 0.4267,
          .counts = {"512.0 MiB of 1.2 GiB", "12 of 40 files"},
          .bytes_per_second = 81.23 * 0x1p20,
          .seconds_left = 125,
          .state = {},
          .remarks = {"a remark"}};
}

TEST(ProgressText, ALineSaysAllOfIt) {
  EXPECT_EQ(standing_line(example()),
            "archive: 42 %, 512.0 MiB of 1.2 GiB, 12 of 40 files, 81.2 MiB/s, 6.69 TiB a day, "
            "2 min 5 s left, a remark");
  Standing paused = example();
  paused.state = "paused";
  EXPECT_NE(standing_line(paused).find(", paused"), std::string::npos);
  EXPECT_EQ(standing_line(paused).find("left"), std::string::npos);
}

TEST(ProgressText, WhatIsNotKnownIsNotSaid) {
  EXPECT_EQ(standing_line({.task = "scrub"}), "scrub: 0 %");
}

TEST(ProgressText, WhatIsNotDoneIsNotAHundredPercent) {
  EXPECT_EQ(standing_line({.task = "scrub", .share = 0.9999}), "scrub: 99 %");
  EXPECT_EQ(standing_line({.task = "scrub", .share = 1.5}), "scrub: 100 %");
}

TEST(ProgressText, ABarFitsEveryWidth) {
  for (std::size_t width = 0; width <= 200; ++width) {
    const std::string bar = standing_bar(example(), width);
    EXPECT_LT(bar.size(), std::max<std::size_t>(width, 1)) << width;
    EXPECT_EQ(std::string("archive ").find(bar.substr(0, 8)), 0U) << width;
  }
}

TEST(ProgressText, TheWiderTheMoreIsSaid) {
  EXPECT_EQ(standing_bar(example(), 20), "archive 42 %");
  EXPECT_EQ(standing_bar(example(), 42), "archive [####......] 42 %, 2 min 5 s left");
  EXPECT_EQ(standing_bar(example(), 60),
            "archive [######..........] 42 %, 81.2 MiB/s, 2 min 5 s left");
  EXPECT_EQ(standing_bar(example(), 80),
            "archive [#####.........] 42 %, 512.0 MiB of 1.2 GiB, 81.2 MiB/s, 2 min 5 s left");
  EXPECT_EQ(standing_bar(example(), 150),
            "archive [############..................] 42 %, 512.0 MiB of 1.2 GiB, 12 of 40 files, "
            "81.2 MiB/s, 6.69 TiB a day, 2 min 5 s left, a remark");
}

}  // namespace
}  // namespace furrow::cli
