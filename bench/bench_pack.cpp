// SPDX-License-Identifier: Apache-2.0
// Packing of pieces (docs/spec/08-storage-components.md, part 1) with one worker and with several,
// and the zstd program on the same bytes at the same level. Half of the pieces are text, half are
// random, as source and parity pieces of a segment are. Files go to $TMPDIR: name a folder in
// memory. Run with
// --benchmark_repetitions=5 and quote medians; compare figures of one run only.
#include <cstdlib>
#include <filesystem>
#include <random>
#include <stdexcept>
#include <string>
#include <system_error>
#include <vector>

#include <benchmark/benchmark.h>
#include <sys/resource.h>
#include <unistd.h>

#include "host/primitives/piece_element.hpp"
#include "host/store/pack_pipeline.hpp"
#include "host/store/piece_pack.hpp"
#include "host/store/piece_pack_writer.hpp"

namespace furrow {
namespace {

constexpr std::size_t kPieces = 128;
constexpr std::size_t kSize = kPieces * kPieceElementSize;

using Bytes = std::vector<std::uint8_t>;

/// Words of a made-up language, the frequent ones short: zstd makes about a third of it.
Bytes text(std::uint64_t seed, std::size_t n_bytes) {
  std::mt19937_64 random(seed);
  std::mt19937_64 dictionary(7);
  std::vector<std::string> words;
  for (std::size_t i = 0; i < 20000; ++i) {
    std::string word;
    for (std::size_t n = 2 + i % 7 + i / 4000; n > 0; --n) {
      word += static_cast<char>('a' + dictionary() % 26);
    }
    words.push_back(word + ' ');
  }
  Bytes bytes;
  while (bytes.size() < n_bytes) {
    const double u = static_cast<double>(random() >> 11) * 0x1p-53;
    const std::string& word = words[static_cast<std::size_t>(u * u * u * 20000)];
    bytes.insert(bytes.end(), word.begin(), word.end());
  }
  bytes.resize(n_bytes);
  return bytes;
}

Bytes noise(std::uint64_t seed, std::size_t n_bytes) {
  std::mt19937_64 random(seed);
  Bytes bytes(n_bytes);
  for (std::uint8_t& byte : bytes) {
    byte = static_cast<std::uint8_t>(random());
  }
  return bytes;
}

bool is_parity(std::size_t piece) {
  return piece % 2 == 1;
}

const std::vector<Bytes>& pieces() {
  static const std::vector<Bytes> all = [] {
    std::vector<Bytes> result;
    for (std::size_t i = 0; i < kPieces; ++i) {
      result.push_back(is_parity(i) ? noise(i, kPieceElementSize) : text(i, kPieceElementSize));
    }
    return result;
  }();
  return all;
}

class PieceSource : public ChunkSource {
 public:
  explicit PieceSource(bool tells_parity) : tells_parity_(tells_parity) {}
  std::optional<RawChunk> next() override {
    if (next_ == kPieces) {
      return std::nullopt;
    }
    const std::size_t i = next_++;
    return RawChunk{
        .key = i, .data = pieces()[i], .compressible = !(tells_parity_ && is_parity(i))};
  }

 private:
  bool tells_parity_;
  std::size_t next_ = 0;
};

/// A directory of this program's own, whose name nobody can guess; gone at the end.
class WorkDirectory {
 public:
  WorkDirectory() {
    std::string name = (std::filesystem::temp_directory_path() / "furrow-bench-XXXXXX").native();
    if (::mkdtemp(name.data()) == nullptr) {
      throw std::runtime_error("mkdtemp " + name);
    }
    path_ = name;
  }
  WorkDirectory(const WorkDirectory&) = delete;
  WorkDirectory& operator=(const WorkDirectory&) = delete;
  ~WorkDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

std::filesystem::path file_named(const std::string& name) {
  static const WorkDirectory directory;
  return directory.path() / name;
}

/// Processor time of this program's threads and of the programs that it has run, in milliseconds.
/// On a shared machine it says more than the clock on the wall.
double processor_ms() {
  double seconds = 0;
  for (const int who : {RUSAGE_SELF, RUSAGE_CHILDREN}) {
    rusage usage{};
    ::getrusage(who, &usage);
    for (const timeval& part : {usage.ru_utime, usage.ru_stime}) {
      seconds += static_cast<double>(part.tv_sec) + 1e-6 * static_cast<double>(part.tv_usec);
    }
  }
  return 1e3 * seconds;
}

/// `before` is the processor time at the beginning.
void report(benchmark::State& state, std::uint64_t stored, double before) {
  state.counters["all_cpu_ms"] =
      (processor_ms() - before) / static_cast<double>(state.iterations());
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(kSize));
  state.counters["ratio"] = static_cast<double>(kSize) / static_cast<double>(stored);
}

/// Source to finished file: compression, hashes, duplicates, syncs.
void pack(benchmark::State& state) {
  const ZstdCompressor compressor(static_cast<int>(state.range(1)));
  const PackConfig config{.num_workers = static_cast<unsigned>(state.range(0)),
                          .max_chunks_in_flight = 8};
  const std::filesystem::path file = file_named("pack");
  std::uint64_t size = 0;
  pieces();
  const double before = processor_ms();
  for (auto _ : state) {
    std::filesystem::remove(file);
    PieceSource source(state.range(2) != 0);
    const auto writer = PiecePackWriter::create(file);
    pack_chunks(source, compressor, config,
                [&](const PackedChunk& chunk) { writer->append(chunk); });
    writer->finish();
    size = std::filesystem::file_size(file);
  }
  std::filesystem::remove(file);
  report(state, size, before);
}
BENCHMARK(pack)
    ->ArgNames({"workers", "level", "parity_told"})
    ->ArgsProduct({{1, 2, 4}, {3}, {0, 1}})
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);

/// `zstd -T<n>` from a file to a file: compression only.
void zstd_program(benchmark::State& state) {
  const std::filesystem::path in = file_named("pieces");
  const std::filesystem::path out = file_named("pieces.zst");
  {
    const File file = File::open_or_create(in);
    for (std::size_t i = 0; i < kPieces; ++i) {
      file.write_at(i * kPieceElementSize, pieces()[i]);
    }
  }
  const std::string command = "zstd -q -f -T" + std::to_string(state.range(0)) + " -" +
                              std::to_string(state.range(1)) + " -o " + out.native() + " " +
                              in.native();
  const double before = processor_ms();
  for (auto _ : state) {
    if (std::system(command.c_str()) != 0) {  // NOLINT(cert-env33-c): what is measured
      state.SkipWithError("zstd failed");
      break;
    }
  }
  report(state, std::filesystem::exists(out) ? std::filesystem::file_size(out) : kSize, before);
  std::filesystem::remove(in);
  std::filesystem::remove(out);
}
BENCHMARK(zstd_program)
    ->ArgNames({"threads", "level"})
    ->ArgsProduct({{1, 2}, {3}})
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);

/// Every piece of a pack, verified and decompressed, on one thread.
void read_pack(benchmark::State& state) {
  const std::filesystem::path file = file_named("read");
  std::filesystem::remove(file);
  {
    PieceSource source(true);
    const auto writer = PiecePackWriter::create(file);
    pack_chunks(source, ZstdCompressor(), {.num_workers = 2, .max_chunks_in_flight = 8},
                [&](const PackedChunk& chunk) { writer->append(chunk); });
    writer->finish();
  }
  const PiecePack pack_file = PiecePack::open(file);
  const double before = processor_ms();
  for (auto _ : state) {
    for (std::uint64_t key = 0; key < kPieces; ++key) {
      benchmark::DoNotOptimize(pack_file.read(key));
    }
  }
  report(state, std::filesystem::file_size(file), before);
  std::filesystem::remove(file);
}
BENCHMARK(read_pack)->UseRealTime()->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace furrow

BENCHMARK_MAIN();
