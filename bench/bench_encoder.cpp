// SPDX-License-Identifier: Apache-2.0
// Parts of encoding a record on one CPU thread, and the whole of it. Run with
// --benchmark_repetitions=5 and quote medians; compare figures of one run only.
#include <algorithm>
#include <array>
#include <cstdio>
#include <memory>
#include <random>
#include <string_view>
#include <thread>
#include <vector>

#include <benchmark/benchmark.h>

#include "furrow/errors.hpp"

#include "host/crypto/blake3.hpp"
#include "host/crypto/blake3_many.hpp"
#include "host/plotting/cpu_records_encoder.hpp"
#include "host/plotting/record_encoding.hpp"
#include "host/pos/proof_table.hpp"
#include "host/sector/sector_layout.hpp"
#include "host/sector/sector_reader.hpp"
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

/// Whose chunks are numbers far below the modulus.
std::vector<Record> records_of_field(std::size_t n) {
  std::vector<Record> records = random_records(n);
  for (Record& record : records) {
    for (RecordChunk& chunk : record) {
      chunk.bytes[0] = 0;
    }
  }
  return records;
}

PosSeed seed_number(std::uint64_t i) {
  PosSeed seed;
  seed.bytes[0] = static_cast<std::uint8_t>(i);
  seed.bytes[1] = static_cast<std::uint8_t>(i >> 8);
  return seed;
}

/// A table that has its memory already, as between records.
std::unique_ptr<ProofTable> warm_table(Network network = Network::kAbundance) {
  auto table = make_proof_table(network);
  table->generate(seed_number(0xFFFF));
  return table;
}

/// Tables, found proofs and all proof hashes of one seed.
void proofs(benchmark::State& state, Network network) {
  const auto table = warm_table(network);
  std::vector<Hash> hashes(kNumChunks);
  std::uint64_t i = 0;
  for (auto _ : state) {
    table->generate(seed_number(i++));
    table->proof_hashes(std::span(hashes).first(table->num_proofs()));
    benchmark::DoNotOptimize(hashes.data());
  }
}
BENCHMARK_CAPTURE(proofs, abundance, Network::kAbundance)
    ->Name("proofs")
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(proofs, autonomys, Network::kAutonomys)->Unit(benchmark::kMillisecond);

/// The hashes of proofs that are there as bytes.
void proof_hashes(benchmark::State& state) {
  const auto table = warm_table();
  std::vector<std::uint8_t> bytes(table->num_proofs() * table->proof_size());
  for (std::size_t i = 0; i < table->num_proofs(); ++i) {
    table->proof(i, std::span(bytes).subspan(i * table->proof_size(), table->proof_size()));
  }
  std::vector<Hash> hashes(table->num_proofs());
  for (auto _ : state) {
    blake3_many(SimdMode::kBest, bytes, table->proof_size(), hashes);
    benchmark::DoNotOptimize(hashes.data());
  }
}
BENCHMARK(proof_hashes)->Unit(benchmark::kMillisecond);

/// What one worker does with record after record.
class RecordWorker {
 public:
  explicit RecordWorker(std::uint64_t first_seed, Network network = Network::kAbundance)
      : seed_(first_seed), network_(network) {
    encode();
  }
  void encode() {
    if (network_ != Network::kAbundance) {
      record_[0] = source_[0];  // what is encoded are no numbers of the field
    }
    encoding_.encode(network_, seed_number(seed_++), PieceOffset(0), record_[0], found_);
    benchmark::DoNotOptimize(record_.data());
  }

 private:
  std::uint64_t seed_;
  Network network_;
  RecordEncoding encoding_{kPosK, SimdMode::kBest};
  std::vector<Record> record_ = random_records(1);
  std::vector<Record> source_ = records_of_field(1);
  FoundProofs found_;
};

void record(benchmark::State& state, Network network) {
  RecordWorker worker(0, network);
  for (auto _ : state) {
    worker.encode();
  }
}
BENCHMARK_CAPTURE(record, abundance, Network::kAbundance)
    ->Name("record")
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(record, autonomys, Network::kAutonomys)->Unit(benchmark::kMillisecond);

/// Two records on two threads, one of which is this one, so that its processor time is that of the
/// whole when both have a core.
void record_on_two_threads(benchmark::State& state) {
  RecordWorker first(0);
  RecordWorker second(0x8000);
  for (auto _ : state) {
    const std::jthread other([&] { second.encode(); });
    first.encode();
  }
}
BENCHMARK(record_on_two_threads)->Name("record/threads:2")->Unit(benchmark::kMillisecond);

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

/// Parity of a segment: 128 shards from 128, 1 MiB each.
void segment_extend(benchmark::State& state) {
  constexpr std::size_t kShards = 128;
  const std::vector<Record> source = random_records(kShards);
  std::vector<Record> parity(kShards);
  std::vector<std::span<const std::uint8_t>> from;
  std::vector<std::span<std::uint8_t>> to;
  for (std::size_t i = 0; i < kShards; ++i) {
    from.push_back(bytes_of(source[i]));
    to.push_back(mutable_bytes_of(parity[i]));
  }
  const ErasureCoding erasure;
  for (auto _ : state) {
    erasure.extend(from, to);
    benchmark::DoNotOptimize(parity.data());
  }
}
BENCHMARK(segment_extend)->Unit(benchmark::kMillisecond);

void blake3_256MiB(benchmark::State& state) {
  std::vector<std::uint8_t> bytes(std::size_t{256} << 20);
  fill_random(bytes);
  for (auto _ : state) {
    benchmark::DoNotOptimize(blake3(bytes));
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(bytes.size()));
}
BENCHMARK(blake3_256MiB)->Unit(benchmark::kMillisecond);

/// With half of the s-buckets of each record in use, and not the same ones.
void lay_out_sectors(benchmark::State& state, std::uint16_t pieces) {
  constexpr std::array<std::uint8_t, 4> kHalves = {0x5A, 0xA5, 0x33, 0xF0};
  const std::vector<Record> records(pieces, random_records(1).front());
  const std::vector<RecordMetadata> metadata(pieces);
  SectorContentsMap map(pieces);
  std::mt19937 random(1);
  for (FoundProofs& bitmap : map.bitmaps()) {
    for (std::uint8_t& byte : bitmap.bytes) {
      byte = kHalves[random() % kHalves.size()];
    }
  }
  std::vector<std::uint8_t> sector(sector_size(Network::kAbundance, pieces));
  for (auto _ : state) {
    assemble_sector(map, records, metadata, sector);
    benchmark::DoNotOptimize(sector.data());
  }
}

void sector_layout_32(benchmark::State& state) {
  lay_out_sectors(state, 32);
}
BENCHMARK(sector_layout_32)->Unit(benchmark::kMillisecond);

void sector_layout_1000(benchmark::State& state) {
  lay_out_sectors(state, 1000);
}
BENCHMARK(sector_layout_1000)->Unit(benchmark::kMillisecond);

/// The second piece of a sector of two in memory, from its chunks to a verified piece.
void read_piece_of_sector(benchmark::State& state) {
  constexpr std::uint16_t kPieces = 2;
  std::vector<Record> records = random_records(kPieces);
  std::vector<RecordMetadata> metadata(kPieces);
  for (std::uint16_t p = 0; p < kPieces; ++p) {
    const auto piece = std::make_unique<Piece>();
    piece->record = records[p];
    metadata[p] = {piece->header, blake3(bytes_of(*piece))};
  }
  const SectorId sector_id{};
  SectorContentsMap map(kPieces);
  CpuRecordsEncoder({.threads = 1}).encode_records(sector_id, records, map.bitmaps(), {});
  std::vector<std::uint8_t> sector(sector_size(Network::kAbundance, kPieces));
  assemble_sector(map, records, metadata, sector);
  SectorMetadata slot;
  slot.pieces_in_sector = kPieces;
  slot.s_bucket_sizes = map.s_bucket_sizes();

  const auto table = warm_table();
  const RecordErasure erasure;
  const SectorReadAt read_at = [&](std::uint64_t offset, std::span<std::uint8_t> out) {
    std::copy_n(sector.begin() + static_cast<std::ptrdiff_t>(offset), out.size(), out.begin());
  };
  for (auto _ : state) {
    benchmark::DoNotOptimize(read_piece(PieceOffset(1), sector_id, slot, read_at, *table, erasure));
  }
}
BENCHMARK(read_piece_of_sector)->Name("read_piece")->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace furrow

/// Besides the options of Google Benchmark: --simd=NAME, the instruction set to measure.
int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  constexpr std::string_view kSimd = "--simd=";
  if (argc == 2 && std::string_view(argv[1]).starts_with(kSimd)) {
    try {
      furrow::choose_simd_target(std::string_view(argv[1]).substr(kSimd.size()));
    } catch (const furrow::InvalidArgument& error) {
      std::fprintf(stderr, "bench_encoder: %s\n", error.what());
      return 1;
    }
  } else if (benchmark::ReportUnrecognizedArguments(argc, argv)) {
    return 1;
  }
  benchmark::AddCustomContext("simd", furrow::simd_target_name(furrow::SimdMode::kBest));
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
}
