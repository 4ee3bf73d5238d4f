// SPDX-License-Identifier: Apache-2.0
// Every rule of docs/spec/07, section 6.2, against a requester that does as it likes.
#include "host/cluster/stream_responder.hpp"

#include <gtest/gtest.h>

#include "host/cluster/stream_packer.hpp"
#include "tests/unit/cluster/stream_fixture.hpp"

namespace furrow::test {
namespace {

using cluster::BusMessage;
using cluster::Bytes;
using cluster::ElementTooLarge;
using cluster::StreamSent;
using Outcome = StreamSent::Outcome;

const std::string kResponse = "stream-response.01ARZ3NDEKTSV4RRFFQ69G5FAV";

/// A server, and what the requester saw on it.
class StreamResponder : public testing::Test {
 protected:
  /// What the requester does with each message that it sees; nothing by default.
  using React = std::function<void(const Seen&)>;

  StreamSent respond(const std::vector<Bytes>& elements, React react = {}) {
    ScriptedSource source(bus_->clock(), elements);
    return respond(source, std::move(react));
  }
  StreamSent respond(ScriptedSource& source, React react = {}) {
    server_.add_peer(kResponse, [this, react](const BusMessage& message) {
      const Seen now = seen(message);
      messages_.push_back(now);
      payload_sizes_.push_back(message.payload.size());
      times_.push_back(server_.now());
      if (react) {
        react(now);
      }
    });
    start_ = server_.now();
    return cluster::respond_stream(*bus_, kResponse, source, {.draw_ulid = ulids_from(7)}, stop_);
  }
  /// Acknowledges each message at once.
  React acknowledge() {
    return [this](const Seen& message) {
      if (!message.is_last) {
        server_.publish(message.ack_subject, ack(message.index));
      }
    };
  }
  [[nodiscard]] auto since_start() const { return server_.now() - start_; }
  /// Elements of which each fills a message.
  static std::vector<Bytes> full(std::size_t n) { return {n, element_of(1'887'430)}; }

  MemoryServer server_;
  std::unique_ptr<MemoryBus> bus_ = server_.connect();
  std::stop_token stop_;
  MemoryServer::TimePoint start_;
  std::vector<Seen> messages_;
  std::vector<std::size_t> payload_sizes_;
  std::vector<MemoryServer::TimePoint> times_;
};

TEST_F(StreamResponder, OfAnEmptySourceSendsAnEmptyLastWithoutAnAckSubject) {
  EXPECT_EQ(respond({}).outcome, Outcome::kComplete);
  EXPECT_EQ(messages_, std::vector{Seen({true, 0, 0, ""})});
  EXPECT_EQ(server_.published().size(), 1U);
}

TEST_F(StreamResponder, OfOneReadyElementSendsALastThatNobodyAcknowledges) {
  EXPECT_EQ(respond({ping()}).outcome, Outcome::kComplete);
  EXPECT_EQ(messages_, std::vector{Seen({true, 0, 1, ""})});
  EXPECT_EQ(since_start(), 0s);
}

TEST_F(StreamResponder, PutsWhatIsReadyIntoOneMessageAndDoesNotWaitForMore) {
  ScriptedSource source(bus_->clock(), std::vector<ScriptedSource::Step>{
                                           {ping()}, {ping()}, {ping(), 30s}, {ping(), 30s}});
  EXPECT_EQ(respond(source, acknowledge()).outcome, Outcome::kComplete);
  ASSERT_EQ(messages_.size(), 3U);
  EXPECT_EQ(messages_[0].n_elements, 2U);
  EXPECT_EQ(messages_[1].n_elements, 1U);
  EXPECT_EQ(messages_[2].n_elements, 1U);
  EXPECT_EQ(times_[0] - start_, 0s);
  EXPECT_EQ(times_[1] - start_, 30s);
  EXPECT_EQ(times_[2] - start_, 60s);
}

TEST_F(StreamResponder, EndsWithAnEmptyLastWhenTheEndOfTheSourceComesLate) {
  ScriptedSource source(bus_->clock(), std::vector<Bytes>{ping()});
  source.end_after(5s);
  EXPECT_EQ(respond(source, acknowledge()).outcome, Outcome::kComplete);
  ASSERT_EQ(messages_.size(), 2U);
  EXPECT_FALSE(messages_[0].is_last);
  EXPECT_EQ(messages_[1], Seen({true, 1, 0, ""}));
}

TEST_F(StreamResponder, RepeatsOneFreshAckSubjectInEveryContinue) {
  EXPECT_EQ(respond(full(4), acknowledge()).outcome, Outcome::kComplete);
  ASSERT_EQ(messages_.size(), 5U);
  EXPECT_TRUE(messages_[0].ack_subject.starts_with("stream-response-ack."));
  EXPECT_EQ(messages_[0].ack_subject.size(), 46U);
  for (std::uint32_t i = 0; i < 4; ++i) {
    EXPECT_EQ(messages_[i], Seen({false, i, 1, messages_[0].ack_subject}));
  }
  EXPECT_EQ(messages_[4], Seen({true, 4, 0, ""}));
}

TEST_F(StreamResponder, SubscribesToTheAckSubjectBeforeTheFirstMessageAndUnsubscribesAtTheEnd) {
  bool was_there = false;
  EXPECT_EQ(respond(full(1),
                    [&](const Seen& message) {
                      was_there = was_there || server_.has_subscriber(message.ack_subject);
                    })
                .outcome,
            Outcome::kComplete);
  EXPECT_TRUE(was_there);
  EXPECT_FALSE(server_.has_subscriber(messages_[0].ack_subject));
}

TEST_F(StreamResponder, SendsTwoMessagesUnacknowledgedAndTheThirdAfterTheFirstIsAcknowledged) {
  const StreamSent sent = respond(full(5));
  EXPECT_EQ(sent.outcome, Outcome::kNotAcknowledged);
  EXPECT_EQ(sent.n_messages, 2U);
  EXPECT_EQ(messages_.size(), 2U);
  EXPECT_EQ(since_start(), 60s) << "the acknowledgement timeout";
  EXPECT_EQ(sent.reason, "acknowledgement: expected 0, actual none in time");
}

TEST_F(StreamResponder, NeverHasMoreThanTwoMessagesUnacknowledged) {
  // A requester that acknowledges one by one, each after a while.
  server_.set_weather({.least_delay = 100ms, .most_delay = 100ms});
  std::size_t acknowledged = 0;
  std::size_t most = 0;
  const StreamSent sent = respond(full(10), [&](const Seen& message) {
    most = std::max(most, messages_.size() - acknowledged);
    if (!message.is_last) {
      server_.publish(message.ack_subject, ack(message.index));
      ++acknowledged;
    }
  });
  EXPECT_EQ(sent.outcome, Outcome::kComplete);
  EXPECT_EQ(sent.n_messages, 11U);
  EXPECT_LE(most, 2U);
}

TEST_F(StreamResponder, SendsTheLastWithoutWaitingForTheAcknowledgementOfTheOneBefore) {
  // One Continue, then the Last: nothing is waited for at all.
  EXPECT_EQ(respond(full(1)).outcome, Outcome::kComplete);
  EXPECT_EQ(messages_.size(), 2U);
  EXPECT_EQ(since_start(), 0s);
}

TEST_F(StreamResponder, AbandonsSilentlyWhenTheWrongIndexIsAcknowledged) {
  const StreamSent sent = respond(full(5), [&](const Seen& message) {
    server_.publish(message.ack_subject, ack(message.index + 1));
  });
  EXPECT_EQ(sent.outcome, Outcome::kWronglyAcknowledged);
  EXPECT_EQ(sent.reason, "acknowledgement: expected 0, actual 1");
  EXPECT_EQ(messages_.size(), 2U) << "and says nothing of it";
}

TEST_F(StreamResponder, TakesADoubledAcknowledgementForThatOfTheNextMessage) {
  const StreamSent sent = respond(full(5), [&](const Seen& message) {
    server_.publish(message.ack_subject, ack(message.index));
    server_.publish(message.ack_subject, ack(message.index));
  });
  EXPECT_EQ(sent.outcome, Outcome::kWronglyAcknowledged);
  EXPECT_EQ(sent.reason, "acknowledgement: expected 1, actual 0");
}

TEST_F(StreamResponder, AbandonsWhenTheAcknowledgementIsShorterThanFourBytes) {
  const StreamSent sent = respond(full(5), [&](const Seen& message) {
    server_.publish(message.ack_subject, Bytes{0, 0, 0});
  });
  EXPECT_EQ(sent.outcome, Outcome::kWronglyAcknowledged);
  EXPECT_NE(sent.reason.find("expected 4 more bytes, actual 3"), std::string::npos) << sent.reason;
}

TEST_F(StreamResponder, LooksAtTheFirstFourBytesOfAnAcknowledgementOnly) {
  EXPECT_EQ(respond(full(3),
                    [&](const Seen& message) {
                      Bytes payload = ack(message.index);
                      payload.insert(payload.end(), {1, 2, 3});
                      if (!message.is_last) {
                        server_.publish(message.ack_subject, payload);
                      }
                    })
                .outcome,
            Outcome::kComplete);
}

TEST_F(StreamResponder, WaitsForAcknowledgementsUpToSixtySecondsEach) {
  server_.set_weather({.least_delay = 29s, .most_delay = 29s});  // 58 s there and back
  const StreamSent sent = respond(full(4), acknowledge());
  EXPECT_EQ(sent.outcome, Outcome::kComplete);
  EXPECT_EQ(sent.n_messages, 5U);
}

TEST_F(StreamResponder, AbandonsWhenAnAcknowledgementIsLate) {
  server_.set_weather({.least_delay = 31s, .most_delay = 31s});
  EXPECT_EQ(respond(full(4), acknowledge()).outcome, Outcome::kNotAcknowledged);
}

TEST_F(StreamResponder, IsNotHeldUpByAFloodOfAcknowledgements) {
  const StreamSent sent = respond(full(5), [&](const Seen& message) {
    for (int i = 0; i < 1000; ++i) {
      server_.publish(message.ack_subject, Bytes(1000, 0));
    }
  });
  // The first is right by chance, the second is one too many.
  EXPECT_EQ(sent.outcome, Outcome::kWronglyAcknowledged);
}

TEST_F(StreamResponder, ThrowsForAnElementThatFitsIntoNoMessage) {
  EXPECT_THROW(respond({element_of(cluster::kExpectedMessageSize)}), ElementTooLarge);
  EXPECT_TRUE(messages_.empty());
}

TEST_F(StreamResponder, SendsAnElementThatJustFits) {
  // Variant, index, count; in the element variant, result, length; then the ack subject.
  const std::size_t around = 1 + 4 + 1 + 1 + 1 + 4 + 47;
  EXPECT_EQ(respond({element_of(cluster::kExpectedMessageSize - around)}).outcome,
            Outcome::kComplete);
  EXPECT_EQ(payload_sizes_, std::vector<std::size_t>({cluster::kExpectedMessageSize, 6}));
}

TEST_F(StreamResponder, DoesNotSendAnElementWithOneByteMore) {
  const std::size_t around = 1 + 4 + 1 + 1 + 1 + 4 + 47;
  EXPECT_THROW(respond({element_of(cluster::kExpectedMessageSize - around + 1)}), ElementTooLarge);
  EXPECT_TRUE(messages_.empty());
}

TEST_F(StreamResponder, NeverSendsMoreThanMaxPayload) {
  std::vector<Bytes> elements;
  for (std::size_t i = 0; i < 40; ++i) {
    elements.push_back(element_of(i * 50'021 % 1'887'436));
  }
  EXPECT_EQ(respond(elements, acknowledge()).outcome, Outcome::kComplete);
  std::size_t n_elements = 0;
  for (const Seen& message : messages_) {
    n_elements += message.n_elements;
    EXPECT_TRUE(message.is_last || message.n_elements > 0) << "a Continue without elements";
  }
  EXPECT_EQ(n_elements, 40U);
  for (const std::size_t size : payload_sizes_) {
    EXPECT_LE(size, cluster::kExpectedMessageSize);
  }
}

TEST_F(StreamResponder, ReadsTheSourceNoFurtherThanWhatItCanSend) {
  ScriptedSource source(bus_->clock(), full(10));
  EXPECT_EQ(respond(source).outcome, Outcome::kNotAcknowledged);
  EXPECT_EQ(source.left(), 8U) << "two messages, and nothing beside them";
}

TEST_F(StreamResponder, StopsWhenItIsAskedTo) {
  std::stop_source stop;
  stop_ = stop.get_token();
  const StreamSent sent = respond(full(5), [&](const Seen& message) {
    if (message.index == 1) {
      stop.request_stop();
    }
  });
  EXPECT_EQ(sent.outcome, Outcome::kStopped);
  EXPECT_EQ(since_start(), 0s);
}

TEST_F(StreamResponder, RefusesAResponseSubjectThatIsNone) {
  ScriptedSource source(bus_->clock(), std::vector<Bytes>{ping()});
  EXPECT_THROW(cluster::respond_stream(*bus_, "a b", source, {}, {}), InvalidArgument);
}

}  // namespace
}  // namespace furrow::test
