// SPDX-License-Identifier: Apache-2.0
// The plotting pipeline with the CPU encoder, when one stage is slow: how much longer it takes than
// that stage alone, what it says limits it, and how much memory it takes against the plan; and how
// long it takes to stop and to pause.
//
// A slow source is a pipe that lets one piece through after another, a slow disk takes a time for
// each sector; both sleep. Each run takes half a minute: one iteration, a few repetitions.
#include <condition_variable>
#include <fstream>
#include <mutex>
#include <string>
#include <thread>

#include <benchmark/benchmark.h>

#include "host/plotting/encoder_choice.hpp"
#include "host/plotting/memory_plan.hpp"
#include "host/plotting/plot_pipeline.hpp"

namespace furrow {
namespace {

using Clock = std::chrono::steady_clock;
using Seconds = std::chrono::duration<double>;

constexpr std::uint16_t kPieces = 16;
constexpr std::uint16_t kSectors = 10;

/// Made-up pieces through a pipe of limited width.
class Pieces final : public PieceGetter {
 public:
  explicit Pieces(Seconds for_each) : for_each_(for_each) {}
  void get_pieces(std::span<const PieceIndex> indices, const Sink& sink,
                  std::stop_token stop) override {
    for (const PieceIndex index : indices) {
      if (stop.stop_requested()) {
        return;
      }
      auto piece = std::make_unique<Piece>();
      piece->record[0].bytes.fill(static_cast<std::uint8_t>(index.value()));
      {
        const std::lock_guard pipe(pipe_);
        std::this_thread::sleep_for(for_each_);
      }
      sink(index, PieceAnswer::found(std::move(piece)));
    }
  }

 private:
  Seconds for_each_;
  std::mutex pipe_;
};

/// Sets the peak of this process back to what it has now.
void reset_peak() {
  std::ofstream("/proc/self/clear_refs") << 5;
}
double peak_mib() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmHWM:")) {
      return std::stod(line.substr(6)) / 1024;
    }
  }
  return 0;
}

unsigned n_threads() {
  return std::max(1U, std::thread::hardware_concurrency());
}

/// A run of the pipeline over kSectors, and what there is to say about it.
struct Run {
  explicit Run(Seconds for_each_piece, Seconds for_each_sector)
      : pieces(for_each_piece), write_time(for_each_sector) {}

  PlotOutcome plot(std::uint16_t n_sectors, std::stop_token stop = {}) {
    std::uint16_t next = 0;
    const PlotPipelineOptions options{.download = {.piece_getter = pieces, .tail = 1},
                                      .encoders = *encoders,
                                      .sectors_in_memory = plan.settings.sectors_in_memory,
                                      .output_buffers = plan.settings.output_buffers,
                                      .gate = &gate,
                                      .clock = &clock};
    return plot_sectors(
               [&]() -> std::optional<SectorPlan> {
                 if (next == n_sectors) {
                   return std::nullopt;
                 }
                 SectorPlan sector;
                 sector.protocol_info.history_size = HistorySize::from_count(100);
                 sector.sector_index = SectorIndex(next++);
                 sector.pieces_in_sector = kPieces;
                 return sector;
               },
               options,
               [&](const PlottedSector&, std::span<const std::uint8_t>) {
                 std::this_thread::sleep_for(write_time);
               },
               std::move(stop))
        .outcome;
  }

  Pieces pieces;
  Seconds write_time;
  MemoryPlan plan = plan_memory(default_memory_settings(kPieces, n_threads(), 0));
  Gate gate;
  std::function<void()> on_record_done;
  std::unique_ptr<EncoderPool> encoders = [this] {
    EncoderSettings settings{.cpu = {.threads = n_threads()}, .gate = &gate};
    settings.on_record_done = [this] {
      if (on_record_done) {
        on_record_done();
      }
    };
    return make_encoder_pool(choose_encoder("cpu"), std::move(settings));
  }();
  StageClock clock{{.layouts = plan.settings.output_buffers}, &gate};
};

/// How long the encoder alone takes for the sectors of a run.
double encoder_seconds() {
  const std::unique_ptr<EncoderPool> encoder =
      make_encoder_pool(choose_encoder("cpu"), {.cpu = {.threads = n_threads()}});
  std::vector<Record> records(kPieces);
  std::vector<FoundProofs> found_proofs(kPieces);
  const Clock::time_point start = Clock::now();
  for (std::uint16_t i = 0; i < kSectors; ++i) {
    SectorId id;
    id.bytes.fill(static_cast<std::uint8_t>(i));
    encoder->encode_records(id, records, found_proofs, {});
  }
  return Seconds(Clock::now() - start).count();
}

void measure(benchmark::State& state, Seconds piece, Seconds sector, double slowest) {
  for (auto _ : state) {
    Run run(piece, sector);
    reset_peak();
    const auto start = run.clock.totals();
    const Clock::time_point began = Clock::now();
    run.plot(kSectors);
    const double wall = Seconds(Clock::now() - began).count();
    const StageShares shares = run.clock.shares_since(start);
    state.SetIterationTime(wall);
    state.counters["slowest_alone_s"] = slowest;
    state.counters["wall/slowest"] = wall / slowest;
    state.counters["peak_MiB"] = peak_mib();
    state.counters["plan_MiB"] = static_cast<double>(run.plan.total()) / (1 << 20);
    state.SetLabel(shares.line());
  }
}

void slow_pieces(benchmark::State& state) {
  constexpr Seconds kPiece(0.25);
  measure(state, kPiece, Seconds(0), kSectors * kPieces * kPiece.count());
}
void slow_disk(benchmark::State& state) {
  constexpr Seconds kSector(4);
  measure(state, Seconds(0), kSector, kSectors * kSector.count());
}
void slow_encoder(benchmark::State& state) {
  const double slowest = encoder_seconds();
  measure(state, Seconds(0.005), Seconds(0.05), slowest);
}

/// From the request until plot_sectors has returned, in the middle of records.
void stop_latency(benchmark::State& state) {
  Run run(Seconds(0), Seconds(0));
  for (auto _ : state) {
    std::stop_source stop;
    std::atomic<int> records = 0;
    Clock::time_point asked;
    run.on_record_done = [&] {
      if (++records == 5) {
        asked = Clock::now();
        stop.request_stop();
      }
    };
    run.plot(kSectors, stop.get_token());
    state.SetIterationTime(Seconds(Clock::now() - asked).count());
  }
}

/// From the closing of the gate until the last record that was begun is done.
void pause_latency(benchmark::State& state) {
  Run run(Seconds(0), Seconds(0));
  for (auto _ : state) {
    std::stop_source stop;
    std::mutex mutex;
    std::condition_variable changed;
    int records = 0;
    Clock::time_point last;
    run.on_record_done = [&] {
      const std::lock_guard lock(mutex);
      last = Clock::now();
      ++records;
      changed.notify_all();
    };
    std::jthread plotting([&] { run.plot(kSectors, stop.get_token()); });
    Clock::time_point closed;
    {
      std::unique_lock lock(mutex);
      changed.wait(lock, [&] { return records >= 5; });
      closed = Clock::now();
      run.gate.close();
    }
    // Whatever is under way is done after this, on a machine that is not overloaded.
    std::this_thread::sleep_for(std::chrono::seconds(1));
    {
      const std::lock_guard lock(mutex);
      state.SetIterationTime(std::max(0.0, Seconds(last - closed).count()));
    }
    stop.request_stop();
    plotting.join();
    run.gate.open();
  }
}

BENCHMARK(slow_pieces)->UseManualTime()->Iterations(1)->Unit(benchmark::kSecond);
BENCHMARK(slow_disk)->UseManualTime()->Iterations(1)->Unit(benchmark::kSecond);
BENCHMARK(slow_encoder)->UseManualTime()->Iterations(1)->Unit(benchmark::kSecond);
BENCHMARK(stop_latency)->UseManualTime()->Iterations(5)->Unit(benchmark::kMillisecond);
BENCHMARK(pause_latency)->UseManualTime()->Iterations(5)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace furrow

BENCHMARK_MAIN();
