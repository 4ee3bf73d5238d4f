// SPDX-License-Identifier: Apache-2.0
// What a downloaded sector costs the host before it is encoded, in seconds for each 1000 pieces:
//
//   download/memory      download_sector with pieces that are there already: hashes and copies
//   download/store       the same out of a store, with all that the store looks at, in some batches
//                        at once; --store DIR
//   hash, copy, proof    parts of it on their own: BLAKE3 of a piece, its way into the sector, the
//                        proof that it is of its segment
//
// Compare medians of --benchmark_repetitions=5 of one run. CPU is the time of all threads together:
// beside other work it says what the host has to give, which the elapsed time does not.
#include <algorithm>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>

#include "host/archive/segment_builder.hpp"
#include "host/crypto/blake3.hpp"
#include "host/pieces/piece_supply.hpp"
#include "host/plotting/download_sector.hpp"

namespace furrow {
namespace {

/// More than any cache holds.
constexpr std::uint16_t kPieces = 256;

std::vector<PiecePtr> make_pieces() {
  std::vector<PiecePtr> pieces;
  std::uint64_t state = 1;
  for (std::size_t i = 0; i < kPieces; ++i) {
    auto piece = std::make_shared<Piece>();
    for (std::uint8_t& byte : mutable_bytes_of(*piece)) {
      state = state * 6364136223846793005U + 1442695040888963407U;
      byte = static_cast<std::uint8_t>(state >> 56);
    }
    pieces.push_back(std::move(piece));
  }
  return pieces;
}

const std::vector<PiecePtr>& pieces() {
  static const std::vector<PiecePtr> all = make_pieces();
  return all;
}

class MemoryGetter final : public PieceGetter {
 public:
  void get_pieces(std::span<const PieceIndex> indices, const Sink& sink, std::stop_token) override {
    for (const PieceIndex index : indices) {
      sink(index, PieceAnswer::found(pieces()[index.value() % kPieces]));
    }
  }
};

void report(benchmark::State& state, std::size_t n_pieces) {
  state.counters["s_per_1000"] = benchmark::Counter(
      static_cast<double>(state.iterations()) * static_cast<double>(n_pieces) / 1000,
      benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

void hash(benchmark::State& state) {
  for (auto _ : state) {
    for (const PiecePtr& piece : pieces()) {
      benchmark::DoNotOptimize(blake3(bytes_of(*piece)));
    }
  }
  report(state, kPieces);
}

void copy(benchmark::State& state) {
  RawSector sector(Network::kAbundance, kPieces);
  for (auto _ : state) {
    for (std::size_t i = 0; i < kPieces; ++i) {
      sector.all_records()[i] = pieces()[i]->record;
    }
    benchmark::ClobberMemory();
  }
  report(state, kPieces);
}

void proof(benchmark::State& state) {
  for (auto _ : state) {
    for (const PiecePtr& piece : pieces()) {
      benchmark::DoNotOptimize(
          record_root(SimdMode::kBest, piece->record, piece->header.parity_chunks_root));
    }
  }
  report(state, kPieces);
}

/// Sectors one after the other; the memory of the one before, as in plotting.
void download(benchmark::State& state, PieceGetter& getter, std::uint64_t n_segments) {
  SectorPlan plan;
  plan.pieces_in_sector = kPieces;
  plan.protocol_info.history_size = HistorySize::from_count(n_segments);
  RawSector memory(Network::kAbundance, kPieces);
  std::uint16_t index = 0;
  for (auto _ : state) {
    plan.sector_index = SectorIndex(index++);
    std::optional<DownloadedSector> sector = download_sector(
        plan, {.piece_getter = getter, .batches = static_cast<std::size_t>(state.range(0))}, {},
        std::move(memory));
    memory = std::move(sector->raw_sector);
  }
  report(state, kPieces);
}

}  // namespace
}  // namespace furrow

int main(int argc, char** argv) {
  using namespace furrow;
  std::string store;
  for (int i = 1; i + 1 < argc; ++i) {
    if (std::strcmp(argv[i], "--store") == 0) {
      store = argv[i + 1];
      std::rotate(argv + i, argv + i + 2, argv + argc);
      argc -= 2;
    }
  }
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) {
    return 2;
  }
  const auto registered = [](const char* name, auto run) {
    return benchmark::RegisterBenchmark(name, run)
        ->Unit(benchmark::kMillisecond)
        ->UseRealTime()
        ->MeasureProcessCPUTime();
  };
  static_cast<void>(pieces());
  registered("hash", hash);
  registered("copy", copy);
  registered("proof", proof);
  MemoryGetter from_memory;
  // As much history that hardly any piece is drawn twice.
  registered("download/memory",
             [&](benchmark::State& state) { download(state, from_memory, 1'000'000); })
      ->ArgName("batches")
      ->Arg(1)
      ->Arg(2)
      ->Arg(4);
  std::unique_ptr<PieceSupply> supply;
  if (!store.empty()) {
    PieceSupplyOptions options;
    options.sources = {store};
    supply = std::make_unique<PieceSupply>(options);
    registered("download/store",
               [&](benchmark::State& state) {
                 download(state, supply->getter(), supply->manifest().segments.size());
               })
        ->ArgName("batches")
        ->Arg(1)
        ->Arg(2)
        ->Arg(4);
  }
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
