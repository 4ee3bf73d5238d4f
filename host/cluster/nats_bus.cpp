// SPDX-License-Identifier: Apache-2.0
#include "host/cluster/nats_bus.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <list>
#include <utility>

#include <nats/nats.h>

#include "host/base/mutex.hpp"
#include "host/base/printable.hpp"
#include "host/base/threads.hpp"
#include "host/base/url.hpp"
#include "host/cluster/message_queue.hpp"
#include "host/cluster/nats_settings.hpp"

namespace furrow::cluster {
namespace {

constexpr std::int64_t kFlushTimeoutMs = 2'000;
constexpr std::int64_t kDrainTimeoutMs = 5'000;
constexpr std::chrono::seconds kCloseTimeout{10};

/// What the callbacks of the library know. It lives until the connection was told to be closed, which
/// is the last callback.
class ConnectionState {
 public:
  explicit ConnectionState(Observer<const BusEvent&> observer) : observer_(std::move(observer)) {}

  void observe(Observer<const BusEvent&> observer) {
    const Lock lock(mutex_);
    observer_ = std::move(observer);
  }
  void tell(BusEvent::Kind kind, const std::string& text) {
    Observer<const BusEvent&> observer;
    {
      const Lock lock(mutex_);
      observer = observer_;
    }
    observer(BusEvent{kind, text});
  }
  void add(const std::shared_ptr<MessageQueue>& queue) {
    const Lock lock(mutex_);
    std::erase_if(queues_, [](const auto& known) { return known.expired(); });
    queues_.push_back(queue);
    if (is_closed_) {
      queue->end();
    }
  }
  /// Whoever waits for messages need not wait any longer.
  void close() {
    const Lock lock(mutex_);
    is_closed_ = true;
    for (const auto& known : queues_) {
      if (const auto queue = known.lock()) {
        queue->end();
      }
    }
    closed_.notify_all();
  }
  /// False when that takes too long.
  bool wait_until_closed() {
    const Lock lock(mutex_);
    return closed_.wait_for(mutex_, kCloseTimeout,
                            [this]() FURROW_REQUIRES(mutex_) { return is_closed_; });
  }

 private:
  Mutex mutex_;
  ConditionVariable closed_;
  Observer<const BusEvent&> observer_ FURROW_GUARDED_BY(mutex_);
  std::list<std::weak_ptr<MessageQueue>> queues_ FURROW_GUARDED_BY(mutex_);
  bool is_closed_ FURROW_GUARDED_BY(mutex_) = false;
};

std::string server_of(natsConnection* connection) {
  std::array<char, 512> url{};
  if (natsConnection_GetConnectedUrl(connection, url.data(), url.size()) != NATS_OK ||
      url[0] == '\0') {
    return "NATS server";
  }
  return printable_url(url.data());
}

void on_disconnected(natsConnection*, void* state) {
  static_cast<ConnectionState*>(state)->tell(BusEvent::Kind::kDisconnected, "NATS server");
}
void on_reconnected(natsConnection* connection, void* state) {
  auto* const told = static_cast<ConnectionState*>(state);
  told->tell(BusEvent::Kind::kReconnected, server_of(connection));
  const std::int64_t max_payload = natsConnection_GetMaxPayload(connection);
  if (max_payload < static_cast<std::int64_t>(kExpectedMessageSize)) {
    // It is another server than at the start, or another configuration: no sector gets through.
    told->tell(BusEvent::Kind::kProblem,
               MaxPayloadTooSmall(static_cast<std::size_t>(max_payload)).what());
  }
}
void on_closed(natsConnection*, void* state) {
  auto* const connection = static_cast<ConnectionState*>(state);
  connection->tell(BusEvent::Kind::kClosed, "NATS server");
  connection->close();
}
void on_error(natsConnection* connection, natsSubscription* subscription, natsStatus error,
              void* state) {
  const char* said = nullptr;
  natsConnection_GetLastError(connection, &said);
  std::string text = status_text(error);
  if (subscription != nullptr) {
    text.append(": ").append(natsSubscription_GetSubject(subscription));
  } else if (said != nullptr && said[0] != '\0') {
    text.append(": ").append(printable(said));
  }
  static_cast<ConnectionState*>(state)->tell(
      error == NATS_SLOW_CONSUMER ? BusEvent::Kind::kSlow : BusEvent::Kind::kProblem, text);
}

/// What a subscription's callbacks know; destroyed by the last of them.
struct Receiver {
  std::shared_ptr<MessageQueue> queue;
  std::shared_ptr<ConnectionState> state;
};

void on_message(natsConnection*, natsSubscription*, natsMsg* message, void* closure) {
  auto* const receiver = static_cast<Receiver*>(closure);
  const char* const reply = natsMsg_GetReply(message);
  const auto* const data = reinterpret_cast<const std::uint8_t*>(natsMsg_GetData(message));
  const auto size = static_cast<std::size_t>(natsMsg_GetDataLength(message));
  try {
    BusMessage received{natsMsg_GetSubject(message), reply == nullptr ? "" : reply,
                        Bytes(data, data + size), natsMsg_IsNoResponders(message)};
    if (!receiver->queue->push(std::move(received))) {
      receiver->state->tell(BusEvent::Kind::kSlow, natsMsg_GetSubject(message));
    }
  } catch (const std::exception& error) {  // no exception may pass through the library
    receiver->state->tell(BusEvent::Kind::kProblem, error.what());
  }
  natsMsg_Destroy(message);
}

/// After the last message of a subscription, whether it was drained, destroyed or its connection closed.
void on_complete(void* closure) {
  const std::unique_ptr<Receiver> receiver(static_cast<Receiver*>(closure));
  receiver->queue->end();
}

class NatsSubscription final : public BusSubscription {
 public:
  NatsSubscription(natsSubscription* subscription, std::shared_ptr<MessageQueue> queue)
      : subscription_(subscription), queue_(std::move(queue)) {}
  NatsSubscription(const NatsSubscription&) = delete;
  NatsSubscription& operator=(const NatsSubscription&) = delete;
  ~NatsSubscription() override { natsSubscription_Destroy(subscription_); }

  Received next(BusClock::TimePoint deadline, const std::stop_token& stop) override {
    return queue_->pop(deadline, stop);
  }
  void unsubscribe() override {
    // Not just unsubscribed: what the library has received and not yet delivered would be lost, and whoever
    // asked would wait for an answer until he gives up.
    const detail::BlockedSignals blocked;  // the library starts a thread that waits for the server
    if (natsSubscription_DrainTimeout(subscription_, kDrainTimeoutMs) != NATS_OK) {
      natsSubscription_Unsubscribe(subscription_);  // the connection is lost, or it is done already
      queue_->end();
    }
  }
  [[nodiscard]] std::uint64_t dropped() const override { return queue_->dropped(); }

 private:
  natsSubscription* subscription_;
  std::shared_ptr<MessageQueue> queue_;
};

class NatsBus final : public Bus {
 public:
  NatsBus(natsConnection* connection, std::shared_ptr<ConnectionState> state)
      : connection_(connection),
        state_(std::move(state)),
        max_payload_(static_cast<std::size_t>(natsConnection_GetMaxPayload(connection))) {}
  NatsBus(const NatsBus&) = delete;
  NatsBus& operator=(const NatsBus&) = delete;
  ~NatsBus() override {
    state_->observe({});  // that it is closed now is no news
    natsConnection_FlushTimeout(connection_, kFlushTimeoutMs);
    natsConnection_Close(connection_);
    if (!state_->wait_until_closed()) {
      // A callback may still come: better a state that nobody frees than one that is gone.
      static_cast<void>(new std::shared_ptr<ConnectionState>(state_));
    }
    natsConnection_Destroy(connection_);
  }

  std::unique_ptr<BusSubscription> subscribe(const std::string& subject,
                                             const std::string& queue_group,
                                             const PendingLimits& limits) override {
    const auto queue = std::make_shared<MessageQueue>(limits);
    state_->add(queue);
    auto receiver = std::make_unique<Receiver>(Receiver{queue, state_});
    natsSubscription* subscription = nullptr;
    const detail::BlockedSignals blocked;  // the library may start the threads that deliver
    const natsStatus status =
        queue_group.empty()
            ? natsConnection_Subscribe(&subscription, connection_, subject.c_str(), on_message,
                                       receiver.get())
            : natsConnection_QueueSubscribe(&subscription, connection_, subject.c_str(),
                                            queue_group.c_str(), on_message, receiver.get());
    if (status != NATS_OK) {
      throw BusError("subscribe to " + subject + ": " + status_text(status));
    }
    auto result = std::make_unique<NatsSubscription>(subscription, queue);
    // Messages may be on their way to the receiver already: it goes with the last of them, or, where the
    // library cannot say which that is, never.
    const natsStatus completion =
        natsSubscription_SetOnCompleteCB(subscription, on_complete, receiver.release());
    if (completion != NATS_OK) {
      throw BusError("subscribe to " + subject + ": " + status_text(completion));
    }
    return result;
  }

  [[nodiscard]] std::size_t max_payload() const override { return max_payload_; }
  [[nodiscard]] BusClock& clock() override { return clock_; }
  void observe(Observer<const BusEvent&> observer) override {
    state_->observe(std::move(observer));
  }

 protected:
  void send(const std::string& subject, std::span<const std::uint8_t> payload,
            const PublishOptions& options) override {
    const natsStatus status = options.message_id.empty()
                                  ? send_plain(subject, payload, options.reply_subject)
                                  : send_with_id(subject, payload, options);
    if (status != NATS_OK) {
      throw BusError("publish to " + subject + ": " + status_text(status));
    }
  }

 private:
  natsStatus send_plain(const std::string& subject, std::span<const std::uint8_t> payload,
                        const std::string& reply) {
    const auto size = static_cast<int>(payload.size());  // at most max_payload
    return reply.empty()
               ? natsConnection_Publish(connection_, subject.c_str(), payload.data(), size)
               : natsConnection_PublishRequest(connection_, subject.c_str(), reply.c_str(),
                                               payload.data(), size);
  }
  natsStatus send_with_id(const std::string& subject, std::span<const std::uint8_t> payload,
                          const PublishOptions& options) {
    natsMsg* created = nullptr;
    const char* const reply =
        options.reply_subject.empty() ? nullptr : options.reply_subject.c_str();
    natsStatus status = natsMsg_Create(&created, subject.c_str(), reply,
                                       reinterpret_cast<const char*>(payload.data()),
                                       static_cast<int>(payload.size()));
    const std::unique_ptr<natsMsg, decltype(&natsMsg_Destroy)> message(created, natsMsg_Destroy);
    if (status == NATS_OK) {
      status = natsMsgHeader_Set(created, "Nats-Msg-Id", options.message_id.c_str());
    }
    return status == NATS_OK ? natsConnection_PublishMsg(connection_, created) : status;
  }

  natsConnection* const connection_;
  const std::shared_ptr<ConnectionState> state_;
  const std::size_t max_payload_;
  SteadyBusClock clock_;
};

void set_callbacks(NatsSettings& settings, ConnectionState* state) {
  natsOptions* const raw = settings.get();
  settings.apply("callback", natsOptions_SetDisconnectedCB(raw, on_disconnected, state));
  settings.apply("callback", natsOptions_SetReconnectedCB(raw, on_reconnected, state));
  settings.apply("callback", natsOptions_SetClosedCB(raw, on_closed, state));
  settings.apply("callback", natsOptions_SetErrorHandler(raw, on_error, state));
}

}  // namespace

std::unique_ptr<Bus> connect_to_nats(const NatsOptions& options,
                                     Observer<const BusEvent&> observer) {
  auto state = std::make_shared<ConnectionState>(std::move(observer));
  NatsSettings settings(options);
  set_callbacks(settings, state.get());
  const detail::BlockedSignals blocked;  // of the threads that the library starts
  return std::make_unique<NatsBus>(connect(settings, options), std::move(state));
}

}  // namespace furrow::cluster
