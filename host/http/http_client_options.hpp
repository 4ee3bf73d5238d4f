// SPDX-License-Identifier: Apache-2.0
// How a server is asked.
#pragma once

#include <chrono>
#include <filesystem>
#include <string>

namespace furrow {

struct HttpClientOptions {
  /// "http://host:port" or "https://host:port", with or without a path before the one that is asked
  /// for.
  std::string url;
  /// Sent as "Authorization: Bearer ..." when not empty.
  std::string token;
  /// Certificates in PEM that the server's must lead to; those of the system when empty.
  std::filesystem::path ca_file;
  /// For a connection to be there.
  std::chrono::milliseconds connect_time = std::chrono::seconds(10);
  /// Without a byte for so long, a request has failed.
  std::chrono::seconds stall_time = std::chrono::seconds(20);
  /// What the right server answers with, in the words of messages.
  std::string wanted = "an answer of the server";
};

}  // namespace furrow
