// SPDX-License-Identifier: Apache-2.0
// Pieces over HTTP on the loopback interface, beside nginx serving the same bytes as files.
//
//   drain/SERVER/in_flight:N          libcurl that throws the bytes away: what the server can do
//   getter/SERVER/in_flight:N/...     HttpPieceGetter with entity tags verified, proofs not: they
//   cost the
//                                     same whatever brings the piece
//
// `nginx` runs as a process of its own with two workers and is left out when it is not installed.
// One iteration is 512 pieces. Client and server share the machine.
#include <algorithm>
#include <array>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/free_port.hpp"
#include "host/base/file.hpp"
#include "host/http/curl_loop.hpp"
#include "host/pieces/http_piece_getter.hpp"
#include "host/pieces/http_piece_server.hpp"

namespace furrow {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kDistinct = 64;
constexpr std::size_t kPerIteration = 512;
constexpr const char* kNginx = "/usr/sbin/nginx";

const std::vector<PiecePtr>& pieces() {
  static const std::vector<PiecePtr> all = [] {
    std::vector<PiecePtr> result;
    for (std::uint64_t p = 0; p < kDistinct; ++p) {
      auto piece = std::make_shared<Piece>();
      const auto bytes = mutable_bytes_of(*piece);
      for (std::size_t i = 0; i < bytes.size(); ++i) {
        bytes[i] = static_cast<std::uint8_t>((i * (p + 1)) % 251);
      }
      result.push_back(std::move(piece));
    }
    return result;
  }();
  return all;
}

class MemoryGetter : public PieceGetter {
 public:
  void get_pieces(std::span<const PieceIndex> indices, const Sink& sink, std::stop_token) override {
    for (const PieceIndex index : indices) {
      sink(index, PieceAnswer::found(pieces()[index.value() % kDistinct]));
    }
  }
};

/// nginx with the pieces as files, as long as it lives.
class Nginx {
 public:
  Nginx() {
    std::string name = (fs::temp_directory_path() / "furrow-bench-XXXXXX").native();
    directory_ = ::mkdtemp(name.data());
    fs::permissions(directory_, fs::perms::all);
    fs::create_directories(directory_ / "v1" / "pieces");
    for (std::uint64_t p = 0; p < kDistinct; ++p) {
      File::create_new(directory_ / "v1" / "pieces" / std::to_string(p))
          .write_at(0, bytes_of(*pieces()[p]));
    }
    port_ = free_port();
    std::ofstream(directory_ / "nginx.conf")
        << "worker_processes 2;\ndaemon off;\nmaster_process on;\npid " << directory_.native()
        << "/pid;\nerror_log " << directory_.native()
        << "/error crit;\nevents { worker_connections 1024; }\nhttp {\n access_log off;\n"
           " sendfile on;\n tcp_nopush on;\n keepalive_requests 1000000;\n"
           " default_type application/octet-stream;\n open_file_cache max=1000;\n"
           " server { listen 127.0.0.1:"
        << port_ << "; root " << directory_.native() << "; }\n}\n";
    process_ = ::fork();
    if (process_ == 0) {
      const std::string conf = (directory_ / "nginx.conf").native();
      ::execl(kNginx, kNginx, "-c", conf.c_str(), "-e", "/dev/null", nullptr);
      ::_exit(127);
    }
    ::usleep(500'000);
  }
  Nginx(const Nginx&) = delete;
  Nginx& operator=(const Nginx&) = delete;
  ~Nginx() {
    ::kill(process_, SIGTERM);
    ::waitpid(process_, nullptr, 0);
    std::error_code ignored;
    fs::remove_all(directory_, ignored);
  }
  [[nodiscard]] std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }

 private:
  fs::path directory_;
  std::uint16_t port_ = 0;
  pid_t process_ = -1;
};

/// The address of the server of that name; empty when it cannot be had.
std::string url_of(const std::string& server) {
  static MemoryGetter getter;
  static const HttpPieceServer furrow_server(getter, {});
  if (server == "furrow") {
    return furrow_server.url();
  }
  if (!fs::exists(kNginx)) {
    return {};
  }
  static const Nginx nginx;
  return nginx.url();
}

std::size_t count_bytes(char*, std::size_t size, std::size_t n, void* total) {
  *static_cast<std::uint64_t*>(total) += size * n;
  return size * n;
}

void report(benchmark::State& state) {
  const auto n = static_cast<std::int64_t>(state.iterations()) * std::int64_t{kPerIteration};
  state.SetItemsProcessed(n);
  state.SetBytesProcessed(n * std::int64_t{kPieceSize});
}

void drain(benchmark::State& state, const std::string& server) {
  HttpClientOptions options;
  options.url = url_of(server);
  if (options.url.empty()) {
    state.SkipWithError("no nginx here");
    return;
  }
  const auto in_flight = static_cast<std::size_t>(state.range(0));
  CurlLoop loop(in_flight);
  std::vector<std::unique_ptr<CurlRequest>> slots;
  std::uint64_t n_bytes = 0;
  for (std::size_t i = 0; i < in_flight; ++i) {
    slots.push_back(std::make_unique<CurlRequest>(options));
    slots.back()->set(CURLOPT_WRITEFUNCTION, &count_bytes);
    slots.back()->set(CURLOPT_WRITEDATA, &n_bytes);
  }
  std::uint64_t next = 0;
  const auto begin = [&](CurlRequest& request) {
    request.set_path("/v1/pieces/" + std::to_string(next++ % kDistinct));
    loop.add(request);
  };
  for (auto _ : state) {
    n_bytes = 0;
    std::size_t n_begun = 0;
    std::size_t n_ended = 0;
    for (; n_begun < in_flight; ++n_begun) {
      begin(*slots[n_begun]);
    }
    while (n_ended < kPerIteration) {
      loop.perform();
      while (const std::optional<CurlLoop::Ended> ended = loop.take_ended()) {
        ++n_ended;
        if (n_begun < kPerIteration) {
          ++n_begun;
          begin(*ended->request);
        }
      }
      if (n_ended < kPerIteration) {
        loop.wait(std::chrono::seconds(1));
      }
    }
    if (n_bytes != kPerIteration * kPieceSize) {
      state.SkipWithError("bytes are missing");
    }
  }
  report(state);
}

void fetch(benchmark::State& state, const std::string& server) {
  HttpSourceOptions options;
  options.url = url_of(server);
  if (options.url.empty()) {
    state.SkipWithError("no nginx here");
    return;
  }
  options.in_flight = static_cast<std::size_t>(state.range(0));
  options.pieces_per_request = static_cast<std::size_t>(state.range(1));
  HttpPieceGetter getter(options, [](PieceIndex, const Piece&) {});
  std::vector<PieceIndex> indices;
  for (std::uint64_t i = 0; i < kPerIteration; ++i) {
    indices.emplace_back(i % kDistinct);
  }
  for (auto _ : state) {
    std::size_t n_found = 0;
    getter.get_pieces(
        indices,
        [&](PieceIndex, PieceAnswer answer) { n_found += answer.piece != nullptr ? 1 : 0; }, {});
    if (n_found != kPerIteration) {
      state.SkipWithError("pieces are missing");
    }
  }
  report(state);
}

void drain_furrow(benchmark::State& state) {
  drain(state, "furrow");
}
void drain_nginx(benchmark::State& state) {
  drain(state, "nginx");
}
void getter_furrow(benchmark::State& state) {
  fetch(state, "furrow");
}
void getter_nginx(benchmark::State& state) {
  fetch(state, "nginx");
}

void in_flight(benchmark::internal::Benchmark* b) {
  b->ArgName("in_flight")->Arg(1)->Arg(8)->Arg(64)->UseRealTime()->Unit(benchmark::kMillisecond);
}

BENCHMARK(drain_furrow)->Apply(in_flight);
BENCHMARK(drain_nginx)->Apply(in_flight);
BENCHMARK(getter_furrow)
    ->ArgNames({"in_flight", "per_request"})
    ->Args({1, 1})
    ->Args({8, 1})
    ->Args({64, 1})
    ->Args({8, 8})
    ->Args({64, 8})
    ->Args({64, 16})
    ->Args({64, 64})
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);
BENCHMARK(getter_nginx)
    ->ArgNames({"in_flight", "per_request"})
    ->Args({1, 1})
    ->Args({8, 1})
    ->Args({64, 1})
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace furrow

BENCHMARK_MAIN();
