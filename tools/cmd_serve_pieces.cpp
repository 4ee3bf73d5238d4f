// SPDX-License-Identifier: Apache-2.0
#include <cstdio>
#include <memory>

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <spdlog/spdlog.h>

#include "host/base/counted.hpp"
#include "host/base/sleep.hpp"
#include "host/pieces/http_piece_server.hpp"
#include "host/pieces/store_piece_getter.hpp"
#include "tools/commands.hpp"
#include "tools/compute_options.hpp"
#include "tools/exit_code.hpp"
#include "tools/interrupt_watch.hpp"
#include "tools/json_text.hpp"
#include "tools/standard_output.hpp"
#include "tools/token_file.hpp"

namespace furrow::cli {
namespace {

struct ServePiecesArguments {
  std::string store;
  std::string listen = "127.0.0.1:8480";
  std::string token_file;
  std::string tls_certificate;
  std::string tls_key;
  HttpServerLimits limits;
  std::size_t max_batch = HttpPieceRoutesOptions().max_batch;
  std::uint64_t request_seconds = 10;
  std::uint64_t piece_seconds = 60;
  std::uint64_t idle_seconds = 60;
  bool json = false;
};

constexpr std::uint64_t kMaxSeconds = 86'400;

struct Address {
  std::string host;
  std::uint16_t port;
};

/// "127.0.0.1:8480", "[::1]:8480", "name:0".
Address parse_address(const std::string& text) {
  const InvalidArgument bad(
      fmt::format("--listen: expected ADDRESS:PORT with a port of 0 to 65535, actual '{}'", text));
  const std::size_t colon = text.rfind(':');
  if (colon == std::string::npos || colon == 0) {
    throw bad;
  }
  std::string host = text.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) {
    host = host.substr(1, host.size() - 2);
  } else if (host.find(':') != std::string::npos) {
    throw bad;  // IPv6 without brackets: it is anyone's guess where the port begins
  }
  const std::string port = text.substr(colon + 1);
  if (host.empty() || port.empty() || port.size() > 5 ||
      port.find_first_not_of("0123456789") != std::string::npos || std::stoul(port) > 65'535) {
    throw bad;
  }
  return {host, static_cast<std::uint16_t>(std::stoul(port))};
}

std::chrono::seconds seconds(std::uint64_t value, const char* option) {
  if (value == 0 || value > kMaxSeconds) {
    throw InvalidArgument(
        fmt::format("{}: expected 1 to {} seconds, actual {}", option, kMaxSeconds, value));
  }
  return std::chrono::seconds(value);
}

HttpServerOptions server_options(const ServePiecesArguments& arguments) {
  const Address address = parse_address(arguments.listen);
  HttpServerOptions options;
  options.address = address.host;
  options.port = address.port;
  if (!arguments.token_file.empty()) {
    options.token = read_token_file(arguments.token_file);
  }
  if (!arguments.tls_certificate.empty()) {
    options.tls = TlsFiles{arguments.tls_certificate, arguments.tls_key};
  }
  options.limits = arguments.limits;
  if (options.limits.max_connections == 0 || arguments.max_batch == 0) {
    throw InvalidArgument("--max-connections and --max-batch: expected 1 or more, actual 0");
  }
  options.limits.request_time = seconds(arguments.request_seconds, "--request-time");
  options.limits.write_time = seconds(arguments.piece_seconds, "--piece-time");
  options.limits.idle_time = seconds(arguments.idle_seconds, "--idle-time");
  options.on_warning = [](const std::string& line) { spdlog::warn("{}", line); };
  return options;
}

bool is_loopback(const std::string& host) {
  return host == "localhost" || host == "::1" || host.starts_with("127.");
}

void print(const HttpServerCounters& counters, const HttpPieceCounters& pieces, bool json) {
  if (json) {
    const nlohmann::ordered_json result = {
        {"requests", counters.requests},         {"pieces", pieces.pieces},
        {"not_found", pieces.not_found},         {"failed", pieces.failed},
        {"unauthorized", counters.unauthorized}, {"refused", counters.refused},
        {"gave_way", counters.gave_way}};
    print_result("{}\n", json_line(result));
  } else {
    print_result(
        "served {} in {}; {} not found, {} failed, {} without the token, {} refused, {} ended in "
        "favour of others\n",
        counted(pieces.pieces, "piece"), counted(counters.requests, "request"), pieces.not_found,
        pieces.failed, counters.unauthorized, counted(counters.refused, "connection"),
        counters.gave_way);
  }
}

void run_serve_pieces(const ServePiecesArguments& arguments, const std::stop_token& stop) {
  StorePieceGetter store(
      arguments.store,
      {.on_warning = [](const std::string& line) { spdlog::warn("{}", line); },
       .on_missing_pack = [](const std::string& line) { spdlog::warn("{}", line); }});
  const HttpServerOptions options = server_options(arguments);
  const HttpPieceRoutesOptions pieces{.manifest_json = store.manifest().to_json(),
                                      .max_batch = arguments.max_batch};
  HttpPieceServer server = [&] {
    try {
      return HttpPieceServer(store, options, pieces, stop);
    } catch (const CannotListen&) {
      if (stop.stop_requested()) {
        throw Interrupted();  // while the name to listen on was looked up
      }
      throw;
    }
  }();
  if (options.token.empty() && !is_loopback(options.address)) {
    spdlog::warn("everybody who reaches {} may fetch pieces; --token-file restricts that",
                 server.url());
  }
  if (!options.token.empty() && !options.tls.has_value() && !is_loopback(options.address)) {
    spdlog::warn("the token crosses the network in the clear; --tls-cert and --tls-key hide it");
  }
  if (arguments.json) {
    print_result("{}\n", json_line({{"listening", server.url()}}));
  } else {
    print_result("listening on {}\n", server.url());
  }
  flush_results();  // a script waits for this line
  while (sleep_for(std::chrono::hours(1), stop)) {
    // only a stop request ends it
  }
  server.stop();
  print(server.counters(), server.piece_counters(), arguments.json);
}

}  // namespace

void add_serve_pieces_command(Command app, InterruptWatch& interrupts) {
  const auto arguments = std::make_shared<ServePiecesArguments>();
  const Command command =
      app.add_command("serve-pieces", "Serve the pieces of a store over HTTP until interrupted");
  command.add_option("--store", arguments->store, "Store made by furrow archive").required();
  command
      .add_option("--listen", arguments->listen,
                  "Address and port, such as 0.0.0.0:8480 or [::1]:8480; port 0 picks a free one")
      .with_default();
  command.add_option("--token-file", arguments->token_file,
                     "File with the token that clients have to show; everybody is served if not "
                     "given");
  const Option certificate = command.add_option("--tls-cert", arguments->tls_certificate,
                                                "Certificate chain in PEM, to serve https");
  const Option key =
      command.add_option("--tls-key", arguments->tls_key, "Private key of the certificate in PEM");
  certificate.needs(key);
  key.needs(certificate);
  command
      .add_option("--max-connections", arguments->limits.max_connections,
                  "Connections at a time; when all are taken, the one that keeps the server "
                  "waiting for longest gives way to a new one, or the new one is refused")
      .with_default();
  command
      .add_option("--max-connections-per-address", arguments->limits.max_connections_per_address,
                  "The same for the connections from one address (of IPv6: from 64 bits of it); "
                  "half of --max-connections if not given")
      .positive();
  command.add_option("--max-batch", arguments->max_batch, "Pieces in one request").with_default();
  command
      .add_option("--request-time", arguments->request_seconds,
                  "Seconds for a request to arrive as a whole")
      .with_default();
  command
      .add_option("--piece-time", arguments->piece_seconds,
                  "Seconds for a client to take one piece")
      .with_default();
  command
      .add_option("--idle-time", arguments->idle_seconds,
                  "Seconds that a connection is kept without a request")
      .with_default();
  add_simd_option(command);
  command.add_flag("--json", arguments->json, "Print JSON: the address, and counts at the end");
  command.run([arguments, &interrupts] { run_serve_pieces(*arguments, interrupts.take_token()); });
}

}  // namespace furrow::cli
