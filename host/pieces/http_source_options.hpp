// SPDX-License-Identifier: Apache-2.0
// How pieces are fetched over HTTP.
#pragma once

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <functional>
#include <string>

#include "host/base/memory_block.hpp"

namespace furrow {

struct HttpSourceOptions {
  /// "http://host:port" or "https://host:port", with or without a path before "/v1/pieces".
  std::string url;
  /// Sent as "Authorization: Bearer ..." when not empty.
  std::string token;
  /// Asked for the token before each batch, so that a renewed one is taken; `token` when there is
  /// none. When it throws, the last one stays.
  std::function<std::string()> read_token;
  /// Gets the text of the server's manifest when its answers are none, at first or any more: throws
  /// SourceRefused when its history is not the one that is wanted, and an Error when it is no
  /// manifest. None: servers are not examined.
  std::function<void(const std::string&)> check_manifest;
  /// Certificates in PEM that the server's must lead to; those of the system when empty.
  std::filesystem::path ca_file;
  /// Pieces asked for and not yet here, of all batches together; each takes a piece of memory.
  std::size_t in_flight = 64;
  /// Most pieces in one request, at most in_flight. With 1 each has a request, and so a connection,
  /// of its own.
  std::size_t pieces_per_request = 1;
  /// For a connection to be there.
  std::chrono::milliseconds connect_time = std::chrono::seconds(10);
  /// Without a byte for so long, a request has failed.
  std::chrono::seconds stall_time = std::chrono::seconds(20);
  /// For a piece, from the first time it is asked for, all tries together.
  std::chrono::milliseconds piece_time = std::chrono::seconds(120);
  /// How often a piece is asked for when the connection breaks or the server is busy, and how long
  /// before the second time; twice as long before each further one.
  unsigned tries = 4;
  std::chrono::milliseconds retry_delay = std::chrono::milliseconds(250);
  /// Largest manifest that is accepted.
  std::size_t max_manifest_bytes = std::size_t{256} << 20;
  /// Where the memory of pieces comes from.
  BlockSource memory = make_page_block;
};

}  // namespace furrow
