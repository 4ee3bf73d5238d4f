// SPDX-License-Identifier: Apache-2.0
// The proof-of-space kernels one by one, so that a test can look at each table before it is
// overwritten.
#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "cuda/proof_pipeline.cuh"
#include "tests/cuda/cuda_test.hpp"
#include "tests/cuda/table_dump.hpp"

namespace furrow::cuda {

/// Memory, seeds and results of `n` records.
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
    stream_.view().synchronize();  // the seeds are the caller's
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

  /// Makes tables 1 to `last` and calls `after_table` with the number of each while it still stands.
  template <class AfterTable>
  void make(const AfterTable& after_table, unsigned last = core::pos::kNumTables) {
    launch(clear_tables<K>, {dim3(ClearTablesShape::kBlocks, n_), dim3(ClearTablesShape::kThreads)},
           stream().get(), batch());
    launch(fill_table1<K>,
           {dim3(core::pos::Params<K>::kTable1Entries / FillTable1Shape::kTile, n_),
            dim3(FillTable1Shape::kThreads)},
           stream().get(), seeds(), batch());
    after_table(1U);
    make_one<2>(after_table, last);
    make_one<3>(after_table, last);
    make_one<4>(after_table, last);
    make_one<5>(after_table, last);
    make_one<6>(after_table, last);
    make_one<7>(after_table, last);
  }

  void choose() {
    choose_all_proofs<K>(stream(), n_, batch(), d_found_.data(), d_used_.data(), d_status_.data());
  }
  [[nodiscard]] const std::uint16_t* used() const { return d_used_.data(); }
  [[nodiscard]] const RecordStatus* d_status() const { return d_status_.data(); }

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
  template <unsigned kTable, class AfterTable>
  void make_one(const AfterTable& after_table, unsigned last) {
    if (kTable > last) {
      return;
    }
    constexpr std::uint32_t kRuns =
        (Tables::kNumPairs + MakeTableShape::kPairsPerBlock - 1) / MakeTableShape::kPairsPerBlock;
    launch(make_table<K, kTable>, {dim3(kRuns, n_), dim3(MakeTableShape::kThreads)}, stream().get(),
           batch());
    after_table(kTable);
  }

  std::uint32_t n_;
  Stream stream_;
  DeviceBuffer<std::byte> d_memory_;
  DeviceBuffer<PosSeed> d_seeds_;
  DeviceBuffer<std::uint32_t> d_found_;
  DeviceBuffer<std::uint16_t> d_used_;
  DeviceBuffer<RecordStatus> d_status_;
  std::vector<std::byte> memory_;
};

inline std::vector<PosSeed> random_seeds(std::size_t n, std::uint64_t first) {
  std::mt19937_64 random(first);
  std::vector<PosSeed> seeds(n);
  for (PosSeed& seed : seeds) {
    for (std::uint8_t& byte : seed.bytes) {
      byte = static_cast<std::uint8_t>(random());
    }
  }
  return seeds;
}

inline void expect_same(const TableDump& expected, const TableDump& actual, unsigned table) {
  SCOPED_TRACE("table " + std::to_string(table));
  EXPECT_EQ(expected.y, actual.y);
  EXPECT_TRUE(expected.metadata == actual.metadata);
  EXPECT_TRUE(expected.parents == actual.parents);
}

}  // namespace furrow::cuda
