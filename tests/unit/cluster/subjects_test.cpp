// SPDX-License-Identifier: Apache-2.0
#include "host/cluster/subjects.hpp"

#include <gtest/gtest.h>

namespace furrow::cluster {
namespace {

constexpr SubjectTemplate kPlain{"plotter.free-instance", Sharing::kGroup, kPlotterGroup};
constexpr SubjectTemplate kByInstance{"plotter.*.plot-sector", Sharing::kInstance};

TEST(ClusterSubjects, AreMadeWithTheirInstance) {
  EXPECT_EQ(kByInstance.with({"ID", "test"}), "ab.plotter.ID.plot-sector");
  EXPECT_EQ(kByInstance.without_instance(), "ab.plotter.*.plot-sector");
  EXPECT_EQ(kPlain.without_instance(), "ab.plotter.free-instance");
  EXPECT_FALSE(kPlain.has_instance());
}

TEST(ClusterSubjects, GiveTheirInstanceBack) {
  EXPECT_EQ(kByInstance.instance_in("ab.plotter.ID.plot-sector")->text(), "ID");
  for (const char* other :
       {"ab.plotter..plot-sector", "ab.plotter.plot-sector", "ab.plotter.a.b.plot-sector",
        "ab.plotter.*.plot-sector", "ab.plotter.ID.plot-sector.more", "ab.farmer.ID.plot-sector",
        "", "ab.plotter.ID"}) {
    EXPECT_FALSE(kByInstance.instance_in(other)) << other;
  }
  EXPECT_FALSE(kPlain.instance_in("ab.plotter.free-instance"));
}

TEST(ClusterSubjects, SayWhichQueueGroupTheyHave) {
  EXPECT_EQ(kPlain.queue_group(), "ab.plotter");
  EXPECT_EQ(kByInstance.queue_group(SubjectToken("ID", "test")), "ID");
  EXPECT_EQ(kStreamResponse.queue_group(), "");
}

TEST(ClusterSubjects, TokensAreRefusedThatNatsWouldTakeForSomethingElse) {
  for (const std::string& bad :
       {std::string(), std::string("a.b"), std::string("a b"), std::string("*"), std::string(">"),
        std::string("a\r\n"), std::string("a\tb"), std::string("a\x7F"), std::string(1025, 'a'),
        std::string("a\0b", 3)}) {
    try {
      SubjectToken(bad, "cache group");
      ADD_FAILURE() << bad << " was accepted";
    } catch (const InvalidArgument& error) {
      EXPECT_TRUE(std::string(error.what()).starts_with("cache group: expected 1 to 1024"))
          << error.what();
      EXPECT_FALSE(error.fields().actual.empty());
    }
  }
  EXPECT_EQ(SubjectToken("Größe-1_x", "test").text(), "Größe-1_x");
  EXPECT_EQ(global_cache_group().text(), "_");
}

TEST(ClusterSubjects, ThatOneCanPublishTo) {
  for (const char* good :
       {"a", "a.b", "stream-response-ack.01ARZ3NDEKTSV4RRFFQ69G5FAV", "_INBOX.x.y"}) {
    EXPECT_TRUE(is_publish_subject(good)) << good;
  }
  for (const std::string& bad :
       {std::string(), std::string("."), std::string("a."), std::string(".a"), std::string("a..b"),
        std::string("a.*"), std::string("a.>"), std::string("a b"), std::string("a\n"),
        std::string(1025, 'a')}) {
    EXPECT_FALSE(is_publish_subject(bad)) << bad;
  }
  EXPECT_TRUE(is_publish_subject(std::string(1024, 'a')));
}

}  // namespace
}  // namespace furrow::cluster
