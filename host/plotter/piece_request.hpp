// SPDX-License-Identifier: Apache-2.0
// Where the pieces of a plotting run come from: what a user may say of it.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "host/base/make_directory.hpp"
#include "host/pieces/piece_supply.hpp"

namespace furrow {

struct PieceRequest {
  /// Directories of piece stores, and addresses that begin with http:// or https://, in order of
  /// preference.
  std::vector<std::string> sources = {};
  /// Asked for what none of these gives.
  FurtherPieceSource further = {};
  /// Decides what the history is; without it the first source does.
  std::optional<std::filesystem::path> manifest = {};
  /// The token for servers, asked for before each batch, so that a renewed one is taken; none when
  /// empty. When it throws, the last one stays.
  std::function<std::string()> read_token = {};
  /// Certificates in PEM that those of servers must lead to; those of the system when empty.
  std::filesystem::path ca_file = {};
  /// Pieces asked of servers at the same time.
  std::size_t in_flight = 64;
  /// How long a server has for a piece, all tries together, before the next source is asked.
  std::chrono::seconds piece_time{120};
  /// Directory of the piece cache, none without, and how it comes to be.
  std::optional<std::filesystem::path> cache_directory = {};
  MakeDirectory make_cache_directory = MakeDirectory::kLastOnly;
  std::uint64_t cache_bytes = std::uint64_t{10} << 30;
};

}  // namespace furrow
