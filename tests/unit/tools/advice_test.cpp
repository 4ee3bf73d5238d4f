// SPDX-License-Identifier: Apache-2.0
#include "tools/advice.hpp"

#include <gtest/gtest.h>

#include "host/base/make_directory.hpp"
#include "host/farm/farm_errors.hpp"

namespace {

using namespace furrow;
using cli::advice_on;

TEST(Advice, NamesTheOptionsThatMend) {
  EXPECT_EQ(advice_on(ParentMissing("a/b", "a")), "; --create=parents makes it");
  EXPECT_EQ(advice_on(StoredSizeMismatch("info", 1, "plot.bin", 1234)),
            "; say which size the farm shall have: --size 1234");
  EXPECT_EQ(advice_on(StoredSizeMismatch::without_cache("info", 1, 20, 1234)),
            "; say which size the farm shall have: --size 1234 or, for a new, empty cache, "
            "--cache-percentage 20");
  EXPECT_EQ(advice_on(WouldLoseSectors(1, 0, 1, 3, 5678)),
            "; --size 5678 is that, --shrink drops the last ones");
  EXPECT_EQ(advice_on(SectorHoldsNothing(SectorIndex(3))), "; furrow plot makes it again");
}

TEST(Advice, HasNothingToSayAboutOtherErrors) {
  EXPECT_EQ(advice_on(FarmGone("plot.bin")), "");
  EXPECT_EQ(advice_on(InvalidArgument("wrong")), "");
}

}  // namespace
