// SPDX-License-Identifier: Apache-2.0
#include "tools/nats_options.hpp"

#include <spdlog/spdlog.h>

#include "host/cluster/nats_bus.hpp"
#include "tools/token_file.hpp"

namespace furrow::cli {
namespace {

void tell(const cluster::BusEvent& event) {
  using Kind = cluster::BusEvent::Kind;
  switch (event.kind) {
    case Kind::kDisconnected:
      return spdlog::warn("the connection to the cluster is lost ({}); trying again", event.text);
    case Kind::kReconnected:
      return spdlog::info("connected to the cluster again: {}", event.text);
    case Kind::kSlow:
      return spdlog::warn("messages came faster than they were taken, and were lost: {}",
                          event.text);
    case Kind::kClosed:
      return spdlog::warn("the connection to the cluster is closed: {}", event.text);
    case Kind::kProblem:
      return spdlog::warn("the server of the cluster says: {}", event.text);
  }
}

std::string secret_in(const std::string& file, const std::string& option) {
  return file.empty() ? std::string() : read_token_file(file, option);
}

}  // namespace

void add_nats_options(Command command, NatsArguments& arguments) {
  command
      .add_option(
          "--nats-server", arguments.servers,
          "Address of a NATS server, such as nats://10.0.0.1:4222 or tls://HOST:PORT; may be "
          "given several times")
      .required()
      .one_word_each();
  const Option user =
      command.add_option("--nats-user", arguments.user, "Name to log in to the server with");
  const Option password = command.add_option("--nats-password-file", arguments.password_file,
                                             "File with the password of that name");
  user.needs(password);
  password.needs(user);
  const Option token = command.add_option("--nats-token-file", arguments.token_file,
                                          "File with a token to log in with instead");
  const Option credentials =
      command.add_option("--nats-credentials", arguments.credentials_file,
                         "Credentials file (JWT and seed of a user) to log in with instead");
  const Option nkey = command.add_option("--nats-nkey", arguments.nkey,
                                         "Public key of a user (U...) to log in with instead");
  const Option seed = command.add_option("--nats-nkey-seed-file", arguments.nkey_seed_file,
                                         "File with the seed of that key");
  nkey.needs(seed);
  seed.needs(nkey);
  user.excludes(token).excludes(credentials).excludes(nkey);
  token.excludes(credentials).excludes(nkey);
  credentials.excludes(nkey);
  command.add_flag("--nats-tls", arguments.tls,
                   "Encrypt the connection also where the address does not say so");
  command.add_option(
      "--nats-ca-file", arguments.ca_file,
      "Certificates (PEM) that the server's must lead to; those of the system if not "
      "given");
  const Option certificate = command.add_option("--nats-cert", arguments.certificate_file,
                                                "Certificate (PEM) to show to the server");
  const Option key =
      command.add_option("--nats-key", arguments.key_file, "Private key (PEM) of that certificate");
  certificate.needs(key);
  key.needs(certificate);
}

std::unique_ptr<cluster::Bus> join_cluster(const NatsArguments& arguments,
                                           const std::string& client_name) {
  std::unique_ptr<cluster::Bus> bus = cluster::connect_to_nats(
      {.servers = arguments.servers,
       .client_name = client_name,
       .user = arguments.user,
       .password = secret_in(arguments.password_file, "--nats-password-file"),
       .token = secret_in(arguments.token_file, "--nats-token-file"),
       .credentials_file = arguments.credentials_file,
       .nkey = arguments.nkey,
       .nkey_seed_file = arguments.nkey_seed_file,
       .tls = arguments.tls,
       .ca_file = arguments.ca_file,
       .certificate_file = arguments.certificate_file,
       .key_file = arguments.key_file},
      tell);
  cluster::require_message_size(*bus);
  return bus;
}

}  // namespace furrow::cli
