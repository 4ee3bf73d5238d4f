// SPDX-License-Identifier: Apache-2.0
// Which connection gives way.
#include "host/http/connection_places.hpp"

#include <array>
#include <memory>
#include <string>

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

namespace furrow {
namespace {

using namespace std::chrono_literals;
using Debt = ConnectionPlaces::Debt;
using Place = std::unique_ptr<ConnectionPlaces::Place>;

ConnectionPlaces::Limits limits(std::size_t most, std::size_t per_client) {
  return {most, per_client, 1s, 10s};
}
constexpr int kNoSocket = -1;  // shutting it down does nothing

TEST(ConnectionPlaces, OrderOfGivingWay) {
  ConnectionPlaces places(limits(4, 4));
  const Place served = places.take(kNoSocket, "a");
  const Place taking = places.take(kNoSocket, "a");
  const Place asking = places.take(kNoSocket, "b");
  const Place idle = places.take(kNoSocket, "c");
  served->is_served();
  taking->owes(Debt::kTaking, 1h);
  asking->owes(Debt::kRequest, 2min);
  idle->owes(Debt::kRequest, 3min);
  const Place first = places.take(kNoSocket, "d");
  ASSERT_NE(first, nullptr);
  EXPECT_TRUE(idle->is_ended());
  EXPECT_FALSE(asking->is_ended());
  const Place second = places.take(kNoSocket, "d");
  ASSERT_NE(second, nullptr);
  EXPECT_TRUE(asking->is_ended());
  EXPECT_FALSE(taking->is_ended());
  first->is_served();
  second->is_served();
  const Place third = places.take(kNoSocket, "d");
  ASSERT_NE(third, nullptr);
  EXPECT_TRUE(taking->is_ended());
  // The third one has only just come, the others are served.
  EXPECT_EQ(places.take(kNoSocket, "e"), nullptr);
  EXPECT_FALSE(places.end_one());
  EXPECT_FALSE(served->is_ended());
  EXPECT_EQ(places.n_given_way(), 3U);
  third->owes(Debt::kTaking, 9s);
  EXPECT_FALSE(places.end_one());
  third->owes(Debt::kTaking, 11s);
  EXPECT_TRUE(places.end_one());
  EXPECT_TRUE(third->is_ended());
}

TEST(ConnectionPlaces, FirstComeHasWaitedLongest) {
  ConnectionPlaces places({2, 2, 0s, 0s});
  const Place first = places.take(kNoSocket, "a");
  const Place second = places.take(kNoSocket, "a");
  second->owes_request();  // its thread begins before that of the first one
  first->owes_request();
  const Place third = places.take(kNoSocket, "a");
  EXPECT_TRUE(first->is_ended());
  EXPECT_FALSE(second->is_ended());
}

TEST(ConnectionPlaces, CountsForEachClient) {
  ConnectionPlaces places(limits(3, 2));
  Place one = places.take(kNoSocket, "a");
  const Place two = places.take(kNoSocket, "a");
  EXPECT_EQ(places.take(kNoSocket, "a"), nullptr);
  one.reset();
  one = places.take(kNoSocket, "a");
  EXPECT_NE(one, nullptr);
  const Place other = places.take(kNoSocket, "b");
  other->owes(Debt::kRequest, 1h);
  // That of another client is not ended for the limit of this one.
  EXPECT_EQ(places.take(kNoSocket, "a"), nullptr);
  EXPECT_FALSE(other->is_ended());
  EXPECT_NE(places.take(kNoSocket, "c"), nullptr);
  EXPECT_TRUE(other->is_ended());
}

std::string client_at(const std::string& address) {
  sockaddr_storage storage{};
  auto& ipv6 = reinterpret_cast<sockaddr_in6&>(storage);
  auto& ipv4 = reinterpret_cast<sockaddr_in&>(storage);
  if (::inet_pton(AF_INET6, address.c_str(), &ipv6.sin6_addr) == 1) {
    storage.ss_family = AF_INET6;
  } else if (::inet_pton(AF_INET, address.c_str(), &ipv4.sin_addr) == 1) {
    storage.ss_family = AF_INET;
  }
  return client_of(reinterpret_cast<const sockaddr&>(storage));
}

TEST(ConnectionPlaces, Clients) {
  EXPECT_EQ(client_at("192.0.2.7"), "192.0.2.7");
  EXPECT_EQ(client_at("::ffff:192.0.2.7"), "192.0.2.7");
  EXPECT_EQ(client_at("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::/64");
  EXPECT_EQ(client_at("2001:db8:1:2::"), client_at("2001:db8:1:2:ffff::1"));
  EXPECT_NE(client_at("2001:db8:1:2::"), client_at("2001:db8:1:3::"));
}

}  // namespace
}  // namespace furrow
