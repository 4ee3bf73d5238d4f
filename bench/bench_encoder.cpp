// Parts of encoding a record on one CPU thread, and the whole of it. Run with
// --benchmark_repetitions=5 and quote medians; compare figures of one run only.
#include <memory>
#include <random>
#include <vector>

#include <benchmark/benchmark.h>

#include "host/crypto/blake3.hpp"
#include "host/plotting/cpu_records_encoder.hpp"
#include "host/pos/proof_table.hpp"
#include "host/sector/sector_layout.hpp"
#include "host/sector/sector_writer.hpp"

namespace furrow {
namespace {

void fill_random(std::span<std::uint8_t> bytes) {
  std::mt19937_64 random(1);
  for (std::uint8_t& byte : bytes) {
    byte = static_cast<std::uint8_t>(random());
  }
}

std::vector<Record> random_records(std::size_t n) {
  std::vector<Record> records(n);
  fill_random({reinterpret_cast<std::uint8_t*>(records.data()), n * kRecordSize});
  return records;
}

PosSeed seed_number(std::uint64_t i) {
  PosSeed seed;
  seed.bytes[0] = static_cast<std::uint8_t>(i);
  seed.bytes[1] = static_cast<std::uint8_t>(i >> 8);
  return seed;
}

/// Tables, found proofs and all proof hashes of one seed.
void proofs(benchmark::State& state) {
  const auto table = make_proof_table();
  std::vector<Hash> hashes;
  std::uint64_t i = 0;
  for (auto _ : state) {
    table->generate(seed_number(i++));
    hashes.resize(table->num_proofs());
    table->proof_hashes(hashes);
    benchmark::DoNotOptimize(hashes.data());
  }
}
BENCHMARK(proofs)->Unit(benchmark::kMillisecond);

void proof_hashes(benchmark::State& state) {
  const auto table = make_proof_table();
  table->generate(seed_number(0));
  std::vector<Hash> hashes(table->num_proofs());
  for (auto _ : state) {
    table->proof_hashes(hashes);
    benchmark::DoNotOptimize(hashes.data());
  }
}
BENCHMARK(proof_hashes)->Unit(benchmark::kMillisecond);

/// Records through the encoder, as plotting does it; time per record.
void record(benchmark::State& state) {
  const auto threads = static_cast<unsigned>(state.range(0));
  CpuRecordsEncoder encoder({.threads = threads});
  std::vector<Record> records = random_records(threads);
  std::vector<FoundProofs> found(threads);
  SectorId id;
  for (auto _ : state) {
    ++id.bytes[0];
    encoder.encode_records(id, records, found, {});
  }
  state.counters["s_per_record"] = benchmark::Counter(
      static_cast<double>(threads),
      benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
}
BENCHMARK(record)->ArgName("threads")->Arg(1)->Arg(2)->Unit(benchmark::kMillisecond)->UseRealTime();

void erasure_extend(benchmark::State& state) {
  const std::vector<Record> source = random_records(1);
  const auto parity = std::make_unique<Record>();
  const ErasureCoding erasure;
  for (auto _ : state) {
    erasure.extend_record(source[0], *parity);
    benchmark::DoNotOptimize(parity->data());
  }
}
BENCHMARK(erasure_extend)->Unit(benchmark::kMillisecond);

/// Half of the chunks missing, as when a piece is read back.
void erasure_recover(benchmark::State& state) {
  const auto extended = std::make_unique<ExtendedRecord>();
  fill_random({reinterpret_cast<std::uint8_t*>(extended.get()), sizeof(ExtendedRecord)});
  FoundProofs present;
  present.bytes.fill(0x5A);
  const auto recovered = std::make_unique<Record>();
  const ErasureCoding erasure;
  for (auto _ : state) {
    erasure.recover_record(*extended, present, *recovered);
    benchmark::DoNotOptimize(recovered->data());
  }
}
BENCHMARK(erasure_recover)->Unit(benchmark::kMillisecond);

void blake3_256MiB(benchmark::State& state) {
  std::vector<std::uint8_t> bytes(std::size_t{256} << 20);
  fill_random(bytes);
  for (auto _ : state) {
    benchmark::DoNotOptimize(blake3(bytes));
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(bytes.size()));
}
BENCHMARK(blake3_256MiB)->Unit(benchmark::kMillisecond);

void sector_layout_32(benchmark::State& state) {
  constexpr std::uint16_t kPieces = 32;
  const std::vector<Record> records = random_records(kPieces);
  const std::vector<RecordMetadata> metadata(kPieces);
  SectorContentsMap map(kPieces);
  for (FoundProofs& bitmap : map.bitmaps()) {
    bitmap.bytes.fill(0x5A);
  }
  std::vector<std::uint8_t> sector(sector_size(kPieces));
  for (auto _ : state) {
    assemble_sector(map, records, metadata, sector);
    benchmark::DoNotOptimize(sector.data());
  }
}
BENCHMARK(sector_layout_32)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace furrow

BENCHMARK_MAIN();
