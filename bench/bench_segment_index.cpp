// SPDX-License-Identifier: Apache-2.0
// Lookups in the age-tiered index against RocksDB: the same ten million entries (keys random, 36
// bytes), each in one run, filters of 12 bits an entry in both, everything in the page cache or the
// block cache. FURROW_BENCH_ENTRIES changes the number of entries, FURROW_BENCH_DIRECTORY the
// place. Run with --benchmark_repetitions=5 and quote medians; compare figures of one run only.
#include <array>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>
#include <rocksdb/cache.h>
#include <rocksdb/db.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/table.h>

#include "furrow/core/bits.hpp"

#include "host/store/segment_index/age_tiered_index.hpp"

namespace furrow {
namespace {

constexpr std::size_t kBatch = 10'000;
constexpr std::size_t kAppended = 100'000;
/// Keys asked for in turn; more than any cache of the processor holds answers for.
constexpr std::size_t kQueries = 1'000'000;

std::uint64_t entry_count() {
  const char* text = std::getenv("FURROW_BENCH_ENTRIES");
  return text != nullptr ? std::stoull(text) : 10'000'000;
}

/// Key number i: random bytes that can be made again. Present keys are even, absent ones odd.
IndexKey key_number(std::uint64_t i) {
  IndexKey key;
  std::uint64_t state = i * 0x9E3779B97F4A7C15U + 1;
  for (std::size_t at = 0; at < IndexKey::size(); at += 4) {
    state ^= state >> 31;
    state *= 0xD6E8FEB86659FD93U;
    core::store_le32(key.data() + at, static_cast<std::uint32_t>(state >> 32));
  }
  return key;
}

std::vector<IndexKey> queries(bool are_present) {
  std::mt19937_64 random(are_present ? 1 : 2);
  std::vector<IndexKey> keys;
  keys.reserve(kQueries);
  for (std::size_t i = 0; i < kQueries; ++i) {
    keys.push_back(key_number(2 * (random() % entry_count()) + (are_present ? 0 : 1)));
  }
  return keys;
}

rocksdb::Slice slice_of(const IndexKey& key) {
  return {reinterpret_cast<const char*>(key.data()), IndexKey::size()};
}

void check(const rocksdb::Status& status) {
  if (!status.ok()) {
    throw std::runtime_error(status.ToString());
  }
}

/// Both stores with the same entries, made once.
class Stores {
 public:
  static Stores& get() {
    static Stores stores;
    return stores;
  }
  Stores(const Stores&) = delete;
  Stores& operator=(const Stores&) = delete;
  ~Stores() {
    index_.reset();
    rocks_.reset();
    std::error_code ignored;
    std::filesystem::remove_all(directory_, ignored);
  }

  AgeTieredIndex& index() { return *index_; }
  rocksdb::DB& rocks() { return *rocks_; }
  /// The one segment that compact_all leaves.
  [[nodiscard]] std::filesystem::path segment_path() const {
    for (const auto& entry : std::filesystem::directory_iterator(directory_ / "index")) {
      if (entry.path().extension() == ".bin") {
        return entry.path();
      }
    }
    throw std::runtime_error("no segment in " + directory_.native());
  }
  const std::vector<IndexKey>& present() const { return present_; }
  const std::vector<IndexKey>& absent() const { return absent_; }

 private:
  Stores() {
    const char* place = std::getenv("FURROW_BENCH_DIRECTORY");
    std::string name =
        (std::filesystem::path(place != nullptr ? place : "/tmp") / "furrow-bench-XXXXXX").native();
    if (::mkdtemp(name.data()) == nullptr) {
      throw std::runtime_error("mkdtemp " + name);
    }
    directory_ = name;
    index_ = AgeTieredIndex::open(directory_ / "index");

    rocksdb::BlockBasedTableOptions table;
    table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(12, false));
    table.block_cache = rocksdb::NewLRUCache(std::size_t{4} << 30);
    rocksdb::Options options;
    options.create_if_missing = true;
    options.compression = rocksdb::kNoCompression;
    options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
    options.target_file_size_base = std::uint64_t{1} << 40;  // one run, one file
    options.max_open_files = -1;
    rocksdb::DB* db = nullptr;
    check(rocksdb::DB::Open(options, (directory_ / "rocks").native(), &db));
    rocks_.reset(db);

    rocksdb::WriteOptions write;
    write.disableWAL = true;
    std::vector<IndexEntry> batch;
    for (std::uint64_t i = 0; i < entry_count(); ++i) {
      const auto height = static_cast<std::int32_t>(i / kAppended);
      batch.push_back({key_number(2 * i), height, i, EntryKind::kAdd});
      std::array<char, 12> value;
      core::store_le64(reinterpret_cast<std::uint8_t*>(value.data()), i);
      core::store_le32(reinterpret_cast<std::uint8_t*>(value.data()) + 8,
                       static_cast<std::uint32_t>(height));
      check(rocks_->Put(write, slice_of(batch.back().key), {value.data(), value.size()}));
      if (batch.size() == kAppended || i + 1 == entry_count()) {
        index_->append(batch);
        batch.clear();
      }
    }
    index_->flush();
    index_->compact_all();
    check(rocks_->Flush({}));
    check(rocks_->CompactRange({}, nullptr, nullptr));
    present_ = queries(true);
    absent_ = queries(false);
    // Once through everything, so that the caches hold it.
    const std::unique_ptr<rocksdb::Iterator> all(rocks_->NewIterator({}));
    for (all->SeekToFirst(); all->Valid(); all->Next()) {
    }
  }

  std::filesystem::path directory_;
  std::unique_ptr<AgeTieredIndex> index_;
  std::unique_ptr<rocksdb::DB> rocks_;
  std::vector<IndexKey> present_;
  std::vector<IndexKey> absent_;
};

const std::vector<IndexKey>& keys_for(bool are_present) {
  return are_present ? Stores::get().present() : Stores::get().absent();
}

void index_lookup(benchmark::State& state, bool are_present) {
  const std::vector<IndexKey>& keys = keys_for(are_present);
  AgeTieredIndex& index = Stores::get().index();
  std::size_t i = 0;
  for (auto _ : state) {
    if (index.lookup(keys[i]).has_value() != are_present) {
      state.SkipWithError("wrong answer");
    }
    i = i + 1 == keys.size() ? 0 : i + 1;
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK_CAPTURE(index_lookup, hit, true);
BENCHMARK_CAPTURE(index_lookup, miss, false);

void rocksdb_get(benchmark::State& state, bool are_present) {
  const std::vector<IndexKey>& keys = keys_for(are_present);
  rocksdb::DB& db = Stores::get().rocks();
  rocksdb::ColumnFamilyHandle* family = db.DefaultColumnFamily();
  rocksdb::PinnableSlice value;
  std::size_t i = 0;
  for (auto _ : state) {
    value.Reset();
    if (db.Get({}, family, slice_of(keys[i]), &value).ok() != are_present) {
      state.SkipWithError("wrong answer");
    }
    i = i + 1 == keys.size() ? 0 : i + 1;
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK_CAPTURE(rocksdb_get, hit, true);
BENCHMARK_CAPTURE(rocksdb_get, miss, false);

void index_batch(benchmark::State& state, bool are_present) {
  const std::span<const IndexKey> keys = keys_for(are_present);
  AgeTieredIndex& index = Stores::get().index();
  std::vector<EntryId> ids(kBatch);
  std::size_t at = 0;
  for (auto _ : state) {
    std::fill(ids.begin(), ids.end(), kUnresolvedId);
    index.batch_lookup(keys.subspan(at, kBatch), ids);
    if ((ids.front() != kUnresolvedId) != are_present) {
      state.SkipWithError("wrong answer");
    }
    at = (at + kBatch) % kQueries;
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(kBatch));
}
BENCHMARK_CAPTURE(index_batch, hit, true)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(index_batch, miss, false)->Unit(benchmark::kMillisecond);

void rocksdb_multi_get(benchmark::State& state, bool are_present) {
  const std::vector<IndexKey>& keys = keys_for(are_present);
  rocksdb::DB& db = Stores::get().rocks();
  std::vector<rocksdb::Slice> slices(kBatch);
  std::vector<rocksdb::PinnableSlice> values(kBatch);
  std::vector<rocksdb::Status> statuses(kBatch);
  std::size_t at = 0;
  for (auto _ : state) {
    for (std::size_t i = 0; i < kBatch; ++i) {
      slices[i] = slice_of(keys[at + i]);
      values[i].Reset();
    }
    db.MultiGet({}, db.DefaultColumnFamily(), kBatch, slices.data(), values.data(),
                statuses.data());
    if (statuses.front().ok() != are_present) {
      state.SkipWithError("wrong answer");
    }
    at = (at + kBatch) % kQueries;
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(kBatch));
}
BENCHMARK_CAPTURE(rocksdb_multi_get, hit, true)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(rocksdb_multi_get, miss, false)->Unit(benchmark::kMillisecond);

/// Not a time: bytes in memory for each entry, filter and index blocks for RocksDB.
void memory_per_entry(benchmark::State& state) {
  Stores& stores = Stores::get();
  std::uint64_t rocks = 0;
  stores.rocks().GetIntProperty(rocksdb::DB::Properties::kEstimateTableReadersMem, &rocks);
  for (auto _ : state) {
    benchmark::DoNotOptimize(rocks);
  }
  const auto n = static_cast<double>(entry_count());
  state.counters["index_bytes"] = static_cast<double>(stores.index().status().memory_bytes) / n;
  state.counters["rocksdb_bytes"] = static_cast<double>(rocks) / n;
  state.counters["segments"] = static_cast<double>(stores.index().status().segments);
}
BENCHMARK(memory_per_entry)->Iterations(1);

/// Opening verifies everything and makes filter and directory again.
void index_open(benchmark::State& state) {
  for (auto _ : state) {
    benchmark::DoNotOptimize(DiskSegment::open(Stores::get().segment_path()));
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(entry_count()));
}
BENCHMARK(index_open)->Unit(benchmark::kMillisecond)->Iterations(1);

}  // namespace
}  // namespace furrow

BENCHMARK_MAIN();
