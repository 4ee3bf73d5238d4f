// SPDX-License-Identifier: Apache-2.0
// The words that people mean.
#include "tools/suggestion.hpp"

#include <vector>

#include <gtest/gtest.h>

namespace furrow::cli {
namespace {

TEST(Suggestion, DistancesAreThoseOfWriting) {
  EXPECT_EQ(edit_distance("", ""), 0U);
  EXPECT_EQ(edit_distance("", "abc"), 3U);
  EXPECT_EQ(edit_distance("abc", ""), 3U);
  EXPECT_EQ(edit_distance("plot", "plot"), 0U);
  EXPECT_EQ(edit_distance("plt", "plot"), 1U);
  EXPECT_EQ(edit_distance("plto", "plot"), 1U) << "swapped";
  EXPECT_EQ(edit_distance("polt", "plot"), 1U);
  EXPECT_EQ(edit_distance("plob", "plot"), 1U);
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3U);
  EXPECT_EQ(edit_distance("sitting", "kitten"), 3U);
}

TEST(Suggestion, TheNearestIsMeant) {
  const std::vector<std::string> commands = {"archive", "plan", "plot", "find", "serve-pieces"};
  EXPECT_EQ(nearest_word("plt", commands), "plot");
  EXPECT_EQ(nearest_word("plna", commands), "plan");
  EXPECT_EQ(nearest_word("serve-piece", commands), "serve-pieces");
  EXPECT_EQ(nearest_word("serve", commands), "serve-pieces");
  EXPECT_EQ(nearest_word("arch", commands), "archive");
  EXPECT_EQ(nearest_word("frobnicate", commands), "");
  EXPECT_EQ(nearest_word("x", commands), "");
  EXPECT_EQ(nearest_word("", commands), "");
  EXPECT_EQ(nearest_word("plot", {}), "");
  EXPECT_EQ(did_you_mean("plt", commands), "; did you mean 'plot'?");
  EXPECT_EQ(did_you_mean("frobnicate", commands), "");
}

}  // namespace
}  // namespace furrow::cli
