// SPDX-License-Identifier: Apache-2.0
// Records and sectors through the whole engine, and the bus. The host's clock, from the call until
// everything is back in host memory.
#include <chrono>
#include <memory>

#include "furrow/core/sector_layout.hpp"
#include "furrow/cuda.hpp"

#include "bench/cuda_bench.hpp"
#include "cuda/record_pipeline.hpp"
#include "cuda/runtime/check.hpp"
#include "cuda/runtime/device_buffer.hpp"
#include "cuda/runtime/pinned_buffer.hpp"
#include "host/sector/contents_map.hpp"
#include "host/sector/sector_writer.hpp"

namespace furrow::cuda {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

/// A stream with a pipeline on it and pinned memory for what goes in and comes out.
class Lane {
 public:
  explicit Lane(std::size_t n)
      : stream_(0), pipeline_(stream_, n), seeds_(n), in_(n), out_(n), found_(n), status_(n) {
    const std::vector<std::uint8_t> seeds = made_up_bytes(n * sizeof(PosSeed), 3);
    const std::vector<std::uint8_t> records = made_up_bytes(n * sizeof(Record), 4);
    std::copy(seeds.begin(), seeds.end(), reinterpret_cast<std::uint8_t*>(seeds_.data()));
    std::copy(records.begin(), records.end(), reinterpret_cast<std::uint8_t*>(in_.data()));
  }
  void enqueue() {
    pipeline_.enqueue(seeds_.size(), seeds_.data(), in_.data(), out_.data(), found_.data(),
                      status_.data());
  }
  void wait() const { stream_.view().synchronize(); }

 private:
  Stream stream_;
  RecordPipeline pipeline_;
  PinnedBuffer<PosSeed> seeds_;
  PinnedBuffer<Record> in_;
  PinnedBuffer<Record> out_;
  PinnedBuffer<FoundProofs> found_;
  PinnedBuffer<RecordStatus> status_;
};

/// Batches on several streams, transfers included.
void records(benchmark::State& state) {
  const auto batch = static_cast<std::size_t>(state.range(0));
  std::vector<std::unique_ptr<Lane>> lanes;
  for (std::int64_t i = 0; i < state.range(1); ++i) {
    lanes.push_back(std::make_unique<Lane>(batch));
  }
  constexpr std::size_t kRounds = 4;
  double total = 0;
  for (auto _ : state) {
    const Clock::time_point start = Clock::now();
    for (std::size_t round = 0; round < kRounds; ++round) {
      for (const auto& lane : lanes) {
        lane->enqueue();
      }
    }
    for (const auto& lane : lanes) {
      lane->wait();
    }
    const double seconds = seconds_since(start);
    state.SetIterationTime(seconds);
    total += seconds;
  }
  const auto n = static_cast<double>(kRounds * batch * lanes.size());
  report(state, {.records = n, .transferred = n * (2 * sizeof(Record) + sizeof(FoundProofs))},
         total);
}

/// A whole sector by itself: records through the encoder, then the layout on one core of the host, which
/// plotting does while the encoder has the next sector.
void sector(benchmark::State& state) {
  const auto n = static_cast<std::uint16_t>(state.range(0));
  CudaEncoderOptions options;
  options.fallback = [](Network, const SectorId&, PieceOffset, Record&, FoundProofs&,
                        const MayGoOn&) -> EncodeOutcome {
    throw EncoderError("benchmark: the device could not encode a record");
  };
  const auto encoder = make_cuda_records_encoder(options);
  std::vector<Record> records_of_sector(n);
  const std::vector<std::uint8_t> bytes = made_up_bytes(n * sizeof(Record), 5);
  std::copy(bytes.begin(), bytes.end(), reinterpret_cast<std::uint8_t*>(records_of_sector.data()));
  SectorContentsMap map(n);
  const std::vector<RecordMetadata> metadata(n);
  std::vector<std::uint8_t> out(sector_size(Network::kAbundance, n));
  SectorId id;
  double total = 0;
  double encoding = 0;
  for (auto _ : state) {
    ++id.bytes[0];
    const Clock::time_point start = Clock::now();
    encoder->encode_records(id, records_of_sector, map.bitmaps(), {});
    encoding += seconds_since(start);
    assemble_sector(map, records_of_sector, metadata, out);
    const double seconds = seconds_since(start);
    state.SetIterationTime(seconds);
    total += seconds;
  }
  report(state, {.records = static_cast<double>(n)}, total);
  const double per_1000 = 1000 / static_cast<double>(state.iterations()) / static_cast<double>(n);
  state.counters["s_per_1000_pieces"] = total * per_1000;
  state.counters["encode_s_per_1000_pieces"] = encoding * per_1000;
  state.counters["layout_s_per_1000_pieces"] = (total - encoding) * per_1000;
}

void transfer(benchmark::State& state, cudaMemcpyKind kind) {
  constexpr std::size_t kBytes = std::size_t{64} << 20;
  const Stream stream(0);
  const PinnedBuffer<std::uint8_t> host(kBytes);
  const DeviceBuffer<std::uint8_t> device(stream, kBytes);
  void* const to = kind == cudaMemcpyHostToDevice ? device.data() : host.data();
  const void* const from = kind == cudaMemcpyHostToDevice ? host.data() : device.data();
  double total = 0;
  for (auto _ : state) {
    const double seconds = seconds_on_device(
        stream, [&] { check(cudaMemcpyAsync(to, from, kBytes, kind, stream.view().get())); });
    state.SetIterationTime(seconds);
    total += seconds;
  }
  report(state, {.transferred = kBytes}, total);
}

}  // namespace

void warm_up(std::chrono::duration<double> time) {
  const Clock::time_point start = Clock::now();
  for (Lane lane(1); Clock::now() - start < time;) {
    lane.enqueue();
    lane.wait();
  }
}

void register_pipeline_benchmarks() {
  for (const auto& [name, kind] : {std::pair("transfer/to_device", cudaMemcpyHostToDevice),
                                   std::pair("transfer/to_host", cudaMemcpyDeviceToHost)}) {
    const cudaMemcpyKind direction = kind;
    benchmark::RegisterBenchmark(
        name, [direction](benchmark::State& state) { transfer(state, direction); })
        ->UseManualTime()
        ->Unit(benchmark::kMillisecond)
        ->Iterations(20);
  }
  auto* const of_records = benchmark::RegisterBenchmark("record", records);
  of_records->ArgNames({"batch", "streams"})->UseManualTime()->Unit(benchmark::kMillisecond);
  of_records->Iterations(5);
  for (const std::int64_t streams : {1, 3}) {
    const std::int64_t most =
        fitting(64, static_cast<std::uint64_t>(streams) * RecordPipeline::device_bytes(1));
    for (std::int64_t batch = 1; batch <= most; batch *= 8) {
      of_records->Args({batch, streams});
    }
  }
  benchmark::RegisterBenchmark("sector", sector)
      ->ArgName("pieces")
      ->Arg(fitting(1024, 4 * kPieceSize) == 1024 ? 1000 : 128)
      ->UseManualTime()
      ->Unit(benchmark::kMillisecond)
      ->Iterations(3);
}

}  // namespace furrow::cuda
