// SPDX-License-Identifier: Apache-2.0
// How long copies hold an encoder up: the sum itself, and what the encoder measures.
#include "cuda/transfer_time.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <random>
#include <thread>

#include "cuda/runtime/device_clock.hpp"
#include "tests/cuda/encoder_fixture.hpp"

namespace furrow::cuda {
namespace {

using std::chrono::duration;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

TEST(TransferTime, CopiesBehindComputingCostNothing) {
  TransferTime time;
  time.copied({0, 2});    // nothing is computed before 2
  time.computed({2, 8});  // of which 3 to 4 and 7 to 8 hide copies
  time.copied({3, 4});
  time.copied({7, 9});
  time.copied({8.5, 9.5});  // two copies at once count once
  time.computed({12, 13});  // idle from 9.5 to 12
  time.close();
  EXPECT_DOUBLE_EQ(time.seconds(), 2 + 1.5);
}

TEST(TransferTime, ComputingThatMeetsLeavesNoGap) {
  TransferTime time;
  time.copied({0, 10});
  time.computed({0, 5});
  time.computed({5, 10});
  time.close();
  EXPECT_EQ(time.seconds(), 0.0);
}

TEST(TransferTime, WhatIsSettledIsCountedOnceAndWhatComesLaterAsFarAsItIsLater) {
  TransferTime time;
  time.copied({0, 4});
  time.settle(1);
  EXPECT_DOUBLE_EQ(time.seconds(), 1);
  time.computed({2, 3});
  time.settle(1);
  time.settle(3.5);
  EXPECT_DOUBLE_EQ(time.seconds(), 2.5);
  time.computed({0, 3.75});  // too late for what is settled
  time.close();
  EXPECT_DOUBLE_EQ(time.seconds(), 2.75);
  time.copied({0, 1});  // by another clock
  time.close();
  EXPECT_DOUBLE_EQ(time.seconds(), 3.75);
}

/// Against a count of small steps, settled at random moments as the encoder does: never beyond the
/// beginning of a span that is still to come.
TEST(TransferTime, IsTheCountOfMomentsWithCopiesAndWithoutComputing) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  constexpr std::size_t kMoments = 200;
  for (int round = 0; round < 200; ++round) {
    TransferTime time;
    std::array<bool, kMoments> copies{};
    std::array<bool, kMoments> computing{};
    std::size_t start = 0;
    while (start < kMoments) {
      const std::size_t end = std::min(kMoments, start + random() % 20);
      const bool is_copy = random() % 2 == 0;
      std::fill((is_copy ? copies : computing).begin() + static_cast<std::ptrdiff_t>(start),
                (is_copy ? copies : computing).begin() + static_cast<std::ptrdiff_t>(end), true);
      const TimeSpan span{static_cast<double>(start), static_cast<double>(end)};
      is_copy ? time.copied(span) : time.computed(span);
      start += random() % 6;
      if (random() % 3 == 0) {
        time.settle(static_cast<double>(start));
      }
    }
    time.close();
    std::size_t expected = 0;
    for (std::size_t i = 0; i < kMoments; ++i) {
      expected += copies[i] && !computing[i] ? 1 : 0;
    }
    EXPECT_EQ(time.seconds(), static_cast<double>(expected));
  }
}

/// The stand-in, with work of the stream that takes some time where it copies or computes.
class SlowPipeline final : public BatchPipeline {
 public:
  struct Delays {
    milliseconds upload{0};
    milliseconds compute{0};
    milliseconds download{0};
  };

  SlowPipeline(StreamView stream, std::size_t max_records, const Delays& delays)
      : stream_(stream), pipeline_(stream, max_records), delays_(delays), inner_(stream.device()) {}

  void enqueue(std::size_t n, const PosSeed* seeds, const Record* records_in, Record* records_out,
               FoundProofs* found_out, RecordStatus* status_out, const BatchMarks& marks) override {
    sleep(delays_.upload);
    marks.uploaded.record(stream_);
    sleep(delays_.compute);
    pipeline_.enqueue(n, seeds, records_in, records_out, found_out, status_out,
                      {.uploaded = inner_.uploaded, .computed = inner_.computed});
    marks.computed.record(stream_);
    sleep(delays_.download);
  }

 private:
  struct Marks {
    explicit Marks(int device)
        : uploaded(device, EventKind::kTiming), computed(device, EventKind::kTiming) {}
    Event uploaded;
    Event computed;
  };

  void sleep(milliseconds& time) const {
    check(cudaLaunchHostFunc(
        stream_.get(),
        [](void* delay) { std::this_thread::sleep_for(*static_cast<milliseconds*>(delay)); },
        &time));
  }

  StreamView stream_;
  FakePipeline pipeline_;
  Delays delays_;
  Marks inner_;
};

class CudaTransferTime : public CudaEncoderTest {
 protected:
  void SetUp() override {
    CudaEncoderTest::SetUp();
    simt::FakeCuda::set_stream_order(std::nullopt);  // one batch after the other
  }
  struct Times {
    double transfer;
    double elapsed;
  };

  /// Of four batches of two records. The harness carries out one batch after the other, so no copy
  /// hides.
  Times measure(const SlowPipeline::Delays& delays) {
    BatchPipelines pipelines = fake_pipelines();
    pipelines.make = [&](StreamView stream, std::size_t max_records) {
      return std::make_unique<SlowPipeline>(stream, max_records, delays);
    };
    CudaRecordsEncoder encoder({.lanes = 2, .batch = 2, .fallback = fake_encode_on_cpu}, pipelines);
    EXPECT_EQ(encoder.transfer_time().count(), 0.0);
    FakeCudaSector sector(8, seed_);
    const auto start = steady_clock::now();
    EXPECT_EQ(encode(encoder, sector), EncodeOutcome::kComplete);
    const double elapsed = duration<double>(steady_clock::now() - start).count();
    EXPECT_TRUE(sector.is_encoded());
    return {encoder.transfer_time().count(), elapsed};
  }
};

// What events tell is a float in milliseconds: exact to some nanoseconds here.
constexpr double kExact = 1e-5;

TEST_F(CudaTransferTime, CopiesInBothDirectionsCount) {
  const Times up = measure({.upload = milliseconds(20)});
  EXPECT_GE(up.transfer, 4 * 0.020 - kExact);
  EXPECT_LE(up.transfer, up.elapsed + kExact);
  const Times down = measure({.download = milliseconds(20)});
  EXPECT_GE(down.transfer, 4 * 0.020 - kExact);
  EXPECT_LE(down.transfer, down.elapsed + kExact);
}

TEST_F(CudaTransferTime, ComputingDoesNotCount) {
  const Times times = measure({.compute = milliseconds(20)});
  EXPECT_GT(times.transfer, 0.0) << "copies into and out of the staging memory";
  EXPECT_LE(times.transfer, times.elapsed - 4 * 0.020 + kExact);
}

TEST_F(CudaTransferTime, GrowsWithEachSector) {
  const auto encoder = fake_cuda_encoder({.lanes = 2, .batch = 2});
  FakeCudaSector sector(2, seed_);
  double last = 0;
  for (int i = 0; i < 3; ++i) {
    const auto start = steady_clock::now();
    ASSERT_EQ(encode(*encoder, sector), EncodeOutcome::kComplete);
    const double elapsed = duration<double>(steady_clock::now() - start).count();
    const double now = encoder->transfer_time().count();
    EXPECT_GT(now, last);
    EXPECT_LE(now, last + elapsed + kExact);
    last = now;
  }
}

TEST_F(CudaTransferTime, OfWorkThatFailedIsKept) {
  const auto encoder = fake_cuda_encoder({.lanes = 1, .batch = 1});
  FakeCudaSector sector(6, seed_);
  simt::FakeCuda::plant({.api = "cudaEventElapsedTime", .nth = 9, .status = cudaErrorInvalidValue});
  EncodingJob job = sector.job();
  EXPECT_THROW(encoder->encode(job, {}), DeviceLost);
  EXPECT_GT(encoder->transfer_time().count(), 0.0);
  EXPECT_TRUE(sector.is_encoded_or_unchanged());
}

}  // namespace
}  // namespace furrow::cuda
