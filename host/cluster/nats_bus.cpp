// SPDX-License-Identifier: Apache-2.0
#include "host/cluster/nats_bus.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <limits>
#include <list>
#include <string_view>
#include <utility>

#include <nats/nats.h>

#include "host/base/file.hpp"
#include "host/base/mutex.hpp"
#include "host/base/printable.hpp"
#include "host/base/threads.hpp"
#include "host/base/url.hpp"
#include "host/cluster/message_queue.hpp"

namespace furrow::cluster {
namespace {

/// Of what the library answers pings with: a server that is silent for three of them is left.
constexpr std::int64_t kPingIntervalMs = 60'000;
constexpr int kMaxPingsOut = 2;
constexpr std::int64_t kMaxReconnectDelayMs = 4'000;
constexpr std::int64_t kFlushTimeoutMs = 2'000;
constexpr std::int64_t kDrainTimeoutMs = 5'000;
constexpr std::chrono::seconds kCloseTimeout{10};

std::string status_text(natsStatus status) {
  return natsStatus_GetText(status);
}

/// What the library says of the call of this thread that has just failed, without the place in its source.
std::string reason_of(natsStatus status) {
  natsStatus last = NATS_OK;
  const char* const said = nats_GetLastError(&last);
  if (said == nullptr || last != status) {
    return status_text(status);
  }
  const std::string_view text = said;
  const std::size_t place = text.starts_with('(') ? text.find("): ") : std::string_view::npos;
  const std::string detail =
      printable(place == std::string_view::npos ? text : text.substr(place + 3));
  if (detail.empty() || status == NATS_NO_SERVER) {
    return status_text(status);
  }
  return status == NATS_ERR ? detail : status_text(status) + ": " + detail;
}

/// Delays of docs/spec/07, section 3: none at first, then 2, 4, 8 ... milliseconds up to four seconds.
std::int64_t reconnect_delay(natsConnection*, int attempts, void*) {
  if (attempts <= 1) {
    return 0;
  }
  const int doublings = std::min(attempts - 1, 12);
  return std::min<std::int64_t>(std::int64_t{1} << doublings, kMaxReconnectDelayMs);
}

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
  static_cast<ConnectionState*>(state)->tell(BusEvent::Kind::kReconnected, server_of(connection));
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

void require(bool holds, const std::string& what, const std::string& expected,
             const std::string& actual) {
  if (!holds) {
    throw InvalidArgument(what + ": expected " + expected + ", actual " + actual,
                          {.expected = expected, .actual = actual});
  }
}

/// A file that the library would name by a number only.
void require_readable(const std::filesystem::path& file) {
  if (!file.empty()) {
    static_cast<void>(File::open_read(file));
  }
}

void check(const NatsOptions& options) {
  require(!options.servers.empty(), "NATS servers", "at least one address", "none");
  for (const std::string& server : options.servers) {
    require(server.starts_with("nats://") || server.starts_with("tls://"), "NATS server",
            "nats://HOST:PORT or tls://HOST:PORT", excerpt(printable_url(server)));
  }
  const int ways = (options.user.empty() ? 0 : 1) + (options.token.empty() ? 0 : 1) +
                   (options.credentials_file.empty() ? 0 : 1) + (options.nkey.empty() ? 0 : 1);
  require(ways <= 1, "NATS authentication", "one of user, token, credentials file and nkey",
          std::to_string(ways) + " of them");
  require(options.nkey.empty() == options.nkey_seed_file.empty(), "NATS nkey",
          "public key and seed file together", "one of them");
  require(options.certificate_file.empty() == options.key_file.empty(), "TLS certificate",
          "certificate and key together", "one of them");
  for (const auto* file : {&options.credentials_file, &options.nkey_seed_file, &options.ca_file,
                           &options.certificate_file, &options.key_file}) {
    require_readable(*file);
  }
}

/// Collects the settings of a connection; the first that the library refuses is thrown at the end.
class Settings {
 public:
  Settings() {
    natsOptions* created = nullptr;
    apply("options", natsOptions_Create(&created));
    options_.reset(created);
  }

  void apply(const std::string& what, natsStatus status) {
    if (status != NATS_OK) {
      throw NatsConnectFailed("NATS " + what + ": " + reason_of(status));
    }
  }
  [[nodiscard]] natsOptions* get() const { return options_.get(); }

 private:
  std::unique_ptr<natsOptions, decltype(&natsOptions_Destroy)> options_{nullptr,
                                                                        natsOptions_Destroy};
};

void set_authentication(Settings& settings, const NatsOptions& options) {
  if (!options.user.empty()) {
    settings.apply("user", natsOptions_SetUserInfo(settings.get(), options.user.c_str(),
                                                   options.password.c_str()));
  }
  if (!options.token.empty()) {
    settings.apply("token", natsOptions_SetToken(settings.get(), options.token.c_str()));
  }
  if (!options.credentials_file.empty()) {
    settings.apply("credentials " + options.credentials_file.native(),
                   natsOptions_SetUserCredentialsFromFiles(
                       settings.get(), options.credentials_file.c_str(), nullptr));
  }
  if (!options.nkey.empty()) {
    settings.apply("nkey " + options.nkey_seed_file.native(),
                   natsOptions_SetNKeyFromSeed(settings.get(), options.nkey.c_str(),
                                               options.nkey_seed_file.c_str()));
  }
}

bool uses_tls(const NatsOptions& options) {
  return options.tls || !options.ca_file.empty() || !options.certificate_file.empty() ||
         std::ranges::any_of(options.servers, [](const std::string& server) {
           return server.starts_with("tls://");
         });
}

void set_tls(Settings& settings, const NatsOptions& options) {
  if (options.tls || !options.ca_file.empty() || !options.certificate_file.empty()) {
    settings.apply("TLS", natsOptions_SetSecure(settings.get(), true));
  }
  if (!options.ca_file.empty()) {
    settings.apply("certificates of authorities " + options.ca_file.native(),
                   natsOptions_LoadCATrustedCertificates(settings.get(), options.ca_file.c_str()));
  }
  if (!options.certificate_file.empty()) {
    settings.apply("certificate " + options.certificate_file.native(),
                   natsOptions_LoadCertificatesChain(
                       settings.get(), options.certificate_file.c_str(), options.key_file.c_str()));
  }
}

void set_connection(Settings& settings, const NatsOptions& options) {
  std::vector<const char*> servers;
  for (const std::string& server : options.servers) {
    servers.push_back(server.c_str());
  }
  natsOptions* const raw = settings.get();
  settings.apply("servers",
                 natsOptions_SetServers(raw, servers.data(), static_cast<int>(servers.size())));
  settings.apply("name", natsOptions_SetName(raw, options.client_name.c_str()));
  settings.apply("timeout", natsOptions_SetTimeout(raw, options.connect_timeout.count()));
  settings.apply("write timeout", natsOptions_SetWriteDeadline(raw, options.write_timeout.count()));
  settings.apply("ping interval", natsOptions_SetPingInterval(raw, kPingIntervalMs));
  settings.apply("pings", natsOptions_SetMaxPingsOut(raw, kMaxPingsOut));
  settings.apply("reconnects", natsOptions_SetMaxReconnect(raw, -1));  // without end
  settings.apply("reconnect delay",
                 natsOptions_SetCustomReconnectDelay(raw, reconnect_delay, nullptr));
  const std::size_t buffer =
      std::min<std::size_t>(options.reconnect_buffer, std::numeric_limits<int>::max());
  settings.apply("reconnect buffer",
                 natsOptions_SetReconnectBufSize(raw, static_cast<int>(buffer)));
  // Else a thread of the library sends what its buffer holds, one millisecond later: the end of the line
  // behind each large message, and every acknowledgement, for which a stream waits.
  settings.apply("sending", natsOptions_SetSendAsap(raw, true));
  // Else each subscription has a thread, and each stream a subscription.
  settings.apply("delivery", natsOptions_UseGlobalMessageDelivery(raw, true));
}

void set_callbacks(Settings& settings, ConnectionState* state) {
  natsOptions* const raw = settings.get();
  settings.apply("callback", natsOptions_SetDisconnectedCB(raw, on_disconnected, state));
  settings.apply("callback", natsOptions_SetReconnectedCB(raw, on_reconnected, state));
  settings.apply("callback", natsOptions_SetClosedCB(raw, on_closed, state));
  settings.apply("callback", natsOptions_SetErrorHandler(raw, on_error, state));
}

std::string printable_servers(const NatsOptions& options) {
  std::string text;
  for (const std::string& server : options.servers) {
    text.append(text.empty() ? "" : ", ").append(printable(printable_url(server)));
  }
  return text;
}

/// Whether we sign what the server has drawn. The library (3.4.1) leaves out a signature that begins with a
/// zero byte, which one in 256 does, and the server refuses what has none. After a lost connection it tries
/// twice by itself.
bool signs(const NatsOptions& options) {
  return !options.credentials_file.empty() || !options.nkey_seed_file.empty();
}
constexpr int kMostSignatures = 3;

/// What we have shown to the server, for who has to find out why that was not enough.
std::string shown(const NatsOptions& options) {
  std::string text;
  const auto add = [&text](const std::string& what, const std::string& value) {
    if (!value.empty()) {
      text.append(" with ").append(what).append(" ").append(printable(value));
    }
  };
  add("user", options.user);
  add("credentials", options.credentials_file.native());
  add("nkey", options.nkey_seed_file.native());
  add("certificate", options.certificate_file.native());
  return text;
}

/// A server that does not like a certificate, or the lack of one, closes the connection when ours is made already.
std::string advice(const NatsOptions& options, natsStatus status) {
  const bool is_closed =
      status == NATS_PROTOCOL_ERROR || status == NATS_IO_ERROR || status == NATS_CONNECTION_CLOSED;
  return is_closed && uses_tls(options) ? "; the server has ended it after the handshake: it may "
                                          "want a certificate of its authority"
                                        : "";
}

}  // namespace

std::unique_ptr<Bus> connect_to_nats(const NatsOptions& options,
                                     Observer<const BusEvent&> observer) {
  check(options);
  auto state = std::make_shared<ConnectionState>(std::move(observer));
  Settings settings;
  set_connection(settings, options);
  set_authentication(settings, options);
  set_tls(settings, options);
  set_callbacks(settings, state.get());
  natsConnection* connection = nullptr;
  const detail::BlockedSignals blocked;  // of the threads that the library starts
  natsStatus status = natsConnection_Connect(&connection, settings.get());
  for (int again = kMostSignatures;
       status == NATS_CONNECTION_AUTH_FAILED && signs(options) && again > 1; --again) {
    status = natsConnection_Connect(&connection, settings.get());
  }
  if (status != NATS_OK) {
    throw NatsConnectFailed("connect to " + printable_servers(options) + shown(options) + ": " +
                            reason_of(status) + advice(options, status));
  }
  return std::make_unique<NatsBus>(connection, std::move(state));
}

}  // namespace furrow::cluster
