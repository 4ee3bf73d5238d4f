// SPDX-License-Identifier: Apache-2.0
// Every rule of docs/spec/07, section 6.3, against a responder that does as it likes.
#include "host/cluster/stream_requester.hpp"

#include <gtest/gtest.h>

#include "tests/unit/cluster/stream_fixture.hpp"

namespace furrow::test {
namespace {

using cluster::BusMessage;
using cluster::Bytes;
using cluster::PlotSectorRequest;
using cluster::StreamEnd;
using cluster::StreamRequest;
using cluster::SubjectToken;
using Reason = StreamEnd::Reason;

const SubjectToken kPlotter("01ARZ3NDEKTSV4RRFFQ69G5FAV", "plotter");
const std::string kSubject = "ab.plotter.01ARZ3NDEKTSV4RRFFQ69G5FAV.plot-sector";

class StreamRequester : public testing::Test {
 protected:
  /// The responder sends these, one right after another.
  void answer_with(std::vector<Bytes> payloads) {
    server_.add_peer(kSubject, [this, payloads](const BusMessage& request) {
      requests_.push_back(request);
      for (const Bytes& payload : payloads) {
        server_.publish(request.reply_subject, payload);
      }
    });
    server_.add_peer(kAckSubject, [this](const BusMessage& message) {
      acks_.push_back(
          cluster::decode_message<cluster::StreamAcknowledgement>(message.payload).index);
    });
  }

  StreamRequest<PlotSectorRequest> request() {
    return {*bus_, kPlotter, PlotSectorRequest{}, {.draw_ulid = ulids_from(7)}};
  }
  /// How many elements come, and why no more do.
  std::pair<std::size_t, StreamEnd> take_all() {
    StreamRequest<PlotSectorRequest> stream = request();
    std::size_t n = 0;
    while (stream.next(stop_)) {
      ++n;
    }
    EXPECT_TRUE(stream.end());
    EXPECT_FALSE(server_.has_subscriber(requests_.empty() ? "none" : requests_[0].reply_subject))
        << "unsubscribed at the end, whatever it was";
    return {n, stream.end().value_or(StreamEnd{})};
  }

  MemoryServer server_;
  std::unique_ptr<MemoryBus> bus_ = server_.connect();
  std::stop_token stop_;
  std::vector<BusMessage> requests_;
  std::vector<std::uint32_t> acks_;
  std::string next_reply_;
};

TEST_F(StreamRequester, SubscribesToAFreshResponseSubjectBeforeItAsks) {
  bool was_there = false;
  server_.add_peer(kSubject, [&](const BusMessage& request) {
    was_there = server_.has_subscriber(request.reply_subject);
    server_.publish(request.reply_subject, last_message(0, {}));
  });
  answer_with({});
  EXPECT_EQ(take_all().second.reason, Reason::kLast);
  EXPECT_TRUE(was_there);
  ASSERT_EQ(requests_.size(), 1U);
  EXPECT_EQ(requests_[0].subject, kSubject);
  EXPECT_EQ(requests_[0].payload.size(), 110U);
  EXPECT_TRUE(requests_[0].reply_subject.starts_with("stream-response."));
  EXPECT_EQ(requests_[0].reply_subject.size(), 42U);
}

TEST_F(StreamRequester, EndsWithAnEmptyLast) {
  answer_with({continue_message(0, {ping(), ping()}), last_message(1, {})});
  const auto [n, end] = take_all();
  EXPECT_EQ(n, 2U);
  EXPECT_TRUE(end.is_complete()) << end.text;
  EXPECT_EQ(acks_, std::vector<std::uint32_t>{0}) << "the last is not acknowledged";
}

TEST_F(StreamRequester, EndsWithALastThatCarriesElements) {
  answer_with({last_message(0, {ping(), ping(), ping()})});
  const auto [n, end] = take_all();
  EXPECT_EQ(n, 3U);
  EXPECT_TRUE(end.is_complete()) << end.text;
  EXPECT_TRUE(acks_.empty());
}

TEST_F(StreamRequester, AcknowledgesAMessageBeforeItsElementsAreTakenAndTakesTheNextAfterThem) {
  answer_with(
      {continue_message(0, {ping(), ping()}), continue_message(1, {ping()}), last_message(2, {})});
  StreamRequest<PlotSectorRequest> stream = request();
  EXPECT_TRUE(acks_.empty()) << "nothing is taken before somebody asks";
  EXPECT_TRUE(stream.next(stop_));
  EXPECT_EQ(acks_, std::vector<std::uint32_t>({0})) << "one of its two elements is left";
  EXPECT_TRUE(stream.next(stop_));
  EXPECT_EQ(acks_, std::vector<std::uint32_t>({0})) << "the next message is not taken yet";
  EXPECT_TRUE(stream.next(stop_));
  EXPECT_EQ(acks_, std::vector<std::uint32_t>({0, 1}));
  EXPECT_FALSE(stream.next(stop_));
}

TEST_F(StreamRequester, EndsWhenAnIndexIsMissing) {
  answer_with({continue_message(0, {ping()}), continue_message(2, {ping()})});
  const auto [n, end] = take_all();
  EXPECT_EQ(n, 1U);
  EXPECT_EQ(end.reason, Reason::kUnexpectedIndex);
  EXPECT_NE(end.text.find("expected message 1, actual 2"), std::string::npos) << end.text;
  EXPECT_EQ(acks_, std::vector<std::uint32_t>({0})) << "what is out of order is not acknowledged";
}

TEST_F(StreamRequester, EndsWhenAMessageComesTwice) {
  answer_with({continue_message(0, {ping()}), continue_message(0, {ping()})});
  const auto [n, end] = take_all();
  EXPECT_EQ(n, 1U);
  EXPECT_EQ(end.reason, Reason::kUnexpectedIndex);
}

TEST_F(StreamRequester, EndsWhenTheFirstIndexIsNotZero) {
  answer_with({last_message(1, {ping()})});
  const auto [n, end] = take_all();
  EXPECT_EQ(n, 0U);
  EXPECT_EQ(end.reason, Reason::kUnexpectedIndex);
}

TEST_F(StreamRequester, EndsWithAContinueWithoutElementsWhichItAcknowledges) {
  answer_with({continue_message(0, {})});
  const auto [n, end] = take_all();
  EXPECT_EQ(n, 0U);
  EXPECT_EQ(end.reason, Reason::kNoElements);
  EXPECT_EQ(acks_, std::vector<std::uint32_t>({0}));
}

TEST_F(StreamRequester, EndsWithAMessageThatDoesNotDecodeAndGivesNoneOfItsElements) {
  // The first element is right, the second has no such variant.
  answer_with({continue_message(0, {ping(), Bytes{9}})});
  const auto [n, end] = take_all();
  EXPECT_EQ(n, 0U);
  EXPECT_EQ(end.reason, Reason::kMalformed);
  EXPECT_NE(end.text.find("expected a variant below 9, actual 9"), std::string::npos) << end.text;
  EXPECT_TRUE(acks_.empty());
}

TEST_F(StreamRequester, EndsWithAnEmptyMessageThatIsNoStatus) {
  answer_with({Bytes{}});
  EXPECT_EQ(take_all().second.reason, Reason::kMalformed);
}

TEST_F(StreamRequester, IgnoresBytesBehindAMessage) {
  Bytes payload = last_message(0, {ping()});
  payload.push_back(0xEE);
  answer_with({payload});
  const auto [n, end] = take_all();
  EXPECT_EQ(n, 1U);
  EXPECT_TRUE(end.is_complete());
}

TEST_F(StreamRequester, TellsThatNobodyIsSubscribed) {
  const auto [n, end] = take_all();
  EXPECT_EQ(n, 0U);
  EXPECT_EQ(end.reason, Reason::kNoResponders);
}

TEST_F(StreamRequester, EndsWhenTheResponderIsSilentForTooLong) {
  answer_with({continue_message(0, {ping()})});
  const auto start = server_.now();
  const auto [n, end] = take_all();
  EXPECT_EQ(n, 1U);
  EXPECT_EQ(end.reason, Reason::kIdle);
  EXPECT_EQ(server_.now() - start, 5min);
}

TEST_F(StreamRequester, HasNoLimitForAStreamThatGoesOnSlowly) {
  server_.add_peer(kSubject, [this](const BusMessage& request) {
    server_.publish(request.reply_subject, continue_message(0, {ping()}));
    next_reply_ = request.reply_subject;
  });
  server_.add_peer(kAckSubject, [this](const BusMessage& message) {
    const auto index =
        cluster::decode_message<cluster::StreamAcknowledgement>(message.payload).index;
    server_.publish(next_reply_, index < 9 ? continue_message(index + 1, {ping()})
                                           : last_message(index + 1, {}));
  });
  server_.set_weather({.least_delay = 2min, .most_delay = 2min});
  const auto start = server_.now();
  const auto [n, end] = take_all();
  EXPECT_EQ(n, 10U);
  EXPECT_TRUE(end.is_complete()) << end.text;
  EXPECT_GT(server_.now() - start, 40min);
}

TEST_F(StreamRequester, KeepsNoMoreThanThreeMessagesOfAResponderThatWaitsForNothing) {
  std::vector<Bytes> payloads;
  for (std::uint32_t i = 0; i < 1000; ++i) {
    payloads.push_back(continue_message(i, {element_of(100'000)}));
  }
  answer_with(payloads);
  const auto [n, end] = take_all();
  EXPECT_EQ(n, 3U) << "the rest found no room";
  EXPECT_EQ(end.reason, Reason::kIdle);
}

TEST_F(StreamRequester, ReadsAMessageOfManySmallElementsWithoutTakingMemoryForAllOfThem) {
  const std::vector<Bytes> elements(1'000'000, ping());
  answer_with({last_message(0, elements)});
  const auto [n, end] = take_all();
  EXPECT_EQ(n, 1'000'000U);
  EXPECT_TRUE(end.is_complete());
}

TEST_F(StreamRequester, StopsWhenItIsAskedTo) {
  std::stop_source stop;
  stop_ = stop.get_token();
  answer_with({continue_message(0, {ping()})});
  StreamRequest<PlotSectorRequest> stream = request();
  EXPECT_TRUE(stream.next(stop_));
  stop.request_stop();
  EXPECT_FALSE(stream.next(stop_));
  EXPECT_EQ(stream.end()->reason, Reason::kStopped);
  EXPECT_FALSE(stream.next(stop_)) << "and stays so";
}

TEST_F(StreamRequester, ThatIsDroppedUnsubscribes) {
  answer_with({continue_message(0, {ping()})});
  {
    StreamRequest<PlotSectorRequest> stream = request();
    EXPECT_TRUE(stream.next(stop_));
  }
  EXPECT_FALSE(server_.has_subscriber(requests_.at(0).reply_subject));
}

}  // namespace
}  // namespace furrow::test
