// SPDX-License-Identifier: Apache-2.0
// Paging out and fetching: large objects, as metadata of sectors are, and small ones, over both
// backends. Run with --benchmark_repetitions=5 and quote medians; compare figures of one run only.
// RocksDB writes below the folder for temporary files, or below $TMPDIR.
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>

#include "host/store/paged_store/memory_backend.hpp"
#include "host/store/paged_store/object_reader.hpp"
#include "host/store/paged_store/object_writer.hpp"
#include "host/store/paged_store/paged_store.hpp"
#include "host/store/paged_store/rocksdb_backend.hpp"

namespace furrow {
namespace {

constexpr std::size_t kLargeSize = std::size_t{128} << 10;
constexpr std::size_t kSmallSize = 64;

/// An object that consists of its bytes.
struct Leaf {
  std::vector<std::uint8_t> bytes;
  void serialize(ObjectWriter& out) const { out.raw(bytes); }
  static std::shared_ptr<const Leaf> deserialize(ObjectReader& in) {
    const auto bytes = in.raw(in.remaining_bytes());
    return std::make_shared<const Leaf>(Leaf{{bytes.begin(), bytes.end()}});
  }
};

/// A list of leaves, such as the sectors of a farm.
struct List {
  std::vector<Paged<Leaf>> leaves;
  void serialize(ObjectWriter& out) const {
    out.u64(leaves.size());
    for (const Paged<Leaf>& leaf : leaves) {
      out.child(leaf);
    }
  }
  static std::shared_ptr<const List> deserialize(ObjectReader& in) {
    auto list = std::make_shared<List>();
    for (std::uint64_t n = in.u64(); n > 0; --n) {
      list->leaves.push_back(in.child<Leaf>());
    }
    return list;
  }
};

/// Contents that differ from those of every other number.
Paged<Leaf> leaf_number(std::uint64_t number, std::size_t size) {
  std::vector<std::uint8_t> bytes(size);
  for (std::size_t i = 0; i < size; ++i) {
    bytes[i] = static_cast<std::uint8_t>((number >> (8 * (i % 8))) + i % 251);
  }
  return Paged<Leaf>(std::make_shared<const Leaf>(Leaf{std::move(bytes)}));
}

enum Backend : std::int64_t { kMemory, kRocksDb };

/// A store in a folder of its own.
class BenchStore {
 public:
  explicit BenchStore(std::int64_t backend) {
    std::string name = (std::filesystem::temp_directory_path() / "furrow-bench-XXXXXX").native();
    if (::mkdtemp(name.data()) == nullptr) {
      throw std::runtime_error("mkdtemp " + name);
    }
    directory_ = name;
    std::unique_ptr<PagedBackend> tables = std::make_unique<MemoryBackend>();
    if (backend == kRocksDb) {
      tables = open_rocksdb_backend(directory_ / "db");
    }
    store_ = std::make_unique<PagedStore>(
        std::move(tables), SessionContext(),
        PagedStore::Options{.longer_values = LongerValues::kRefused, .in_background = false});
  }
  BenchStore(const BenchStore&) = delete;
  BenchStore& operator=(const BenchStore&) = delete;
  ~BenchStore() {
    store_.reset();
    std::error_code ignored;
    std::filesystem::remove_all(directory_, ignored);
  }
  PagedStore& operator*() { return *store_; }
  PagedStore* operator->() { return store_.get(); }

 private:
  std::filesystem::path directory_;
  std::unique_ptr<PagedStore> store_;
};

void set_rate(benchmark::State& state, std::size_t objects, std::size_t object_size) {
  const auto total = state.iterations() * static_cast<std::int64_t>(objects);
  state.SetItemsProcessed(total);
  state.SetBytesProcessed(total * static_cast<std::int64_t>(object_size));
}

/// One object after the other, each its own root, and a flush at the end. Objects are new.
void page_out(benchmark::State& state, std::size_t size, std::size_t count) {
  std::uint64_t number = 0;
  BenchStore store(state.range(0));
  for (auto _ : state) {
    state.PauseTiming();
    std::vector<Paged<Leaf>> leaves;
    for (std::size_t i = 0; i < count; ++i) {
      leaves.push_back(leaf_number(++number, size));
    }
    state.ResumeTiming();
    for (const Paged<Leaf>& leaf : leaves) {
      store->page_out(leaf);
    }
    store->flush();
  }
  set_rate(state, count, size);
}

/// The same objects as children of one root: one write.
void page_out_list(benchmark::State& state, std::size_t size, std::size_t count) {
  std::uint64_t number = 0;
  BenchStore store(state.range(0));
  for (auto _ : state) {
    state.PauseTiming();
    auto list = std::make_shared<List>();
    for (std::size_t i = 0; i < count; ++i) {
      list->leaves.push_back(leaf_number(++number, size));
    }
    const Paged<List> root{std::shared_ptr<const List>(std::move(list))};
    state.ResumeTiming();
    store->page_out(root);
    store->flush();
  }
  set_rate(state, count, size);
}

/// Objects that nobody holds, in the order of their making.
void fetch(benchmark::State& state, std::size_t size, std::size_t count) {
  BenchStore store(state.range(0));
  std::vector<Paged<Leaf>> leaves;
  for (std::size_t i = 0; i < count; ++i) {
    leaves.push_back(leaf_number(i, size));
    store->page_out(leaves.back());
  }
  for (auto _ : state) {
    for (const Paged<Leaf>& leaf : leaves) {
      benchmark::DoNotOptimize(store->load(leaf));
    }
  }
  set_rate(state, count, size);
}

/// An object that somebody holds: what the cache costs.
void load_live(benchmark::State& state) {
  BenchStore store(kMemory);
  const Paged<Leaf> leaf = leaf_number(1, kSmallSize);
  store->page_out(leaf);
  const auto held = store->load(leaf);
  for (auto _ : state) {
    benchmark::DoNotOptimize(store->load(leaf));
  }
  state.SetItemsProcessed(state.iterations());
}

BENCHMARK_CAPTURE(page_out, 128KiB, kLargeSize, 200)
    ->ArgName("rocksdb")
    ->Arg(kMemory)
    ->Arg(kRocksDb)
    ->Unit(benchmark::kMillisecond)
    ->Iterations(3);
BENCHMARK_CAPTURE(page_out, 64B, kSmallSize, 10'000)
    ->ArgName("rocksdb")
    ->Arg(kMemory)
    ->Arg(kRocksDb)
    ->Unit(benchmark::kMillisecond)
    ->Iterations(5);
BENCHMARK_CAPTURE(page_out_list, 128KiB, kLargeSize, 200)
    ->ArgName("rocksdb")
    ->Arg(kMemory)
    ->Arg(kRocksDb)
    ->Unit(benchmark::kMillisecond)
    ->Iterations(3);
BENCHMARK_CAPTURE(page_out_list, 64B, kSmallSize, 10'000)
    ->ArgName("rocksdb")
    ->Arg(kMemory)
    ->Arg(kRocksDb)
    ->Unit(benchmark::kMillisecond)
    ->Iterations(5);
BENCHMARK_CAPTURE(fetch, 128KiB, kLargeSize, 200)
    ->ArgName("rocksdb")
    ->Arg(kMemory)
    ->Arg(kRocksDb)
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(fetch, 64B, kSmallSize, 10'000)
    ->ArgName("rocksdb")
    ->Arg(kMemory)
    ->Arg(kRocksDb)
    ->Unit(benchmark::kMillisecond);
BENCHMARK(load_live);

}  // namespace
}  // namespace furrow

BENCHMARK_MAIN();
