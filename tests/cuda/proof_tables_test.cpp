// SPDX-License-Identifier: Apache-2.0
// The proof-of-space kernels against the CPU's tables, table by table.

#include <algorithm>
#include <memory>

#include <gtest/gtest.h>

#include "host/pos/proof_table.hpp"
#include "tests/cuda/device_tables.hpp"

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
    cpu.push_back(make_proof_table(Network::kAbundance, K));
    cpu.back()->generate(seeds[i], &expected[i]);
  }
  device.make([&](unsigned table) {
    for (std::uint32_t i = 0; table < core::pos::kNumTables && i < n; ++i) {
      expect_same(expected[i].tables[table], readers[i].read(table, device.copy(i)), table);
    }
  });
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
#if defined(__SANITIZE_THREAD__)
  seeds.pop_back();  // it takes ten times as long, and knows no values
#endif
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

/// What lies in a bucket of a table: entries and links, in no order.
template <unsigned K>
std::vector<std::vector<std::uint32_t>> bucket_of(std::byte* memory, unsigned table,
                                                  std::uint32_t bucket) {
  const ProofTablesRef<K> tables(memory);
  std::vector<std::vector<std::uint32_t>> found;
  for (std::uint32_t slot = 0; slot < tables.bucket_sizes(table)[bucket]; ++slot) {
    const std::uint32_t index = bucket * kSlotsPerBucket + slot;
    const uint4& entry = tables.entries(table)[index].words;
    found.push_back({entry.x, entry.y, entry.z, entry.w});
    if (has_links(table)) {
      found.back().push_back(tables.links()[index]);
    }
  }
  std::sort(found.begin(), found.end());
  return found;
}

TEST(CudaProofTables, CountsEntriesThatFindTheirBucketFullInEveryLaterTable) {
  constexpr unsigned kK = 15;
  constexpr std::uint32_t kFull = 7;
  const RandomSeed seed;
  for (unsigned table = 2; table < core::pos::kNumTables; ++table) {
    SCOPED_TRACE("table " + std::to_string(table));
    DeviceTables<kK> device(1);
    device.set_seeds(random_seeds(1, seed.value()));
    device.make([](unsigned) {}, table);
    const auto neighbour = bucket_of<kK>(device.copy(0), table, kFull + 1);
    const std::uint32_t wanted = ProofTablesRef<kK>(device.copy(0)).bucket_sizes(table)[kFull];
    ASSERT_GT(wanted, 1U);

    const std::uint32_t almost_full = kSlotsPerBucket - 1;
    device.make(
        [&](unsigned made) {
          if (made + 1 == table) {
            check(cudaMemcpyAsync(device.batch().record(0).bucket_sizes(table) + kFull,
                                  &almost_full, sizeof(almost_full), cudaMemcpyHostToDevice,
                                  device.stream().get()));
          }
        },
        table);
    device.choose();
    EXPECT_EQ(device.status(0).n_overflows, wanted - 1);
    std::byte* const memory = device.copy(0);
    EXPECT_EQ(ProofTablesRef<kK>(memory).bucket_sizes(table)[kFull], almost_full + wanted);
    EXPECT_TRUE(bucket_of<kK>(memory, table, kFull + 1) == neighbour)
        << "written beyond the bucket";
  }
}

}  // namespace
}  // namespace furrow::cuda
