// SPDX-License-Identifier: Apache-2.0
// How commands that join a cluster find its server and say who they are.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "host/cluster/bus.hpp"
#include "tools/command.hpp"

namespace furrow::cli {

struct NatsArguments {
  std::vector<std::string> servers;
  std::string user;
  std::string password_file;
  std::string token_file;
  std::string credentials_file;
  std::string nkey;
  std::string nkey_seed_file;
  bool tls = false;
  std::string ca_file;
  std::string certificate_file;
  std::string key_file;
};

void add_nats_options(Command command, NatsArguments& arguments);

/// Connects as `client_name`; what becomes of the connection goes to the log. Throws what
/// connect_to_nats and require_message_size throw, and InvalidArgument and IoError for files of
/// secrets.
std::unique_ptr<cluster::Bus> join_cluster(const NatsArguments& arguments,
                                           const std::string& client_name);

}  // namespace furrow::cli
