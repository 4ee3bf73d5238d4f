// SPDX-License-Identifier: Apache-2.0
#include "host/http/connection_places.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

namespace furrow {

std::string client_of(const sockaddr& address) {
  char text[INET6_ADDRSTRLEN] = "";
  if (address.sa_family == AF_INET) {
    sockaddr_in ipv4{};
    std::memcpy(&ipv4, &address, sizeof ipv4);
    ::inet_ntop(AF_INET, &ipv4.sin_addr, text, sizeof text);
    return text;
  }
  if (address.sa_family != AF_INET6) {
    return "";
  }
  sockaddr_in6 ipv6{};
  std::memcpy(&ipv6, &address, sizeof ipv6);
  if (IN6_IS_ADDR_V4MAPPED(&ipv6.sin6_addr)) {
    ::inet_ntop(AF_INET, ipv6.sin6_addr.s6_addr + 12, text, sizeof text);
    return text;
  }
  std::fill(ipv6.sin6_addr.s6_addr + 8, ipv6.sin6_addr.s6_addr + 16, std::uint8_t{0});
  ::inet_ntop(AF_INET6, &ipv6.sin6_addr, text, sizeof text);
  return std::string(text) + "/64";
}

ConnectionPlaces::Place::Place(ConnectionPlaces& owner, int socket, std::string client)
    : owner_(owner), socket_(socket), client_(std::move(client)) {
  std::size_t& n_of_client = owner_.n_by_client_[client_];
  self_ = owner_.places_.insert(owner_.places_.end(), this);
  ++n_of_client;
  ++owner_.n_;
}

ConnectionPlaces::Place::~Place() {
  const Lock lock(owner_.mutex_);
  owner_.places_.erase(self_);
  if (!is_ended_) {
    owner_.leave_client(client_);
  }
}

void ConnectionPlaces::Place::owes(Debt debt, Clock::duration since) {
  const Lock lock(owner_.mutex_);
  debt_ = debt;
  since_ = Clock::now() - since;
}

void ConnectionPlaces::Place::owes_request() {
  const Lock lock(owner_.mutex_);
  if (debt_ != Debt::kRequest) {
    debt_ = Debt::kRequest;
    since_ = Clock::now();
  }
}

void ConnectionPlaces::leave_client(const std::string& client) {
  --n_;
  const auto found = n_by_client_.find(client);
  if (--found->second == 0) {
    n_by_client_.erase(found);
  }
}

void ConnectionPlaces::end(Place& place) {
  place.is_ended_ = true;
  leave_client(place.client_);
  ++n_given_way_;
  ::shutdown(place.socket_, SHUT_RDWR);
}

bool ConnectionPlaces::end_one_of(const std::string* client) {
  const Clock::time_point now = Clock::now();
  for (const auto& [debt, patience] : {std::pair(Debt::kRequest, limits_.patience_for_request),
                                       std::pair(Debt::kTaking, limits_.patience_for_taking)}) {
    Place* longest = nullptr;
    for (Place* place : places_) {
      const bool may_end = !place->is_ended_ && place->debt_ == debt &&
                           now - place->since_ >= patience &&
                           (client == nullptr || place->client_ == *client);
      if (may_end && (longest == nullptr || place->since_ < longest->since_)) {
        longest = place;
      }
    }
    if (longest != nullptr) {
      end(*longest);
      return true;
    }
  }
  return false;
}

bool ConnectionPlaces::end_one() {
  const Lock lock(mutex_);
  return end_one_of(nullptr);
}

std::unique_ptr<ConnectionPlaces::Place> ConnectionPlaces::take(int socket,
                                                                const std::string& client) {
  const Lock lock(mutex_);
  const auto held = n_by_client_.find(client);
  const bool client_is_full = held != n_by_client_.end() && held->second >= limits_.max_per_client;
  const bool is_full = n_ >= limits_.max_connections;
  if ((client_is_full || is_full) && !end_one_of(client_is_full ? &client : nullptr)) {
    return nullptr;
  }
  return std::unique_ptr<Place>(new Place(*this, socket, client));
}

}  // namespace furrow
