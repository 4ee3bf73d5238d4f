// SPDX-License-Identifier: Apache-2.0
#include "host/cluster/nats_settings.hpp"

#include <algorithm>
#include <limits>
#include <string_view>
#include <vector>

#include "host/base/file.hpp"
#include "host/base/printable.hpp"
#include "host/base/url.hpp"

namespace furrow::cluster {
namespace {

/// Of what the library answers pings with: a server that is silent for three of them is left.
constexpr std::int64_t kPingIntervalMs = 60'000;
constexpr int kMaxPingsOut = 2;
constexpr std::int64_t kMaxReconnectDelayMs = 4'000;

/// Delays of docs/spec/07, section 3: none at first, then 2, 4, 8 ... milliseconds up to four seconds.
std::int64_t reconnect_delay(natsConnection*, int attempts, void*) {
  if (attempts <= 1) {
    return 0;
  }
  const int doublings = std::min(attempts - 1, 12);
  return std::min<std::int64_t>(std::int64_t{1} << doublings, kMaxReconnectDelayMs);
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

void set_authentication(NatsSettings& settings, const NatsOptions& options) {
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

void set_tls(NatsSettings& settings, const NatsOptions& options) {
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

void set_connection(NatsSettings& settings, const NatsOptions& options) {
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

std::string status_text(natsStatus status) {
  return natsStatus_GetText(status);
}

NatsSettings::NatsSettings(const NatsOptions& options) {
  check(options);
  natsOptions* created = nullptr;
  apply("options", natsOptions_Create(&created));
  options_.reset(created);
  set_connection(*this, options);
  set_authentication(*this, options);
  set_tls(*this, options);
}

void NatsSettings::apply(const std::string& what, natsStatus status) {
  if (status != NATS_OK) {
    throw NatsConnectFailed("NATS " + what + ": " + reason_of(status));
  }
}

natsConnection* connect(const NatsSettings& settings, const NatsOptions& options) {
  natsConnection* connection = nullptr;
  natsStatus status = natsConnection_Connect(&connection, settings.get());
  for (int again = kMostSignatures;
       status == NATS_CONNECTION_AUTH_FAILED && signs(options) && again > 1; --again) {
    status = natsConnection_Connect(&connection, settings.get());
  }
  if (status != NATS_OK) {
    throw NatsConnectFailed("connect to " + printable_servers(options) + shown(options) + ": " +
                            reason_of(status) + advice(options, status));
  }
  return connection;
}

}  // namespace furrow::cluster
