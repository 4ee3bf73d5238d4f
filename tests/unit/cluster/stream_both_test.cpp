// SPDX-License-Identifier: Apache-2.0
// Both sides of streams at once, in all weathers: what arrives is the beginning of what was sent, in
// order; whenever the requester calls it complete, it is all of it; and nobody waits for ever.
#include <thread>

#include <gtest/gtest.h>

#include "host/base/threads.hpp"
#include "host/cluster/stream_requester.hpp"
#include "host/cluster/stream_responder.hpp"
#include "tests/unit/cluster/stream_fixture.hpp"

namespace furrow::test {
namespace {

using cluster::Bytes;
using cluster::PlotSectorRequest;
using cluster::PlottingProgress;
using cluster::StreamEnd;
using cluster::StreamRequest;
using cluster::StreamSent;
using cluster::SubjectToken;
using cluster::Waited;

const SubjectToken kPlotter("01ARZ3NDEKTSV4RRFFQ69G5FAV", "plotter");

struct Outcome {
  std::optional<StreamSent> sent;  ///< none when the request did not arrive
  StreamEnd end;
  std::vector<Bytes> received;
  std::chrono::steady_clock::duration time{};
};

/// Sends the elements over a server with this weather; the requester sleeps after each element.
Outcome run_stream(const std::vector<Bytes>& elements, const Weather& weather, std::uint64_t seed,
                   std::chrono::milliseconds consumption = 0ms) {
  MemoryServer server(seed, 100'000);
  const auto responder_bus = server.connect();
  const auto requester_bus = server.connect();
  Outcome result;
  const auto requests =
      responder_bus->subscribe(PlotSectorRequest::kSubject.with(kPlotter), kPlotter.text());
  server.set_weather(weather);
  const auto start = server.now();
  auto participant = std::make_unique<MemoryServer::Participant>(server);
  std::jthread responder =
      start_thread("responder", [&, participant = std::move(participant)]() mutable {
        const auto request = requests->next(server.now() + 1min, {});
        if (request.waited == Waited::kMessage) {
          ScriptedSource source(responder_bus->clock(), elements);
          result.sent = cluster::respond_stream(*responder_bus, request.message.reply_subject,
                                                source, {.draw_ulid = ulids_from(7)}, {});
        }
        participant.reset();
      });
  StreamRequest<PlotSectorRequest> stream(*requester_bus, kPlotter, PlotSectorRequest{},
                                          {.draw_ulid = ulids_from(9)});
  while (const auto element = stream.next({})) {
    result.received.push_back(cluster::encode_message(*element));
    if (consumption > 0ms) {
      requester_bus->clock().sleep_until(requester_bus->clock().after(consumption), {});
    }
  }
  result.end = stream.end().value();
  {
    const MemoryServer::Away away(server);
    responder.join();
  }
  result.time = server.now() - start;
  return result;
}

std::vector<Bytes> elements_of(std::uint64_t seed, std::size_t n) {
  std::mt19937_64 random(seed);
  std::vector<Bytes> elements;
  for (std::size_t i = 0; i < n; ++i) {
    // Each its own size, so that any exchange shows.
    elements.push_back(element_of(random() % 4 == 0 ? i : random() % 90'000));
  }
  return elements;
}

bool is_beginning(const std::vector<Bytes>& part, const std::vector<Bytes>& whole) {
  return part.size() <= whole.size() && std::equal(part.begin(), part.end(), whole.begin());
}

TEST(ClusterStreams, ArriveCompletely) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    const std::vector<Bytes> elements = elements_of(seed, seed * 3);
    const Outcome result = run_stream(elements, {.least_delay = 1ms, .most_delay = 50ms}, seed);
    EXPECT_EQ(result.received, elements) << "seed " << seed;
    EXPECT_TRUE(result.end.is_complete()) << result.end.text;
    EXPECT_EQ(result.sent.value().outcome, StreamSent::Outcome::kComplete);
  }
}

TEST(ClusterStreams, GoAtTwoMessagesPerRoundTrip) {
  // Twenty messages of one element; 100 ms there and 100 ms back.
  const std::vector<Bytes> elements(20, element_of(90'000));
  const Outcome result = run_stream(elements, {.least_delay = 100ms, .most_delay = 100ms}, 1);
  EXPECT_TRUE(result.end.is_complete());
  EXPECT_GE(result.time, 2000ms);
  EXPECT_LE(result.time, 2500ms);
}

TEST(ClusterStreams, WaitForASlowConsumerUpToSixtySecondsAMessage) {
  const std::vector<Bytes> elements(8, element_of(90'000));
  const Outcome slow = run_stream(elements, {}, 1, 55s);
  EXPECT_EQ(slow.received, elements);
  EXPECT_TRUE(slow.end.is_complete()) << slow.end.text;
  const Outcome too_slow = run_stream(elements, {}, 1, 65s);
  EXPECT_FALSE(too_slow.end.is_complete());
  EXPECT_EQ(too_slow.sent.value().outcome, StreamSent::Outcome::kNotAcknowledged);
}

TEST(ClusterStreams, LoseNothingUnnoticedInAnyWeather) {
  std::size_t complete = 0;
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    std::mt19937_64 random(seed);
    Weather weather{.least_delay = 0ms, .most_delay = std::chrono::milliseconds(random() % 300)};
    weather.keeps_order = random() % 2 == 0;
    weather.lost = random() % 3 == 0 ? 0.05 : 0;
    weather.doubled = random() % 3 == 0 ? 0.05 : 0;
    const std::vector<Bytes> elements = elements_of(seed, 1 + random() % 40);
    const Outcome result = run_stream(elements, weather, seed);
    EXPECT_TRUE(is_beginning(result.received, elements)) << "seed " << seed;
    if (result.end.is_complete()) {
      ++complete;
      EXPECT_EQ(result.received, elements) << "seed " << seed;
    }
    if (weather.keeps_order && weather.lost == 0 && weather.doubled == 0) {
      EXPECT_TRUE(result.end.is_complete()) << "seed " << seed << ": " << result.end.text;
    }
    EXPECT_LE(result.time, 12min) << "seed " << seed;
  }
  EXPECT_GT(complete, 50U);
  EXPECT_LT(complete, 200U) << "the weather was never bad";
}

}  // namespace
}  // namespace furrow::test
