// SPDX-License-Identifier: Apache-2.0
// Which connections a server has, and which of them gives way when there are too many.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <string>

#include "host/base/mutex.hpp"

struct sockaddr;

namespace furrow {

/// Who a connection is from, for counting: an IPv4 address, or the /64 network of an IPv6 address,
/// since whoever has one address of it has them all.
std::string client_of(const sockaddr& address);

/// Places for connections, limited in number altogether and for each client. A connection is always
/// at one of two things: its client owes it something (a request, the agreement on TLS, taking what
/// is sent), or it is served. When no place is free, a connection whose client has owed something
/// beyond the patience with it is ended in favour of the new one: the one that has owed a request
/// for longest, else the one that has been taking what is sent for longest. Those that are served
/// are not touched. Thread-safe.
class ConnectionPlaces {
 public:
  using Clock = std::chrono::steady_clock;

  struct Limits {
    std::size_t max_connections;
    std::size_t max_per_client;
    /// Whoever owes a request for less time keeps its place: it may be on its way.
    std::chrono::milliseconds patience_for_request;
    /// The same for taking what is sent.
    std::chrono::milliseconds patience_for_taking;
  };
  enum class Debt { kNone, kRequest, kTaking };

  /// The place of one connection, free again at its end, which is before the socket is closed.
  class Place {
   public:
    ~Place();
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;
    /// What the client owes from now on, or for so long already.
    void owes(Debt debt, Clock::duration since = {});
    /// The client owes a request; if it did so already, for as long as that. So whoever came first
    /// has waited longest, whichever of their threads began first.
    void owes_request();
    void is_served() { owes(Debt::kNone); }
    /// Whether it gave way; its socket is shut down then, so that whoever waits for it wakes.
    [[nodiscard]] bool is_ended() const { return is_ended_; }

   private:
    friend class ConnectionPlaces;
    Place(ConnectionPlaces& owner, int socket, std::string client) FURROW_REQUIRES(owner.mutex_);

    ConnectionPlaces& owner_;
    int socket_;
    std::string client_;
    // Touched with the owner's mutex. No annotation can say so: it is mutex_ in the functions of the
    // owner and owner_.mutex_ in those of a place, which the analysis takes for two.
    Debt debt_ = Debt::kRequest;
    Clock::time_point since_ = Clock::now();
    std::atomic<bool> is_ended_ = false;
    std::list<Place*>::iterator self_;
  };

  explicit ConnectionPlaces(Limits limits) : limits_(limits) {}

  /// A place for a new connection, whose socket stays that of the caller; null when there is none.
  [[nodiscard]] std::unique_ptr<Place> take(int socket, const std::string& client);
  /// Ends the connection that gives way first, if there is one.
  bool end_one();
  /// Connections that gave way so far.
  [[nodiscard]] std::uint64_t n_given_way() const { return n_given_way_; }

 private:
  bool end_one_of(const std::string* client) FURROW_REQUIRES(mutex_);
  void end(Place& place) FURROW_REQUIRES(mutex_);
  void leave_client(const std::string& client) FURROW_REQUIRES(mutex_);

  const Limits limits_;
  Mutex mutex_;
  std::list<Place*> places_ FURROW_GUARDED_BY(mutex_);  // also those that were ended
  std::size_t n_ FURROW_GUARDED_BY(mutex_) = 0;         // without those
  std::map<std::string, std::size_t> n_by_client_ FURROW_GUARDED_BY(mutex_);
  std::atomic<std::uint64_t> n_given_way_ = 0;
};

}  // namespace furrow
