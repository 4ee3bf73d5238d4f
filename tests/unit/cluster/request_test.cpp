// SPDX-License-Identifier: Apache-2.0
// Requests of docs/spec/07, section 5, against responders that answer, refuse, are slow or silent.
#include "host/cluster/request.hpp"

#include <gtest/gtest.h>

#include "host/cluster/piece_messages.hpp"
#include "tests/unit/cluster/stream_fixture.hpp"

namespace furrow::test {
namespace {

using cluster::BusMessage;
using cluster::Bytes;
using cluster::FindPieceRequest;
using cluster::FindPieceResponse;
using cluster::NoAnswer;
using cluster::RequestUnanswered;
using cluster::SubjectToken;

const SubjectToken kGroup("default", "cache group");
const std::string kSubject = "ab.controller.default.find-piece-in-cache";

class ClusterRequest : public testing::Test {
 protected:
  /// What the responder sends for each attempt; nothing where it has nothing.
  void answer(std::function<std::optional<Bytes>(std::size_t attempt)> respond) {
    server_.add_peer(kSubject, [this, respond = std::move(respond)](const BusMessage& request) {
      requests_.push_back(request);
      times_.push_back(server_.now() - start_);
      if (const std::optional<Bytes> payload = respond(requests_.size() - 1)) {
        server_.publish(request.reply_subject, *payload);
      }
    });
  }
  std::optional<FindPieceResponse> ask() {
    return cluster::send_request(*bus_, kGroup, FindPieceRequest{PieceIndex(300)},
                                 {.draw_ulid = ulids_from(1)}, stop_);
  }
  RequestUnanswered ask_in_vain() {
    try {
      ask();
    } catch (const RequestUnanswered& error) {
      return error;
    }
    ADD_FAILURE() << "it was answered";
    return {"", NoAnswer::kTimeout, 0};
  }

  MemoryServer server_;
  std::unique_ptr<MemoryBus> bus_ = server_.connect();
  std::stop_token stop_;
  const MemoryServer::TimePoint start_ = server_.now();
  std::vector<BusMessage> requests_;
  std::vector<MemoryServer::TimePoint::duration> times_;
};

TEST_F(ClusterRequest, IsAnswered) {
  answer([](std::size_t) { return Bytes{0}; });
  EXPECT_EQ(ask(), FindPieceResponse{});
  ASSERT_EQ(requests_.size(), 1U);
  EXPECT_EQ(requests_[0].payload, (Bytes{0x2C, 1, 0, 0, 0, 0, 0, 0}));
  EXPECT_FALSE(server_.has_subscriber(requests_[0].reply_subject)) << "the inbox is gone";
}

TEST_F(ClusterRequest, FailsAfter31SecondsWhenNobodyIsSubscribed) {
  const RequestUnanswered error = ask_in_vain();
  EXPECT_EQ(error.reason(), NoAnswer::kNoResponders);
  EXPECT_EQ(error.attempts(), 6U);
  EXPECT_EQ(server_.now() - start_, 31s);
  EXPECT_EQ(error.kind(), ErrorKind::kUnavailable);
  EXPECT_EQ(error.fields().actual, "nobody is subscribed");
}

TEST_F(ClusterRequest, FailsAfterHalfAnHourOfSilence) {
  answer([](std::size_t) { return std::nullopt; });
  const RequestUnanswered error = ask_in_vain();
  EXPECT_EQ(error.reason(), NoAnswer::kTimeout);
  EXPECT_EQ(times_, (std::vector<MemoryServer::TimePoint::duration>{
                        0min, 5min + 1s, 10min + 3s, 15min + 7s, 20min + 15s, 25min + 31s}));
  EXPECT_EQ(server_.now() - start_, 30min + 31s);
}

TEST_F(ClusterRequest, IsSentAgainUntilItIsAnswered) {
  answer([](std::size_t attempt) { return attempt < 3 ? std::nullopt : std::optional(Bytes{0}); });
  EXPECT_EQ(ask(), FindPieceResponse{});
  EXPECT_EQ(requests_.size(), 4U);
}

TEST_F(ClusterRequest, HasAnInboxForEachAttemptSoThatALateAnswerIsNotTakenForAnother) {
  std::string late;
  server_.add_peer(kSubject, [&](const BusMessage& request) {
    requests_.push_back(request);
    if (requests_.size() == 1) {
      late = request.reply_subject;
    } else {
      server_.publish(late, Bytes{1});  // would be refused as cut
      server_.publish(request.reply_subject, Bytes{0});
    }
  });
  EXPECT_EQ(ask(), FindPieceResponse{});
  EXPECT_NE(requests_.at(0).reply_subject, requests_.at(1).reply_subject);
}

TEST_F(ClusterRequest, IsNotSentAgainWhenTheAnswerDoesNotDecode) {
  answer([](std::size_t) { return Bytes{2}; });
  EXPECT_THROW(ask(), cluster::MalformedMessage);
  EXPECT_EQ(requests_.size(), 1U);
}

TEST_F(ClusterRequest, TakesTheFirstOfTwoAnswers) {
  server_.add_peer(kSubject, [&](const BusMessage& request) {
    server_.publish(request.reply_subject, Bytes{0});
    server_.publish(request.reply_subject, Bytes{2});
  });
  EXPECT_EQ(ask(), FindPieceResponse{});
}

TEST_F(ClusterRequest, EndsWithAStopWhileItWaits) {
  std::stop_source stop;
  stop_ = stop.get_token();
  answer([&](std::size_t) {
    stop.request_stop();
    return std::nullopt;
  });
  EXPECT_EQ(ask(), std::nullopt);
  EXPECT_EQ(server_.now(), start_);
}

TEST_F(ClusterRequest, EndsWithAStopBetweenAttempts) {
  std::stop_source stop;
  stop.request_stop();
  stop_ = stop.get_token();
  EXPECT_EQ(ask(), std::nullopt);
}

TEST_F(ClusterRequest, OfAnInstanceThatIsMissingIsNotSent) {
  EXPECT_THROW((void)cluster::send_request(*bus_, std::nullopt, FindPieceRequest{}, {}, stop_),
               std::bad_optional_access);
}

TEST(DoublingDelay, EndsBeforeItsSumIsReached) {
  cluster::DoublingDelay delays(60s);
  for (const auto expected : {1s, 2s, 4s, 8s, 16s}) {
    EXPECT_EQ(delays.next(), expected);
  }
  EXPECT_EQ(delays.next(), std::nullopt);
  EXPECT_EQ(cluster::DoublingDelay(0s).next(), std::nullopt);
}

}  // namespace
}  // namespace furrow::test
