// SPDX-License-Identifier: Apache-2.0
#include "host/base/recent_rate.hpp"

#include <gtest/gtest.h>

namespace furrow {
namespace {

TEST(RecentRate, IsThatOfTheLastTwoMinutes) {
  RecentRate rate;
  EXPECT_EQ(rate.per_second(), 0);
  rate.add(0, 0);
  EXPECT_EQ(rate.per_second(), 0);
  for (int second = 1; second <= 600; ++second) {  // nothing comes for ten minutes
    rate.add(second, 0);
  }
  EXPECT_EQ(rate.per_second(), 0);
  for (int second = 601; second <= 720; ++second) {
    rate.add(second, 5.0 * (second - 600));
  }
  EXPECT_NEAR(rate.per_second(), 5, 0.01) << "what was before is forgotten";
}

TEST(RecentRate, OfManySamplesIsThatOfFew) {
  RecentRate often;
  for (int i = 0; i <= 30'000; ++i) {
    often.add(i / 100.0, i / 10.0);
  }
  EXPECT_NEAR(often.per_second(), 10, 0.1);
}

}  // namespace
}  // namespace furrow
