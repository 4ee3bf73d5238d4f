// SPDX-License-Identifier: Apache-2.0
// A server of a cluster in memory, with weather and a clock of its own.
//
// Time stands still while any thread that takes part has something to do. When all wait, it goes on to
// whatever comes next: a message that arrives, a deadline. So a test that waits five minutes for an
// answer takes none of them, and with one thread, or with threads that only wait here, the same seed gives
// the same run. A thread takes part for the lifetime of a Participant; that of the test does so from the
// start.
//
// A peer that misbehaves on purpose is a function of a subject: it is called for each message as it
// arrives, and publishes whatever it likes.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <random>
#include <stop_token>
#include <string>
#include <vector>

#include "host/cluster/bus.hpp"

namespace furrow::test {

class MemoryBus;

/// What becomes of each message for each subscriber.
struct Weather {
  std::chrono::milliseconds least_delay{0};
  std::chrono::milliseconds most_delay{0};
  bool keeps_order = true;  ///< of messages from one connection to one subscription
  double lost = 0;          ///< probability
  double doubled = 0;       ///< probability
};

class MemoryServer {
 public:
  using TimePoint = cluster::BusClock::TimePoint;
  using Peer = std::function<void(const cluster::BusMessage&)>;

  explicit MemoryServer(std::uint64_t seed = 1,
                        std::size_t max_payload = cluster::kExpectedMessageSize);
  MemoryServer(const MemoryServer&) = delete;
  MemoryServer& operator=(const MemoryServer&) = delete;
  /// Pre: no connection is left.
  ~MemoryServer() = default;

  [[nodiscard]] std::unique_ptr<MemoryBus> connect();
  void set_weather(const Weather& weather);
  /// `peer` gets what is published to the subject. It is called by whoever publishes, or whoever waits
  /// when the message arrives, one at a time.
  void add_peer(const std::string& subject, Peer peer);
  /// Publishes in the name of nobody: what a peer answers. Not checked for size or subject.
  void publish(const std::string& subject, cluster::Bytes payload,
               const std::string& reply_subject = {});
  /// Every message that was published, in order.
  [[nodiscard]] std::vector<cluster::BusMessage> published() const;
  [[nodiscard]] bool has_subscriber(const std::string& subject) const;
  [[nodiscard]] TimePoint now() const;

  /// A thread that takes part, besides that of the test. Made before the thread, ended by it.
  class Participant {
   public:
    explicit Participant(MemoryServer& server);
    Participant(const Participant&) = delete;
    Participant& operator=(const Participant&) = delete;
    ~Participant();

   private:
    MemoryServer& server_;
  };
  /// The thread of the test does not take part while it waits for others in its own way.
  class Away {
   public:
    explicit Away(MemoryServer& server);
    Away(const Away&) = delete;
    Away& operator=(const Away&) = delete;
    ~Away();

   private:
    MemoryServer& server_;
  };

 private:
  friend class MemoryBus;
  friend class MemorySubscription;
  friend class MemoryClock;

  struct Queue {
    std::string subject;
    std::string group;
    std::uint64_t connection = 0;  ///< 0: of a peer
    Peer peer;
    cluster::PendingLimits limits;
    std::list<cluster::BusMessage> waiting = {};
    std::size_t waiting_bytes = 0;
    std::uint64_t dropped = 0;
    bool is_subscribed = true;
    TimePoint last_arrival = {};
  };
  struct Arrival {
    TimePoint time;
    std::uint64_t order = 0;
    std::shared_ptr<Queue> queue;
    cluster::BusMessage message;
  };
  struct Waiter {
    std::function<bool()> is_ready;
    TimePoint deadline;
    const std::stop_token* stop;
  };

  void publish_locked(std::uint64_t connection, cluster::BusMessage message);
  void send_to(const std::shared_ptr<Queue>& queue, const cluster::BusMessage& message);
  void deliver(const std::shared_ptr<Queue>& queue, const cluster::BusMessage& message);
  void deliver_due();
  [[nodiscard]] std::vector<std::shared_ptr<Queue>> receivers(const std::string& subject);
  /// Lets peers see what has arrived for them, unlocked meanwhile.
  void run_peers(std::unique_lock<std::mutex>& lock);
  /// Until the condition holds, the deadline is past, or a stop was requested.
  void wait(std::unique_lock<std::mutex>& lock, std::function<bool()> is_ready, TimePoint deadline,
            const std::stop_token& stop);
  [[nodiscard]] bool is_anybody_ready() const;
  void go_on_in_time();

  const std::size_t max_payload_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::mt19937_64 random_;
  Weather weather_;
  TimePoint now_;
  std::size_t participants_ = 1;
  std::uint64_t next_connection_ = 1;
  std::uint64_t next_order_ = 0;
  std::list<std::shared_ptr<Queue>> queues_;
  std::list<Arrival> arrivals_;
  std::list<Waiter*> waiters_;
  std::list<std::pair<std::shared_ptr<Queue>, cluster::BusMessage>> for_peers_;
  bool peers_are_running_ = false;
  std::vector<cluster::BusMessage> published_;
};

/// The clock of a server.
class MemoryClock final : public cluster::BusClock {
 public:
  explicit MemoryClock(MemoryServer& server) : server_(server) {}
  [[nodiscard]] TimePoint now() const override { return server_.now(); }
  bool sleep_until(TimePoint time, const std::stop_token& stop) override;

 private:
  MemoryServer& server_;
};

/// A connection to a server in memory.
class MemoryBus final : public cluster::Bus {
 public:
  MemoryBus(MemoryServer& server, std::uint64_t id) : server_(server), id_(id), clock_(server) {}

  [[nodiscard]] std::unique_ptr<cluster::BusSubscription> subscribe(
      const std::string& subject, const std::string& queue_group = {},
      const cluster::PendingLimits& limits = {}) override;
  [[nodiscard]] std::size_t max_payload() const override { return server_.max_payload_; }
  [[nodiscard]] cluster::BusClock& clock() override { return clock_; }
  void observe(Observer<const cluster::BusEvent&> observer) override;

  /// Nothing arrives; what is published is kept.
  void disconnect();
  /// What was kept goes out.
  void reconnect();

 protected:
  void send(const std::string& subject, std::span<const std::uint8_t> payload,
            const cluster::PublishOptions& options) override;

 private:
  friend class MemoryServer;
  friend class MemorySubscription;
  void tell(cluster::BusEvent::Kind kind, const std::string& text);

  MemoryServer& server_;
  const std::uint64_t id_;
  MemoryClock clock_;
  std::mutex observer_mutex_;
  Observer<const cluster::BusEvent&> observer_;
  // Under the mutex of the server.
  bool is_connected_ = true;
  std::vector<cluster::BusMessage> kept_;
  std::vector<std::shared_ptr<MemoryServer::Queue>> away_;
};

}  // namespace furrow::test
