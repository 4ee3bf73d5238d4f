// SPDX-License-Identifier: Apache-2.0
// The last record of the largest batch, and records further apart than 32 bits reach: memory that nobody
// touches costs nothing on the harness, and neither do blocks that are left out. And grids that have to be
// cut to what CUDA allows.

#include <algorithm>
#include <cstring>
#include <memory>
#include <stdexcept>
#include <string>

#include <gtest/gtest.h>
#include <sys/mman.h>

#include "furrow/types.hpp"

#include "cuda/erasure.hpp"
#include "cuda/kernels/encode_chunks.cuh"
#include "cuda/proof_pipeline.cuh"
#include "simt/grid.hpp"
#include "tests/cuda/cuda_test.hpp"

namespace furrow::cuda {
namespace {

using simt::FakeCuda;

constexpr std::uint32_t kMost = 65535;  // records of a batch

/// An array of which only the parts that are touched exist; all zeros.
template <class T>
class Sparse {
 public:
  explicit Sparse(std::size_t size)
      : n_bytes_(size * sizeof(T)),
        data_(mmap(nullptr, n_bytes_, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)) {
    if (data_ == MAP_FAILED) {
      throw std::runtime_error("no " + std::to_string(n_bytes_) + " bytes of address space");
    }
  }
  Sparse(const Sparse&) = delete;
  Sparse& operator=(const Sparse&) = delete;
  ~Sparse() { munmap(data_, n_bytes_); }
  [[nodiscard]] T* data() const { return static_cast<T*>(data_); }

 private:
  std::size_t n_bytes_;
  void* data_;
};

/// The largest batch for a small K, of which single records are made.
class LargestBatch {
 public:
  static constexpr unsigned kK = 16;  // the least that gives proofs of parity chunks, too
  using Tables = ProofTablesRef<kK>;

  /// Everything that is done for a record of a batch, for this one alone.
  void make(std::uint32_t record, const PosSeed& seed, const Record& source) {
    seeds_.data()[record] = seed;
    source_.data()[record] = source;
    const auto* const seeds = reinterpret_cast<const std::uint32_t*>(seeds_.data());
    {
      const simt::ScopedBlocks of_record({.first = {0, record, 0}, .end = {~0U, record + 1, ~0U}});
      make_proof_tables<kK>(stream_, kMost, seeds, batch());
      extend_records(stream_, erasure_,
                     {.n_records = kMost,
                      .d_source = reinterpret_cast<const std::uint8_t*>(source_.data()),
                      .d_parity = reinterpret_cast<std::uint8_t*>(parity_.data())});
      choose_all_proofs<kK>(stream_, kMost, batch(),
                            reinterpret_cast<std::uint32_t*>(found_.data()), used_.data(),
                            status_.data());
    }
    stream_.view().synchronize();
    n_proofs_ = status_.data()[record].n_proofs;
    pretend_enough_proofs(record);
    const simt::ScopedBlocks of_record({.first = {0, record, 0}, .end = {~0U, record + 1, ~0U}});
    launch(
        encode_chunks<kK>,
        {dim3(kNumChunks / EncodeChunksShape::kProofs, kMost), dim3(EncodeChunksShape::kThreads)},
        stream_.view().get(), batch(), used_.data(), status_.data(),
        reinterpret_cast<const uint4*>(source_.data()),
        reinterpret_cast<const uint4*>(parity_.data()), reinterpret_cast<uint4*>(encoded_.data()));
    stream_.view().synchronize();
  }

  [[nodiscard]] std::uint32_t n_proofs() const { return n_proofs_; }
  void expect_same(std::uint32_t a, std::uint32_t b) const {
    EXPECT_EQ(std::memcmp(tables_.data() + a * Tables::bytes(),
                          tables_.data() + b * Tables::bytes(), Tables::bytes()),
              0);
    EXPECT_EQ(found_.data()[a], found_.data()[b]);
    EXPECT_TRUE(parity_.data()[a] == parity_.data()[b]);
    EXPECT_TRUE(encoded_.data()[a] == encoded_.data()[b]);
  }
  [[nodiscard]] const Record& encoded(std::uint32_t record) const {
    return encoded_.data()[record];
  }

 private:
  [[nodiscard]] ProofTablesBatch<kK> batch() const { return ProofTablesBatch<kK>(tables_.data()); }

  /// A K this small does not always give 32768 of them, so some are used again.
  void pretend_enough_proofs(std::uint32_t record) {
    std::uint16_t* const used = used_.data() + record * kNumChunks;
    for (std::size_t i = n_proofs_; i < kNumChunks; ++i) {
      used[i] = used[i - n_proofs_];
    }
    status_.data()[record].n_proofs = kNumChunks;
  }

  Stream stream_{0};
  ErasureTable erasure_{stream_};
  Sparse<std::byte> tables_{kMost * Tables::bytes()};
  Sparse<PosSeed> seeds_{kMost};
  Sparse<Record> source_{kMost};
  Sparse<Record> parity_{kMost};
  Sparse<Record> encoded_{kMost};
  Sparse<FoundProofs> found_{kMost};
  Sparse<std::uint16_t> used_{kMost * kNumChunks};
  Sparse<RecordStatus> status_{kMost};
  std::uint32_t n_proofs_ = 0;
};

TEST(CudaFarRecords, TheLastOfTheLargestBatchIsMadeLikeTheFirst) {
  const RandomSeed random;
  PosSeed seed;
  const auto seed_bytes = random_bytes(kPosSeedSize, random.value());
  std::copy(seed_bytes.begin(), seed_bytes.end(), seed.bytes.begin());
  const auto source = std::make_unique<Record>();
  const auto record_bytes = random_bytes(kRecordSize, random.value() + 1);
  std::memcpy(source.get(), record_bytes.data(), kRecordSize);

  LargestBatch batch;
  batch.make(0, seed, *source);
  EXPECT_GT(batch.n_proofs(), 10'000U);
  EXPECT_FALSE(batch.encoded(0) == *source);
  batch.make(kMost - 1, seed, *source);
  batch.expect_same(0, kMost - 1);
}

TEST(CudaFarRecords, RecordsToExtendMayBeFurtherApartThan32BitsReach) {
  constexpr unsigned kLogChunks = 5;
  constexpr std::size_t kBytes = kChunkSize << kLogChunks;
  constexpr std::uint64_t kStride = (std::uint64_t{17} << 30) + kChunkSize;
  const RandomSeed seed;
  const Sparse<std::uint8_t> source(2 * kStride + kBytes);
  const Sparse<std::uint8_t> parity(2 * kStride + kBytes);
  const auto bytes = random_bytes(kBytes, seed.value());
  for (const std::size_t record : {0U, 1U, 2U}) {
    std::copy(bytes.begin(), bytes.end(), source.data() + record * kStride);
  }
  const Stream stream(0);
  const ErasureTable table(stream);
  extend_records(stream, table,
                 {.n_records = 3,
                  .d_source = source.data(),
                  .d_parity = parity.data(),
                  .source_stride = kStride,
                  .parity_stride = kStride,
                  .log_chunks = kLogChunks});
  stream.view().synchronize();
  EXPECT_NE(std::count(parity.data(), parity.data() + kBytes, 0),
            static_cast<std::ptrdiff_t>(kBytes));
  for (const std::size_t record : {1U, 2U}) {
    EXPECT_EQ(std::memcmp(parity.data(), parity.data() + record * kStride, kBytes), 0) << record;
  }
}

/// A device that carries nothing out: what is launched must have a shape that CUDA takes.
class CudaLargestGrids : public testing::Test {
 protected:
  void SetUp() override {
    FakeCuda::reset();
    FakeCuda::misbehave(0, simt::Misbehavior::kIdles);
  }
  void TearDown() override { FakeCuda::reset(); }
};

TEST_F(CudaLargestGrids, OfMoreRecordsThanAGridHasRows) {
  const Stream stream(0);
  const ErasureTable table(stream);
  std::uint32_t words[2] = {};  // nobody looks at them
  for (const std::size_t n : {std::size_t{65535}, std::size_t{65536}, std::size_t{0xFFFFFFFF}}) {
    EXPECT_NO_THROW(extend_records(stream, table,
                                   {.n_records = n,
                                    .d_source = reinterpret_cast<const std::uint8_t*>(&words[0]),
                                    .d_parity = reinterpret_cast<std::uint8_t*>(&words[1])}))
        << n;
  }
  EXPECT_EQ(FakeCuda::n_calls("cudaLaunchKernel"), 3U * 5U);
}

}  // namespace
}  // namespace furrow::cuda
