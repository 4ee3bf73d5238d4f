// SPDX-License-Identifier: Apache-2.0
// The connection: what it refuses before a server would, and that the server in memory does as NATS.
#include "host/cluster/bus.hpp"

#include <map>

#include <gtest/gtest.h>

#include "host/cluster/message_queue.hpp"
#include "tests/unit/cluster/stream_fixture.hpp"

namespace furrow::test {
namespace {

using cluster::BusEvent;
using cluster::Bytes;
using cluster::Waited;

TEST(ClusterBus, TakesMaxPayloadAndNotOneByteMore) {
  MemoryServer server(1, 1000);
  const auto bus = server.connect();
  bus->publish("a", Bytes(1000));
  try {
    bus->publish("a", Bytes(1001));
    ADD_FAILURE() << "it was published";
  } catch (const cluster::PayloadTooLarge& error) {
    EXPECT_EQ(error.fields().actual, "1001");
    EXPECT_EQ(error.fields().expected, "at most 1000");
  }
  // "NATS/1.0\r\nNats-Msg-Id: 123\r\n\r\n" counts as well.
  bus->publish("a", Bytes(970), {.reply_subject = {}, .message_id = "123"});
  EXPECT_THROW(bus->publish("a", Bytes(971), {.reply_subject = {}, .message_id = "123"}),
               cluster::PayloadTooLarge);
}

TEST(ClusterBus, PublishesToSubjectsAlone) {
  MemoryServer server;
  const auto bus = server.connect();
  for (const char* bad : {"", "a.*", "a b", "a\r\nPUB b 0\r\n"}) {
    EXPECT_THROW(bus->publish(bad, {}), InvalidArgument) << bad;
  }
  EXPECT_THROW(bus->publish("a", {}, {.reply_subject = "b c"}), InvalidArgument);
  EXPECT_TRUE(server.published().empty());
}

TEST(ClusterBus, RefusesServersThatTakeTooLittleWithTheLineForTheirConfiguration) {
  MemoryServer small(1, 1 << 20);
  const auto bus = small.connect();
  try {
    cluster::require_message_size(*bus);
    ADD_FAILURE() << "it was accepted";
  } catch (const cluster::MaxPayloadTooSmall& error) {
    EXPECT_NE(std::string(error.what()).find("max_payload: 2MB"), std::string::npos);
    EXPECT_EQ(error.fields().actual, "1048576");
  }
  MemoryServer enough;
  const auto other = enough.connect();
  EXPECT_NO_THROW(cluster::require_message_size(*other));
}

TEST(ClusterBus, EverySubscriberGetsAMessageAndOneOfEachGroup) {
  MemoryServer server;
  const auto bus = server.connect();
  const auto all = bus->subscribe("ab.*.x");
  const auto everything = bus->subscribe("ab.>");
  const auto other = bus->subscribe("ab.x");
  std::vector<std::unique_ptr<cluster::BusSubscription>> group;
  for (int i = 0; i < 3; ++i) {
    group.push_back(bus->subscribe("ab.1.x", "group"));
  }
  for (int i = 0; i < 30; ++i) {
    bus->publish("ab.1.x", Bytes{1});
  }
  const auto count = [&](cluster::BusSubscription& subscription) {
    int n = 0;
    while (subscription.next(server.now(), {}).waited == Waited::kMessage) {
      ++n;
    }
    return n;
  };
  EXPECT_EQ(count(*all), 30);
  EXPECT_EQ(count(*everything), 30);
  EXPECT_EQ(count(*other), 0);
  int of_group = 0;
  for (const auto& member : group) {
    const int n = count(*member);
    EXPECT_GT(n, 0);
    of_group += n;
  }
  EXPECT_EQ(of_group, 30);
}

TEST(ClusterBus, DropsAndCountsWhatFindsNoRoom) {
  MemoryServer server;
  const auto bus = server.connect();
  const auto few = bus->subscribe("a", {}, {.messages = 2, .bytes = 100});
  const auto short_ones = bus->subscribe("a", {}, {.messages = 100, .bytes = 10});
  for (int i = 0; i < 5; ++i) {
    bus->publish("a", Bytes(4));
  }
  EXPECT_EQ(few->dropped(), 3U);
  EXPECT_EQ(short_ones->dropped(), 3U);
}

TEST(ClusterBus, GivesWhatHasArrivedAfterUnsubscribing) {
  MemoryServer server;
  const auto bus = server.connect();
  const auto subscription = bus->subscribe("a");
  bus->publish("a", Bytes{1});
  subscription->unsubscribe();
  bus->publish("a", Bytes{2});
  EXPECT_EQ(subscription->next(server.now(), {}).message.payload, Bytes{1});
  EXPECT_EQ(subscription->next(server.now(), {}).waited, Waited::kEnded);
}

TEST(ClusterBus, KeepsWhatIsPublishedWhileTheConnectionIsLostAndTellsOfIt) {
  MemoryServer server;
  const auto bus = server.connect();
  const auto peer = server.connect();
  std::vector<BusEvent::Kind> events;
  bus->observe([&](const BusEvent& event) { events.push_back(event.kind); });
  const auto mine = bus->subscribe("mine");
  const auto theirs = peer->subscribe("theirs");
  bus->disconnect();
  bus->publish("theirs", Bytes{1});
  peer->publish("mine", Bytes{1});
  EXPECT_EQ(theirs->next(server.now(), {}).waited, Waited::kTimeout);
  bus->reconnect();
  EXPECT_EQ(theirs->next(server.now(), {}).waited, Waited::kMessage);
  EXPECT_EQ(mine->next(server.now(), {}).waited, Waited::kTimeout) << "that one is lost";
  peer->publish("mine", Bytes{2});
  EXPECT_EQ(mine->next(server.now(), {}).message.payload, Bytes{2});
  EXPECT_EQ(events, (std::vector{BusEvent::Kind::kDisconnected, BusEvent::Kind::kReconnected}));
}

TEST(ClusterMessageQueue, HoldsSoManyMessagesAndBytes) {
  cluster::MessageQueue queue({.messages = 3, .bytes = 10});
  const auto message = [](std::size_t size) {
    return cluster::BusMessage{.subject = "a", .reply_subject = {}, .payload = Bytes(size)};
  };
  EXPECT_TRUE(queue.push(message(10)));
  EXPECT_FALSE(queue.push(message(1))) << "one byte too many";
  EXPECT_TRUE(queue.push(message(0)));
  EXPECT_TRUE(queue.push(message(0)));
  EXPECT_FALSE(queue.push(message(0))) << "one message too many";
  EXPECT_EQ(queue.dropped(), 2U);
  const auto past = std::chrono::steady_clock::now();
  EXPECT_EQ(queue.pop(past, {}).message.payload.size(), 10U);
  EXPECT_TRUE(queue.push(message(9))) << "there is room again";
}

TEST(ClusterMessageQueue, SaysWhyThereIsNone) {
  cluster::MessageQueue queue({});
  EXPECT_EQ(queue.pop(std::chrono::steady_clock::now() + 1ms, {}).waited, Waited::kTimeout);
  std::stop_source stop;
  stop.request_stop();
  EXPECT_EQ(queue.pop(cluster::BusClock::TimePoint::max(), stop.get_token()).waited,
            Waited::kStopped);
  EXPECT_TRUE(queue.push({.subject = "a", .reply_subject = {}, .payload = {}}));
  queue.end();
  EXPECT_EQ(queue.pop(cluster::BusClock::TimePoint::max(), stop.get_token()).waited,
            Waited::kMessage)
      << "what has arrived can still be taken";
  EXPECT_EQ(queue.pop(cluster::BusClock::TimePoint::max(), {}).waited, Waited::kEnded);
}

TEST(ClusterBus, ClockOfTheMachineSleepsAndStops) {
  cluster::SteadyBusClock clock;
  const auto before = clock.now();
  EXPECT_TRUE(clock.sleep_until(before + 20ms, {}));
  EXPECT_GE(clock.now() - before, 20ms);
  std::stop_source stop;
  stop.request_stop();
  EXPECT_FALSE(clock.sleep_until(cluster::BusClock::TimePoint::max(), stop.get_token()));
  EXPECT_EQ(clock.after(cluster::BusClock::Duration::max()), cluster::BusClock::TimePoint::max());
}

}  // namespace
}  // namespace furrow::test
