// SPDX-License-Identifier: Apache-2.0
#include "tools/piece_options.hpp"

#include <chrono>

#include "tools/token_file.hpp"

namespace furrow::cli {

void add_piece_options(Command command, PieceArguments& arguments, bool is_required) {
  command
      .add_option("--pieces", arguments.sources,
                  "Store made by furrow archive, or http(s) address of furrow serve-pieces; may be "
                  "given several times, in order of preference")
      .required(is_required)
      .one_word_each();
  command.add_option("--manifest", arguments.manifest,
                     "manifest.json that says what the history is; that of the first source if "
                     "not given, which a server has to be trusted for");
  command.add_option("--token-file", arguments.token_file, "File with the token for servers");
  command.add_option("--ca-file", arguments.ca_file,
                     "Certificates (PEM) that those of servers must lead to; those of the system "
                     "if not given");
  command
      .add_option("--in-flight", arguments.in_flight, "Pieces asked of a server at the same time")
      .in_range(8, 1024)
      .with_default();
  command
      .add_option("--piece-seconds", arguments.piece_seconds,
                  "How long a server has for a piece, all tries together, before the next source "
                  "is asked")
      .in_range(1, 86400)
      .with_default();
}

PieceRequest piece_request(const PieceArguments& arguments) {
  PieceRequest request;
  request.sources = arguments.sources;
  request.manifest = arguments.manifest;
  if (arguments.token_file.has_value()) {
    request.read_token = token_reader(*arguments.token_file);
  }
  request.ca_file = arguments.ca_file.value_or("");
  request.in_flight = arguments.in_flight;
  request.piece_time = std::chrono::seconds(arguments.piece_seconds);
  return request;
}

}  // namespace furrow::cli
