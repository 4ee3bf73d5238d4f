// SPDX-License-Identifier: Apache-2.0
// The connection to a cluster as the protocol sees it (docs/spec/07-cluster-protocol.md, sections 3 to 5):
// subjects, queue groups, replies, and the time that passes meanwhile. What stands behind it, NATS or a
// server in the memory of a test, knows no messages; what stands in front of it knows no library.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <span>
#include <stop_token>
#include <string>

#include "furrow/errors.hpp"

#include "host/base/observer.hpp"
#include "host/cluster/message.hpp"

namespace furrow::cluster {

/// Smallest max_payload of a server that the protocol works with.
inline constexpr std::size_t kExpectedMessageSize = 2'097'152;

/// The connection is closed for good, or the library refused.
class BusError : public Error {
 public:
  explicit BusError(const std::string& message) : Error(ErrorKind::kUnavailable, message) {}
};

/// More bytes than the server takes in one message; it would close the connection.
class PayloadTooLarge : public Error {
 public:
  PayloadTooLarge(const std::string& subject, std::size_t max_payload, std::size_t actual);
};

/// A server that takes too small messages; the text has the line for its configuration.
class MaxPayloadTooSmall : public Error {
 public:
  explicit MaxPayloadTooSmall(std::size_t actual);
};

/// What arrives.
struct BusMessage {
  std::string subject;
  std::string reply_subject;  ///< empty: nobody waits for an answer
  Bytes payload;
  /// The server says that nobody is subscribed to what the request was published to (status 503).
  bool no_responders = false;
};

/// Time, so that tests need not wait for it. Thread-safe.
class BusClock {
 public:
  using Duration = std::chrono::steady_clock::duration;
  using TimePoint = std::chrono::steady_clock::time_point;

  virtual ~BusClock() = default;
  [[nodiscard]] virtual TimePoint now() const = 0;
  /// False when a stop was requested, which it does not sleep beyond.
  virtual bool sleep_until(TimePoint time, const std::stop_token& stop) = 0;
  /// `time` from now; the largest time point where that is beyond it.
  [[nodiscard]] TimePoint after(Duration time) const;
};

/// The clock of the machine that never jumps.
class SteadyBusClock final : public BusClock {
 public:
  [[nodiscard]] TimePoint now() const override { return std::chrono::steady_clock::now(); }
  bool sleep_until(TimePoint time, const std::stop_token& stop) override;
};

enum class Waited {
  kMessage,
  kTimeout,
  kStopped,
  kEnded,  ///< unsubscribed, and nothing is left; or the connection is closed
};

struct Received {
  Waited waited = Waited::kTimeout;
  BusMessage message = {};  ///< of kMessage
};

/// How much may wait to be taken from a subscription; what arrives beyond that is dropped and counted.
struct PendingLimits {
  std::size_t messages = 1024;
  std::size_t bytes = 64 << 20;
};

/// Messages in the order in which they arrived. Destroying it unsubscribes and drops what is left.
/// One thread takes; unsubscribe() and dropped() are thread-safe.
class BusSubscription {
 public:
  virtual ~BusSubscription() = default;
  /// The next message; waits for it. What is there already is taken also when the deadline is past.
  [[nodiscard]] virtual Received next(BusClock::TimePoint deadline,
                                      const std::stop_token& stop) = 0;
  /// Nothing more arrives; what had arrived at the server before can still be taken.
  virtual void unsubscribe() = 0;
  /// Messages that found no room.
  [[nodiscard]] virtual std::uint64_t dropped() const = 0;
};

/// What becomes of the connection.
struct BusEvent {
  enum class Kind {
    kDisconnected,  ///< the library tries to reconnect, without end
    kReconnected,   ///< all subscriptions are there again
    kSlow,          ///< messages found no room in a subscription
    kClosed,        ///< for good
    kProblem,       ///< the server said something else, such as a violation of permissions
  };
  Kind kind = Kind::kProblem;
  std::string text;  ///< server, subject or what was said
};

struct PublishOptions {
  std::string reply_subject = {};
  std::string message_id = {};  ///< of the header Nats-Msg-Id; empty: no header
};

/// One connection. Thread-safe. Subscriptions must not outlive it.
class Bus {
 public:
  virtual ~Bus() = default;

  /// `subject` may have wildcards. With a queue group, one of its members gets each message. Throws
  /// BusError.
  [[nodiscard]] virtual std::unique_ptr<BusSubscription> subscribe(
      const std::string& subject, const std::string& queue_group = {},
      const PendingLimits& limits = {}) = 0;

  /// Sends, or keeps for later while the connection is lost; waits for the socket at most, never for who
  /// is subscribed. Throws PayloadTooLarge,
  /// InvalidArgument for a subject that one cannot publish to, and BusError.
  void publish(const std::string& subject, std::span<const std::uint8_t> payload,
               const PublishOptions& options = {});

  /// Of the server at the time of the first connection.
  [[nodiscard]] virtual std::size_t max_payload() const = 0;
  [[nodiscard]] virtual BusClock& clock() = 0;
  /// From now on tells this one, and nobody else. Called from any thread.
  virtual void observe(Observer<const BusEvent&> observer) = 0;

 protected:
  virtual void send(const std::string& subject, std::span<const std::uint8_t> payload,
                    const PublishOptions& options) = 0;
};

/// Throws MaxPayloadTooSmall.
void require_message_size(const Bus& bus);

}  // namespace furrow::cluster
