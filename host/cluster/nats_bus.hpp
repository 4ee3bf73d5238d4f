// SPDX-License-Identifier: Apache-2.0
// The connection to a NATS server (docs/spec/07-cluster-protocol.md, section 3).
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "furrow/errors.hpp"

#include "host/cluster/bus.hpp"

namespace furrow::cluster {

/// No server was found, or none let us in.
class NatsConnectFailed : public BusError {
 public:
  explicit NatsConnectFailed(const std::string& message) : BusError(message) {}
};

/// How to reach a server and who we are. Of the ways to say who, at most one; an address may have user
/// and password of its own.
struct NatsOptions {
  /// nats://HOST:PORT or tls://HOST:PORT, tried in random order. At least one.
  std::vector<std::string> servers = {};
  /// Shown by the server to its operator.
  std::string client_name = "furrow";

  std::string user = {};
  std::string password = {};
  std::string token = {};
  /// A file with the JWT and the seed of a user.
  std::filesystem::path credentials_file = {};
  /// Public key of a user (U...), and the file with its seed.
  std::string nkey = {};
  std::filesystem::path nkey_seed_file = {};

  /// With TLS also where the addresses do not say so, and when one of the files is given.
  bool tls = false;
  std::filesystem::path ca_file = {};  ///< empty: the authorities that the system trusts
  std::filesystem::path certificate_file = {};
  std::filesystem::path key_file = {};

  /// For each address, at first; later it is tried for ever.
  std::chrono::milliseconds connect_timeout = std::chrono::seconds(5);
  /// How long it may take to hand over one message, before another server is tried. As long as a line may take for
  /// one of two messages of two megabytes, if the second is to be acknowledged within a minute.
  std::chrono::milliseconds write_timeout = std::chrono::seconds(30);
  /// What is published while the connection is lost; beyond it publishing throws BusError.
  std::size_t reconnect_buffer = 64 << 20;
};

/// Connects, or throws NatsConnectFailed when no server can be had, and InvalidArgument for options that
/// cannot be. Secrets are in no message.
///
/// The library starts threads of its own, with all signals blocked; subscriptions share them. Publishing
/// may wait for the socket, up to write_timeout. Destroying the connection sends what is left, for at
/// most two seconds. Its subscriptions must be gone by then.
[[nodiscard]] std::unique_ptr<Bus> connect_to_nats(const NatsOptions& options,
                                                   Observer<const BusEvent&> observer = {});

}  // namespace furrow::cluster
