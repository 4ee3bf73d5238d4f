// The proof-of-space kernels against the CPU's tables, table by table.

#include <memory>
#include <random>

#include <gtest/gtest.h>

#include "cuda/proof_pipeline.cuh"
#include "host/pos/proof_table.hpp"
#include "tests/cuda/cuda_test.hpp"
#include "tests/cuda/table_dump.hpp"

namespace furrow::cuda {
namespace {

/// Collects every table that the CPU makes.
class Collector final : public TableObserver {
 public:
  void on_entries(unsigned table, std::size_t, std::span<const std::uint32_t> y,
                  std::span<const uint128> metadata,
                  std::span<const ParentPositions> parents) override {
    TableDump& dump = tables[table];
    dump.y.insert(dump.y.end(), y.begin(), y.end());
    dump.metadata.insert(dump.metadata.end(), metadata.begin(), metadata.end());
    dump.parents.insert(dump.parents.end(), parents.begin(), parents.end());
  }
  TableDump tables[core::pos::kNumTables + 1];
};

template <unsigned K>
class DeviceTables {
  using Tables = ProofTablesRef<K>;

 public:
  explicit DeviceTables(std::uint32_t n)
      : n_(n),
        stream_(0),
        d_memory_(stream_, n * Tables::bytes()),
        d_seeds_(stream_, n),
        d_found_(stream_, n * kNumSBuckets / 32),
        d_used_(stream_, n * kNumChunks),
        d_status_(stream_, n),
        memory_(n * Tables::bytes()) {}

  void set_seeds(const std::vector<PosSeed>& seeds) {
    check(cudaMemcpyAsync(d_seeds_.data(), seeds.data(), n_ * sizeof(PosSeed),
                          cudaMemcpyHostToDevice, stream_.view().get()));
  }

  [[nodiscard]] ProofTablesBatch<K> batch() const { return ProofTablesBatch<K>(d_memory_.data()); }
  [[nodiscard]] StreamView stream() const { return stream_.view(); }
  [[nodiscard]] const std::uint32_t* seeds() const {
    return reinterpret_cast<const std::uint32_t*>(d_seeds_.data());
  }

  /// Copy of the memory of record `index`.
  std::byte* copy(std::uint32_t index) {
    check(cudaMemcpyAsync(memory_.data(), d_memory_.data(), memory_.size(), cudaMemcpyDeviceToHost,
                          stream().get()));
    stream().synchronize();
    return memory_.data() + index * Tables::bytes();
  }

  void choose() {
    choose_all_proofs<K>(stream(), n_, batch(), d_found_.data(), d_used_.data(), d_status_.data());
  }
  FoundProofs found(std::uint32_t index) {
    FoundProofs result;
    check(cudaMemcpyAsync(
        result.data(), reinterpret_cast<std::uint8_t*>(d_found_.data()) + index * kFoundProofsSize,
        kFoundProofsSize, cudaMemcpyDeviceToHost, stream().get()));
    stream().synchronize();
    return result;
  }
  RecordStatus status(std::uint32_t index) {
    RecordStatus result;
    check(cudaMemcpyAsync(&result, d_status_.data() + index, sizeof(result), cudaMemcpyDeviceToHost,
                          stream().get()));
    stream().synchronize();
    return result;
  }

 private:
  std::uint32_t n_;
  Stream stream_;
  DeviceBuffer<std::byte> d_memory_;
  DeviceBuffer<PosSeed> d_seeds_;
  DeviceBuffer<std::uint32_t> d_found_;
  DeviceBuffer<std::uint16_t> d_used_;
  DeviceBuffer<RecordStatus> d_status_;
  std::vector<std::byte> memory_;
};

PosSeed random_seed(std::mt19937_64& random) {
  PosSeed seed;
  for (std::uint8_t& byte : seed.bytes) {
    byte = static_cast<std::uint8_t>(random());
  }
  return seed;
}

void expect_same(const TableDump& expected, const TableDump& actual, unsigned table) {
  SCOPED_TRACE("table " + std::to_string(table));
  EXPECT_EQ(expected.y, actual.y);
  EXPECT_TRUE(expected.metadata == actual.metadata);
  EXPECT_TRUE(expected.parents == actual.parents);
}

template <unsigned K, unsigned kTable>
void make_one(const DeviceTables<K>& device, std::uint32_t n) {
  constexpr std::uint32_t kRuns =
      (ProofTablesRef<K>::kNumPairs + MakeTableShape::kPairsPerBlock - 1) /
      MakeTableShape::kPairsPerBlock;
  launch(make_table<K, kTable>, {dim3(kRuns, n), dim3(MakeTableShape::kThreads)},
         device.stream().get(), device.batch());
}

/// Makes the tables of several seeds at once and compares each with the CPU's.
template <unsigned K>
void compare_tables(const std::vector<PosSeed>& seeds) {
  const auto n = static_cast<std::uint32_t>(seeds.size());
  DeviceTables<K> device(n);
  device.set_seeds(seeds);
  std::vector<Collector> expected(n);
  std::vector<TableReader<K>> readers(n);
  std::vector<std::unique_ptr<ProofTable>> cpu;
  for (std::uint32_t i = 0; i < n; ++i) {
    cpu.push_back(make_proof_table(K));
    cpu.back()->generate(seeds[i], &expected[i]);
  }
  const auto compare = [&](unsigned table) {
    for (std::uint32_t i = 0; i < n; ++i) {
      expect_same(expected[i].tables[table], readers[i].read(table, device.copy(i)), table);
    }
  };
  launch(clear_tables<K>, {dim3(ClearTablesShape::kBlocks, n), dim3(ClearTablesShape::kThreads)},
         device.stream().get(), device.batch());
  launch(fill_table1<K>,
         {dim3(core::pos::Params<K>::kTable1Entries / FillTable1Shape::kTile, n),
          dim3(FillTable1Shape::kThreads)},
         device.stream().get(), device.seeds(), device.batch());
  compare(1);
  make_one<K, 2>(device, n);
  compare(2);
  make_one<K, 3>(device, n);
  compare(3);
  make_one<K, 4>(device, n);
  compare(4);
  make_one<K, 5>(device, n);
  compare(5);
  make_one<K, 6>(device, n);
  compare(6);
  make_one<K, 7>(device, n);
  device.choose();
  for (std::uint32_t i = 0; i < n; ++i) {
    std::byte* memory = device.copy(i);
    const std::vector<ParentPositions> targets = readers[i].read_targets(memory);
    const std::span<const ParentPositions> wanted = cpu[i]->proof_targets();
    EXPECT_TRUE(std::equal(wanted.begin(), wanted.end(), targets.begin(), targets.end()));
    const TableCounters& counters = *ProofTablesRef<K>(memory).counters();
    for (unsigned table = 2; table <= core::pos::kNumTables; ++table) {
      EXPECT_EQ(expected[i].tables[table].y.size(), counters.matches[table]) << table;
    }
    EXPECT_EQ(device.found(i), cpu[i]->found_proofs());
    EXPECT_EQ(device.status(i).n_proofs, cpu[i]->num_proofs());
    EXPECT_EQ(device.status(i).n_overflows, 0U);
  }
}

std::vector<PosSeed> random_seeds(std::size_t n, std::uint64_t first) {
  std::mt19937_64 random(first);
  std::vector<PosSeed> seeds(n);
  for (PosSeed& seed : seeds) {
    seed = random_seed(random);
  }
  return seeds;
}

template <unsigned K>
void compare_random_seeds(std::size_t n) {
  const RandomSeed first;
  compare_tables<K>(random_seeds(n, first.value()));
}

TEST(CudaProofTables, EqualTheCpusForK15) {
  compare_random_seeds<15>(3);
}
TEST(CudaProofTables, EqualTheCpusForK16) {
  compare_random_seeds<16>(2);
}
TEST(CudaProofTables, EqualTheCpusForK17) {
  compare_random_seeds<17>(1);
}

TEST(CudaProofTables, DoNotDependOnTheSchedule) {
  const RandomSeed first;
  for_each_schedule([&] { compare_tables<15>(random_seeds(1, first.value())); });
}

TEST(CudaProofTables, EqualTheCpusForSeedsOfOneByteValue) {
  std::vector<PosSeed> seeds(2);
  seeds[1].bytes.fill(0xFF);
  compare_tables<15>(seeds);
}

/// A bucket without room: the entry is lost, which must be counted and reported.
TEST(CudaProofTables, CountsEntriesThatFindTheirBucketFull) {
  DeviceTables<15> device(1);
  device.set_seeds({PosSeed{}});
  launch(clear_tables<15>, {dim3(ClearTablesShape::kBlocks), dim3(ClearTablesShape::kThreads)},
         device.stream().get(), device.batch());
  const ProofTablesRef<15> tables = device.batch().record(0);
  const std::uint32_t almost_full = kSlotsPerBucket - 1;
  check(cudaMemcpyAsync(tables.bucket_sizes(1) + 7, &almost_full, sizeof(almost_full),
                        cudaMemcpyHostToDevice, device.stream().get()));
  launch(fill_table1<15>,
         {dim3(core::pos::Params<15>::kTable1Entries / FillTable1Shape::kTile),
          dim3(FillTable1Shape::kThreads)},
         device.stream().get(), device.seeds(), device.batch());
  device.choose();
  const ProofTablesRef<15> made(device.copy(0));
  const std::uint32_t wanted = made.bucket_sizes(1)[7];
  ASSERT_GT(wanted, kSlotsPerBucket);
  EXPECT_EQ(made.counters()->overflows, wanted - kSlotsPerBucket);
  EXPECT_EQ(device.status(0).n_overflows, wanted - kSlotsPerBucket);
  EXPECT_EQ(device.status(0).n_proofs, 0U);
}

}  // namespace
}  // namespace furrow::cuda
