// SPDX-License-Identifier: Apache-2.0
// Every call of CUDA that enqueues or waits may fail, and no failure goes unnoticed.

#include <memory>
#include <vector>

#include <gtest/gtest.h>

#include "cuda/erasure.hpp"
#include "cuda/record_pipeline.cuh"
#include "tests/cuda/cuda_test.hpp"

namespace furrow::cuda {
namespace {

using simt::FakeCuda;

class CudaEachCall : public testing::Test {
 protected:
  void SetUp() override {
    FakeCuda::reset();
    FakeCuda::misbehave(0, simt::Misbehavior::kIdles);  // what it would compute does not matter
  }
  void TearDown() override { FakeCuda::reset(); }

  /// Fails the calls that `work` makes one at a time; returns how many there are.
  std::uint64_t expect_each_matters(const StreamView stream, const std::function<void()>& work) {
    const std::uint64_t before = FakeCuda::n_calls("*");
    work();
    const std::uint64_t n_calls = FakeCuda::n_calls("*") - before;
    for (std::uint64_t nth = 1; nth <= n_calls; ++nth) {
      stream.synchronize();
      FakeCuda::plant({.api = "*", .nth = nth, .status = cudaErrorInvalidValue});
      EXPECT_THROW(work(), CudaError) << "call " << nth << " of " << n_calls;
    }
    stream.synchronize();
    return n_calls;
  }
};

TEST_F(CudaEachCall, OfABatchOfRecords) {
  constexpr std::size_t kRecords = 2;
  const std::vector<PosSeed> seeds(kRecords);
  const auto records = std::make_unique<Record[]>(kRecords);
  std::vector<FoundProofs> found(kRecords);
  std::vector<RecordStatus> status(kRecords);
  const Stream stream(0);
  Event uploaded(0, EventKind::kTiming);
  Event computed(0, EventKind::kTiming);
  const BatchMarks marks{.uploaded = uploaded, .computed = computed};
  RecordPipelineOf<kTrialK> pipeline(stream, kRecords);
  // Two copies, a mark, 8 launches for the tables, 1 for the proofs, 6 for the parity, 1 for the chunks, a
  // mark, three copies.
  EXPECT_EQ(expect_each_matters(stream,
                                [&] {
                                  pipeline.enqueue(kRecords, seeds.data(), records.get(),
                                                   records.get(), found.data(), status.data(),
                                                   &marks);
                                }),
            2U + 1 + 8 + 1 + 6 + 1 + 1 + 3);
  EXPECT_EQ(expect_each_matters(stream, [&] { pipeline.forget_results(); }), 3U);
}

TEST_F(CudaEachCall, OfWaitsAndMarks) {
  const Stream stream(0);
  Event start(0, EventKind::kTiming);
  Event end(0, EventKind::kTiming);
  EXPECT_EQ(expect_each_matters(stream,
                                [&] {
                                  start.record(stream);
                                  end.record(stream);
                                  end.synchronize();
                                  static_cast<void>(end.is_reached());
                                  static_cast<void>(milliseconds_between(start, end));
                                  stream.view().synchronize();
                                }),
            6U);
}

}  // namespace
}  // namespace furrow::cuda
