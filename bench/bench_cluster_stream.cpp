// SPDX-License-Identifier: Apache-2.0
// What a sector costs on its way to a farmer, and its pieces on their way to a plotter, over a real
// NATS server on the loopback; sender and taker have a connection each.
//
//   sector                 the bytes of a sector of 1000 pieces, by turns as
//                            plain: chunks published to a subject, taken by a plain subscription
//                            stream: PlottingElements and respond_stream at one end,
//                                    StreamRequest<PlotSectorRequest> at the other
//   pieces                 the same with its pieces, as a controller sends them
//   find_pieces            the places of these pieces in caches: a request and the stream that answers it
//   delayed_sector/ms:D    100 pieces, the stream alone, through a relay that holds back every byte for
//   delayed_pieces/ms:D    D ms, there and back: a round trip is twice as long. 0: without the relay
//
// Counters are medians of the iterations: GiB a second, stream over plain (of each pair), and processor
// seconds for a GiB, of both clients together and of the server. Clients and server share the machine.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>
#include <iterator>
#include <memory>
#include <optional>
#include <semaphore>
#include <span>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <thread>
#include <variant>
#include <vector>

#include <benchmark/benchmark.h>

#include "furrow/core/sector_layout.hpp"
#include "furrow/piece.hpp"

#include "bench/delay_relay.hpp"
#include "bench/nats_process.hpp"
#include "host/cluster/piece_messages.hpp"
#include "host/cluster/plotter_messages.hpp"
#include "host/cluster/request.hpp"
#include "host/cluster/stream_packer.hpp"
#include "host/cluster/stream_requester.hpp"
#include "host/cluster/stream_responder.hpp"
#include "host/node/plotting_elements.hpp"
#include "host/node/walked_elements.hpp"

namespace furrow {
namespace {

using cluster::Bus;
using cluster::BusClock;
using cluster::Bytes;
using cluster::PlottingProgress;

using Payload = std::span<const std::uint8_t>;

constexpr double kGiB = 1 << 30;
constexpr std::uint16_t kPiecesInSector = 1000;
/// How far a plain publisher may be ahead: below what a server keeps for a connection (64 MiB).
constexpr std::ptrdiff_t kAhead = 16;

NatsProcess& server() {
  static NatsProcess process(FURROW_NATS_SERVER);
  return process;
}

std::unique_ptr<Bus> connect(std::uint16_t port) {
  return cluster::connect_to_nats({.servers = {loopback_url(port)}});
}

/// Bytes that no two chunks or pieces have in common.
std::vector<std::uint8_t> make_bytes(std::size_t size) {
  std::vector<std::uint8_t> bytes(size);
  std::uint64_t state = 1;
  for (std::uint8_t& byte : bytes) {
    state = state * 6364136223846793005U + 1442695040888963407U;
    byte = static_cast<std::uint8_t>(state >> 56);
  }
  return bytes;
}

void require(bool holds, const char* what) {
  if (!holds) {
    throw std::runtime_error(what);
  }
}

/// What is sent, cut as the messages of the stream are.
struct Load {
  std::uint16_t n_pieces = 0;
  std::size_t chunk = 0;
  std::vector<std::uint8_t> bytes;
  std::vector<PiecePtr> pieces = {};  ///< of these bytes; none of a sector

  [[nodiscard]] Payload chunk_at(std::size_t offset) const {
    return Payload(bytes).subspan(offset, std::min(chunk, bytes.size() - offset));
  }
};

Load sector_load(std::uint16_t n_pieces) {
  return {n_pieces, cluster::approximate_max_message_size(cluster::kExpectedMessageSize),
          make_bytes(sector_size(Network::kAbundance, n_pieces))};
}

Load piece_load(std::uint16_t n_pieces) {
  Load load{n_pieces, kPieceSize, make_bytes(n_pieces * kPieceSize)};
  for (std::size_t i = 0; i < n_pieces; ++i) {
    const auto piece = std::make_shared_for_overwrite<Piece>();
    std::ranges::copy(load.chunk_at(i * kPieceSize), mutable_bytes_of(*piece).begin());
    load.pieces.push_back(piece);
  }
  return load;
}

/// One connection for whoever sends, one for whoever takes.
class Ends {
 public:
  explicit Ends(std::chrono::milliseconds delay)
      : relay_(delay.count() == 0 ? nullptr : std::make_unique<DelayRelay>(server().port(), delay)),
        sending_(connect(server().port())),
        taking_(connect(relay_ == nullptr ? server().port() : relay_->port())) {}

  [[nodiscard]] Bus& sending() const { return *sending_; }
  [[nodiscard]] Bus& taking() const { return *taking_; }

 private:
  std::unique_ptr<DelayRelay> relay_;
  std::unique_ptr<Bus> sending_;
  std::unique_ptr<Bus> taking_;
};

/// Called with the bytes in their order.
using Take = std::function<void(Payload)>;

void send_plain(const Ends& ends, const Load& load, const Take& take) {
  constexpr const char* kSubject = "bench.plain";
  const auto arrived = ends.taking().subscribe(kSubject, {}, {.messages = 2 * kAhead});
  require(wait_until_heard(ends.taking(), cluster::draw_ulid, {}), "not heard");
  std::counting_semaphore<kAhead> room(kAhead);
  const std::jthread sender([&] {
    for (std::size_t sent = 0; sent < load.bytes.size(); sent += load.chunk_at(sent).size()) {
      room.acquire();
      ends.sending().publish(kSubject, load.chunk_at(sent));
    }
  });
  for (std::size_t taken = 0; taken < load.bytes.size();) {
    const cluster::Received received = arrived->next(BusClock::TimePoint::max(), {});
    require(received.waited == cluster::Waited::kMessage, "the connection was closed");
    take(received.message.payload);
    taken += received.message.payload.size();
    room.release();
  }
}

/// Answers one request with what `respond` sends to the subject that it names.
template <class Request>
void send_stream(const Ends& ends, const std::optional<cluster::SubjectToken>& instance,
                 const Request& request, const std::function<void(const std::string&)>& respond,
                 const std::function<void(const typename Request::Element&)>& take) {
  const auto requests = ends.sending().subscribe(cluster::subject_of<Request>(instance));
  require(wait_until_heard(ends.sending(), cluster::draw_ulid, {}), "not heard");
  const std::jthread sender([&] {
    const cluster::Received received = requests->next(BusClock::TimePoint::max(), {});
    respond(received.message.reply_subject);
  });
  cluster::StreamRequest<Request> stream(ends.taking(), instance, request);
  while (const auto element = stream.next({})) {
    take(*element);
  }
  require(stream.end()->is_complete(), stream.end()->text.c_str());
}

void respond_with(Bus& bus, const std::string& subject, cluster::ElementSource& elements) {
  const cluster::StreamSent sent = cluster::respond_stream(bus, subject, elements, {}, {});
  require(sent.outcome == cluster::StreamSent::Outcome::kComplete, sent.reason.c_str());
}

/// As a plotter node sends a sector that it has just made, its memory included.
void send_sector(const Ends& ends, const Load& load, std::vector<std::uint8_t> sector,
                 const Take& take) {
  send_stream<cluster::PlotSectorRequest>(
      ends, cluster::SubjectToken("01ARZ3NDEKTSV4RRFFQ69G5FAV", "plotter"), {},
      [&](const std::string& subject) {
        node::PlottingElements elements(
            ends.sending().clock(), std::chrono::seconds(10),
            cluster::approximate_max_message_size(ends.sending().max_payload()));
        PlottedSector plotted;
        plotted.sector_metadata.pieces_in_sector = load.n_pieces;
        plotted.piece_indexes.resize(load.n_pieces);
        elements.tell({PlottingProgress::Downloading{}});
        elements.finish({std::move(plotted), {}}, {std::move(sector)});
        elements.end();
        respond_with(ends.sending(), subject, elements);
      },
      [&](const PlottingProgress& progress) {
        if (const auto* const chunk = std::get_if<PlottingProgress::SectorChunk>(&progress.event)) {
          take(std::get<Bytes>(chunk->data));
        }
      });
}

/// As a controller sends pieces that it has in memory.
void send_pieces(const Ends& ends, const Load& load, const Take& take) {
  send_stream<cluster::PiecesRequest>(
      ends, std::nullopt, {std::vector<PieceIndex>(load.n_pieces)},
      [&](const std::string& subject) {
        node::WalkedElements elements(load.n_pieces, [&](std::uint64_t i, const std::stop_token&) {
          return std::optional(
              encode_message(cluster::PiecesElement{{PieceIndex(i), {load.pieces[i]}}}));
        });
        respond_with(ends.sending(), subject, elements);
      },
      [&](const cluster::PiecesElement& element) { take(bytes_of(*element.piece.piece.piece)); });
}

/// `sector`: a copy of the bytes of a sector, which the plotter lets go when they are sent.
void send_as_stream(const Ends& ends, const Load& load, std::vector<std::uint8_t> sector,
                    const Take& take) {
  if (load.pieces.empty()) {
    send_sector(ends, load, std::move(sector), take);
  } else {
    send_pieces(ends, load, take);
  }
}

std::vector<std::uint8_t> sector_of(const Load& load) {
  return load.pieces.empty() ? load.bytes : std::vector<std::uint8_t>();
}

/// What arrives is what was sent: looked at once, when nothing is measured.
void check_bytes(const Ends& ends, const Load& load) {
  std::size_t taken = 0;
  send_as_stream(ends, load, sector_of(load), [&](Payload bytes) {
    require(taken + bytes.size() <= load.bytes.size() &&
                std::ranges::equal(bytes, Payload(load.bytes).subspan(taken, bytes.size())),
            "other bytes have arrived");
    taken += bytes.size();
  });
  require(taken == load.bytes.size(), "bytes are missing");
}

/// Seconds for each GiB.
struct Cost {
  double elapsed = 0;
  double clients = 0;  ///< of the processor, this process
  double server = 0;
};

Cost measure(const Load& load, const std::function<void(const Take&)>& run) {
  const double begin = seconds_of(CLOCK_MONOTONIC);
  const double clients = seconds_of(CLOCK_PROCESS_CPUTIME_ID);
  const double served = server().processor_seconds();
  std::size_t taken = 0;
  run([&taken](Payload bytes) { taken += bytes.size(); });
  require(taken == load.bytes.size(), "bytes are missing");
  const double gib = static_cast<double>(taken) / kGiB;
  return {(seconds_of(CLOCK_MONOTONIC) - begin) / gib,
          (seconds_of(CLOCK_PROCESS_CPUTIME_ID) - clients) / gib,
          (server().processor_seconds() - served) / gib};
}

template <class T>
double median(std::vector<T> all, auto value_of) {
  std::vector<double> values;
  std::ranges::transform(all, std::back_inserter(values), value_of);
  std::ranges::sort(values);
  return values[values.size() / 2];
}

void report(benchmark::State& state, const std::string& name, const std::vector<Cost>& costs) {
  state.counters[name + "_GiB_s"] =
      median(costs, [](const Cost& cost) { return 1 / cost.elapsed; });
  state.counters[name + "_clients_s"] =
      median(costs, [](const Cost& cost) { return cost.clients; });
  state.counters[name + "_server_s"] = median(costs, [](const Cost& cost) { return cost.server; });
}

void beside_plain(benchmark::State& state, const Load& load) {
  const Ends ends({});
  check_bytes(ends, load);
  std::vector<Cost> plain;
  std::vector<Cost> streams;
  std::vector<double> ratios;
  for (auto _ : state) {
    plain.push_back(measure(load, [&](const Take& take) { send_plain(ends, load, take); }));
    std::vector<std::uint8_t> sector = sector_of(load);
    streams.push_back(measure(
        load, [&](const Take& take) { send_as_stream(ends, load, std::move(sector), take); }));
    ratios.push_back(plain.back().elapsed / streams.back().elapsed);
    state.SetIterationTime(streams.back().elapsed * static_cast<double>(load.bytes.size()) / kGiB);
  }
  report(state, "plain", plain);
  report(state, "stream", streams);
  state.counters["ratio"] = median(ratios, [](double ratio) { return ratio; });
  state.counters["least_ratio"] = *std::ranges::min_element(ratios);
}

void delayed(benchmark::State& state, const Load& load) {
  const Ends ends(std::chrono::milliseconds(state.range(0)));
  std::vector<Cost> streams;
  for (auto _ : state) {
    std::vector<std::uint8_t> sector = sector_of(load);
    streams.push_back(measure(
        load, [&](const Take& take) { send_as_stream(ends, load, std::move(sector), take); }));
    state.SetIterationTime(streams.back().elapsed * static_cast<double>(load.bytes.size()) / kGiB);
  }
  state.counters["MiB_s"] = median(streams, [](const Cost& cost) { return 1024 / cost.elapsed; });
}

/// The places of a sector's pieces, as a controller tells them.
void find_pieces(benchmark::State& state) {
  const Ends ends({});
  std::vector<PieceIndex> indices;
  for (std::uint64_t i = 0; i < kPiecesInSector; ++i) {
    indices.emplace_back(i);
  }
  const double clients = seconds_of(CLOCK_PROCESS_CPUTIME_ID);
  const double served = server().processor_seconds();
  for (auto _ : state) {
    std::size_t found = 0;
    send_stream<cluster::FindPiecesRequest>(
        ends, cluster::global_cache_group(), {indices},
        [&](const std::string& subject) {
          node::WalkedElements elements(
              indices.size(), [&](std::uint64_t i, const std::stop_token&) {
                return std::optional(encode_message(cluster::FoundPiece{
                    indices[i], {{}, cluster::CacheOffset(static_cast<std::uint32_t>(i))}}));
              });
          respond_with(ends.sending(), subject, elements);
        },
        [&found](const cluster::FoundPiece&) { ++found; });
    require(found == indices.size(), "places are missing");
  }
  const auto n = static_cast<double>(state.iterations());
  state.counters["clients_ms"] = 1e3 * (seconds_of(CLOCK_PROCESS_CPUTIME_ID) - clients) / n;
  state.counters["server_ms"] = 1e3 * (server().processor_seconds() - served) / n;
}

void with_delays(benchmark::internal::Benchmark* b) {
  b->ArgName("ms")->Arg(0)->Arg(1)->Arg(5)->Arg(10)->Arg(50)->Arg(100);
  b->Iterations(3)->UseManualTime()->Unit(benchmark::kMillisecond);
}

void whole_sector(benchmark::internal::Benchmark* b) {
  b->Iterations(7)->UseManualTime()->Unit(benchmark::kMillisecond);
}

void sector(benchmark::State& state) {
  beside_plain(state, sector_load(kPiecesInSector));
}
void pieces(benchmark::State& state) {
  beside_plain(state, piece_load(kPiecesInSector));
}
void delayed_sector(benchmark::State& state) {
  delayed(state, sector_load(100));
}
void delayed_pieces(benchmark::State& state) {
  delayed(state, piece_load(100));
}

BENCHMARK(sector)->Apply(whole_sector);
BENCHMARK(pieces)->Apply(whole_sector);
BENCHMARK(find_pieces)->Iterations(300)->UseRealTime()->Unit(benchmark::kMillisecond);
BENCHMARK(delayed_sector)->Apply(with_delays);
BENCHMARK(delayed_pieces)->Apply(with_delays);

}  // namespace
}  // namespace furrow

BENCHMARK_MAIN();
