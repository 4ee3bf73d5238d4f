// SPDX-License-Identifier: Apache-2.0
// The connection to a real server: what the protocol needs of it (docs/spec/07, section 3), and who is
// let in.
#include "tests/support/nats_test.hpp"

#include <array>
#include <condition_variable>
#include <mutex>
#include <numeric>
#include <thread>

#include <gtest/gtest.h>
#include <sodium.h>

#include "host/base/threads.hpp"
#include "host/cluster/nats_bus.hpp"
#include "host/cluster/piece_messages.hpp"
#include "host/cluster/stream_requester.hpp"
#include "host/cluster/stream_responder.hpp"
#include "tests/unit/cluster/stream_fixture.hpp"
#include "tests/unit/http/tls_identity.hpp"

namespace furrow::test {
namespace {

using namespace furrow::cluster;

/// Events as they come.
class Events {
 public:
  Observer<const BusEvent&> observer() {
    return [this](const BusEvent& event) {
      const std::lock_guard lock(mutex_);
      ++counts_[static_cast<std::size_t>(event.kind)];
      changed_.notify_all();
    };
  }
  bool wait_for(BusEvent::Kind kind) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, 20s,
                             [&] { return counts_[static_cast<std::size_t>(kind)] > 0; });
  }

  /// Of all kinds.
  int count() {
    const std::lock_guard lock(mutex_);
    return std::accumulate(counts_.begin(), counts_.end(), 0);
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::array<int, 5> counts_{};
};

class Nats : public NatsTest {
 protected:
  static BusClock::TimePoint soon() { return std::chrono::steady_clock::now() + 10s; }
  /// Until what was sent before has arrived.
  static void settle(Bus& bus) {
    const auto subscription = bus.subscribe("settle");
    bus.publish("settle", {});
    ASSERT_EQ(subscription->next(soon(), {}).waited, Waited::kMessage);
  }
};

TEST_F(Nats, HasTheMaxPayloadThatTheProtocolNeedsWhenConfigured) {
  start_server();
  EXPECT_EQ(connect()->max_payload(), kExpectedMessageSize);
  EXPECT_NO_THROW(require_message_size(*connect()));
}

TEST_F(Nats, HasTooSmallAMaxPayloadByDefault) {
  start_server("");
  EXPECT_THROW(require_message_size(*connect()), MaxPayloadTooSmall);
}

TEST_F(Nats, CarriesMessagesOfMaxPayloadAndRepliesAndHeaders) {
  start_server();
  const auto bus = connect();
  const auto other = connect();
  const auto subscription = other->subscribe("ab.*.x", "group");
  settle(*other);
  const Bytes whole(kExpectedMessageSize, 7);
  bus->publish("ab.1.x", whole, {.reply_subject = "reply"});
  bus->publish("ab.2.x", Bytes{1}, {.reply_subject = {}, .message_id = "slot-info-1"});
  bus->publish("ab.3.x", {});
  Received received = subscription->next(soon(), {});
  EXPECT_EQ(received.message.subject, "ab.1.x");
  EXPECT_EQ(received.message.reply_subject, "reply");
  EXPECT_EQ(received.message.payload, whole);
  EXPECT_EQ(subscription->next(soon(), {}).message.payload, Bytes{1});
  received = subscription->next(soon(), {});
  EXPECT_EQ(received.message.payload, Bytes{});
  EXPECT_FALSE(received.message.no_responders);
}

TEST_F(Nats, TellsThatNobodyIsSubscribed) {
  start_server();
  const auto bus = connect();
  try {
    (void)send_request(*bus, SubjectToken("_", "group"), FindPieceRequest{}, {.most_delay = 0s},
                       {});
    ADD_FAILURE() << "it was answered";
  } catch (const RequestUnanswered& error) {
    EXPECT_EQ(error.reason(), NoAnswer::kNoResponders);
  }
}

TEST_F(Nats, EndsWaitingWithAStop) {
  start_server();
  const auto bus = connect();
  const auto subscription = bus->subscribe("never");
  std::stop_source stop;
  const std::jthread stopper = start_thread("stopper", [&] { stop.request_stop(); });
  EXPECT_EQ(subscription->next(BusClock::TimePoint::max(), stop.get_token()).waited,
            Waited::kStopped);
}

TEST_F(Nats, GivesWhatHadArrivedAtTheServerBeforeItUnsubscribed) {
  start_server();
  const auto bus = connect();
  const auto other = connect();
  for (int round = 0; round < 20; ++round) {
    const auto subscription = bus->subscribe("a", "group");
    settle(*bus);
    for (std::uint8_t i = 0; i < 100; ++i) {
      other->publish("a", Bytes{i});
    }
    settle(*other);
    subscription->unsubscribe();
    for (std::uint8_t i = 0; i < 100; ++i) {
      ASSERT_EQ(subscription->next(soon(), {}).message.payload, Bytes{i}) << "round " << round;
    }
    ASSERT_EQ(subscription->next(soon(), {}).waited, Waited::kEnded) << "round " << round;
    other->publish("a", Bytes{1});
    settle(*other);
    EXPECT_EQ(subscription->next(soon(), {}).waited, Waited::kEnded);
  }
}

TEST_F(Nats, UnsubscribesWhileTheConnectionIsLost) {
  NatsServer& server = start_server();
  Events events;
  const auto bus = connect();
  bus->observe(events.observer());
  const auto subscription = bus->subscribe("a");
  server.stop();
  EXPECT_TRUE(events.wait_for(BusEvent::Kind::kDisconnected));
  subscription->unsubscribe();
  EXPECT_EQ(subscription->next(soon(), {}).waited, Waited::kEnded);
}

TEST_F(Nats, DropsAndCountsAndTellsWhatFindsNoRoom) {
  start_server();
  std::atomic<int> slow = 0;  // longer than the connection, which tells
  const auto bus = connect();
  bus->observe([&](const BusEvent& event) { slow += event.kind == BusEvent::Kind::kSlow ? 1 : 0; });
  const auto subscription = bus->subscribe("a", {}, {.messages = 2, .bytes = 100});
  for (int i = 0; i < 5; ++i) {
    bus->publish("a", Bytes{1});
  }
  const auto deadline = soon();
  while (slow < 3 && std::chrono::steady_clock::now() < deadline) {  // told after it is counted
    std::this_thread::sleep_for(1ms);
  }
  EXPECT_EQ(subscription->dropped(), 3U);
  EXPECT_EQ(slow, 3);
}

TEST_F(Nats, CarriesAWholeSectorAsAStream) {
  start_server();
  const auto plotter = connect();
  const auto farmer = connect();
  const SubjectToken id("01ARZ3NDEKTSV4RRFFQ69G5FAV", "plotter");
  const auto requests = plotter->subscribe(PlotSectorRequest::kSubject.with(id), id.text());
  settle(*plotter);
  const std::vector<Bytes> elements(40, element_of(1'887'436));
  StreamSent sent;
  std::jthread responder = start_thread("responder", [&] {
    const Received request = requests->next(soon(), {});
    ScriptedSource source(plotter->clock(), elements);
    sent = respond_stream(*plotter, request.message.reply_subject, source, {}, {});
  });
  StreamRequest<PlotSectorRequest> stream(*farmer, id, PlotSectorRequest{}, {.idle_timeout = 30s});
  std::size_t bytes = 0;
  while (const auto element = stream.next({})) {
    bytes += std::get<Bytes>(std::get<PlottingProgress::SectorChunk>(element->event).data).size();
  }
  responder.join();
  EXPECT_TRUE(stream.end()->is_complete()) << stream.end()->text;
  EXPECT_EQ(bytes, 40U * 1'887'436);
  EXPECT_EQ(sent.n_messages, 41U);
}

TEST_F(Nats, SurvivesARestartOfTheServerWithItsSubscriptions) {
  NatsServer& server = start_server();
  Events events;
  const auto bus = connect();
  bus->observe(events.observer());
  const auto subscription = bus->subscribe("a");
  settle(*bus);
  server.stop();
  EXPECT_TRUE(events.wait_for(BusEvent::Kind::kDisconnected));
  bus->publish("a", Bytes{1});  // kept
  server.start();
  EXPECT_TRUE(events.wait_for(BusEvent::Kind::kReconnected));
  EXPECT_EQ(subscription->next(soon(), {}).message.payload, Bytes{1});
}

TEST_F(Nats, ThatItIsClosedByItsOwnerIsNoNews) {
  start_server();
  Events events;
  {
    const auto bus = connect();
    bus->observe(events.observer());
  }
  EXPECT_EQ(events.count(), 0);
}

TEST_F(Nats, LetsInWhoHasThePassword) {
  start_server(kTwoMegabytes + "authorization: { user: farmer, password: \"s3cret\" }\n");
  EXPECT_NO_THROW(connect({.user = "farmer", .password = "s3cret"}));
  NatsOptions in_address;
  in_address.servers = {"nats://farmer:s3cret@127.0.0.1:" + std::to_string(server_->port())};
  EXPECT_NO_THROW(connect(in_address));
  EXPECT_THROW(connect(), NatsConnectFailed);
  in_address.servers = {"nats://farmer:wr0ng@127.0.0.1:" + std::to_string(server_->port())};
  try {
    (void)connect(in_address);
    ADD_FAILURE() << "it was let in";
  } catch (const NatsConnectFailed& error) {
    EXPECT_EQ(std::string(error.what()).find("wr0ng"), std::string::npos) << error.what();
    EXPECT_NE(std::string(error.what()).find("127.0.0.1"), std::string::npos) << error.what();
  }
}

TEST_F(Nats, LetsInWhoHasTheToken) {
  start_server(kTwoMegabytes + "authorization: { token: \"t0ken\" }\n");
  EXPECT_NO_THROW(connect({.token = "t0ken"}));
  EXPECT_THROW(connect({.token = "another"}), NatsConnectFailed);
}

/// Base 32 of RFC 4648 without padding, over the bytes and their CRC: the text form of nkeys.
std::string nkey_text(std::vector<std::uint8_t> bytes) {
  std::uint16_t crc = 0;
  for (const std::uint8_t byte : bytes) {
    crc = static_cast<std::uint16_t>(crc ^ byte << 8);
    for (int bit = 0; bit < 8; ++bit) {
      crc = static_cast<std::uint16_t>((crc & 0x8000) != 0 ? crc << 1 ^ 0x1021 : crc << 1);
    }
  }
  bytes.push_back(static_cast<std::uint8_t>(crc));
  bytes.push_back(static_cast<std::uint8_t>(crc >> 8));
  std::string text;
  std::uint32_t bits = 0;
  unsigned n_bits = 0;
  for (const std::uint8_t byte : bytes) {
    bits = bits << 8 | byte;
    for (n_bits += 8; n_bits >= 5; n_bits -= 5) {
      text.push_back("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"[bits >> (n_bits - 5) & 31]);
    }
  }
  if (n_bits > 0) {
    text.push_back("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"[bits << (5 - n_bits) & 31]);
  }
  return text;
}

TEST_F(Nats, LetsInWhoHasTheSeedOfAnNkey) {
  constexpr std::uint8_t kUser = 20 << 3;
  constexpr std::uint8_t kSeed = 18 << 3;
  std::array<std::uint8_t, crypto_sign_SEEDBYTES> seed{};
  seed.fill(0x42);
  std::array<std::uint8_t, crypto_sign_PUBLICKEYBYTES> key{};
  std::array<std::uint8_t, crypto_sign_SECRETKEYBYTES> secret{};
  ASSERT_EQ(crypto_sign_seed_keypair(key.data(), secret.data(), seed.data()), 0);
  std::vector<std::uint8_t> public_bytes{kUser};
  public_bytes.insert(public_bytes.end(), key.begin(), key.end());
  std::vector<std::uint8_t> seed_bytes{kSeed | kUser >> 5, (kUser & 31) << 3};
  seed_bytes.insert(seed_bytes.end(), seed.begin(), seed.end());
  const std::string public_key = nkey_text(public_bytes);
  start_server(kTwoMegabytes + "authorization: { users: [ { nkey: " + public_key + " } ] }\n");
  const std::filesystem::path file = server_->directory() / "user.nk";
  std::ofstream(file) << nkey_text(seed_bytes) << "\n";
  // Of 256 signatures one begins with a zero byte, which the library takes for none.
  for (int i = 0; i < 1000; ++i) {
    ASSERT_NO_THROW(connect({.nkey = public_key, .nkey_seed_file = file})) << "time " << i;
  }
  EXPECT_THROW(connect(), NatsConnectFailed);
}

TEST_F(Nats, ComesOverTlsFromServersAndToClientsThatAreKnown) {
  const TempDirectory files;
  const Identity authority("authority", "", nullptr);
  const Identity identity("server", "IP:127.0.0.1", &authority);
  const auto ca = authority.write_certificate(files.path() / "ca.pem");
  const auto certificate = identity.write_certificate(files.path() / "server.pem");
  const auto key = identity.write_key(files.path() / "server.key");
  start_server(kTwoMegabytes + "tls: { cert_file: \"" + certificate.native() + "\", key_file: \"" +
               key.native() + "\", ca_file: \"" + ca.native() + "\", verify: true }\n");
  const NatsOptions known{.ca_file = ca, .certificate_file = certificate, .key_file = key};
  EXPECT_NO_THROW(settle(*connect(known)));
  EXPECT_THROW(connect({.ca_file = ca}), NatsConnectFailed) << "no certificate of the client";
  const Identity stranger("stranger", "", nullptr);
  const auto other = stranger.write_certificate(files.path() / "other.pem");
  EXPECT_THROW(connect({.ca_file = other, .certificate_file = certificate, .key_file = key}),
               NatsConnectFailed)
      << "an authority that did not sign the server";
}

TEST_F(Nats, KeepsClustersOfTwoAccountsApart) {
  start_server(kTwoMegabytes +
               "accounts: { A: { users: [ { user: a, password: a } ] },"
               " B: { users: [ { user: b, password: b } ] } }\n");
  const auto a = connect({.user = "a", .password = "a"});
  const auto b = connect({.user = "b", .password = "b"});
  const auto of_a = a->subscribe("ab.>");
  const auto of_b = b->subscribe("ab.>");
  settle(*a);
  settle(*b);
  a->publish("ab.x", Bytes{1});
  settle(*a);
  EXPECT_EQ(of_a->next(soon(), {}).waited, Waited::kMessage);
  EXPECT_EQ(of_b->next(std::chrono::steady_clock::now() + 200ms, {}).waited, Waited::kTimeout);
}

TEST_F(Nats, IsTriedAtEachAddress) {
  NatsServer& server = start_server();
  NatsOptions options;
  options.servers = {"nats://127.0.0.1:1", server.url()};
  EXPECT_NO_THROW(connect(options));
  options.servers = {"nats://127.0.0.1:1"};
  EXPECT_THROW(connect(options), NatsConnectFailed);
}

TEST(NatsOptions, ThatCannotBeAreRefusedByName) {
  const auto refusal = [](NatsOptions options) {
    if (options.servers.empty()) {
      options.servers = {"nats://127.0.0.1:1"};
    } else if (options.servers.front().empty()) {
      options.servers.clear();
    }
    try {
      (void)connect_to_nats(options);
    } catch (const Error& error) {
      return std::string(error.what());
    }
    return std::string("accepted");
  };
  EXPECT_EQ(refusal({.servers = {""}}), "NATS servers: expected at least one address, actual none");
  EXPECT_EQ(refusal({.servers = {"http://me:pw@host"}}),
            "NATS server: expected nats://HOST:PORT or tls://HOST:PORT, actual "
            "'http://***@host'");
  EXPECT_NE(refusal({.servers = {}, .user = "me", .token = "t"}).find("actual 2 of them"),
            std::string::npos);
  EXPECT_NE(refusal({.servers = {}, .nkey = "U"}).find("seed file together"), std::string::npos);
  EXPECT_NE(refusal({.servers = {}, .certificate_file = "c"}).find("key together"),
            std::string::npos);
  EXPECT_NE(refusal({.servers = {}, .credentials_file = "/none/such.creds"}).find("such.creds"),
            std::string::npos);
}

}  // namespace
}  // namespace furrow::test
