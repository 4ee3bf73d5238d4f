// SPDX-License-Identifier: Apache-2.0
// CudaRecordsEncoder when CUDA fails: memory that runs short, launches that are refused, errors
// that stick, devices that vanish. Whatever happens, no record is lost and no byte is wrong.
#include <chrono>
#include <thread>

#include "host/plotting/encoder_pool.hpp"
#include "tests/cuda/encoder_fixture.hpp"

namespace furrow::cuda {
namespace {

using simt::FakeCuda;

/// "cpu", as far as the stand-in goes.
class FakeCpuEncoder final : public RecordsEncoder {
 public:
  EncodeOutcome encode(EncodingJob& job, std::stop_token) override {
    for (Claim claim(job, 1); !claim.empty(); claim = Claim(job, 1)) {
      const PieceOffset offset = claim.pending().front();
      fake_encode_on_cpu(job.network(), job.sector_id(), offset, job.record(offset),
                         job.found_proofs(offset), {});
      claim.done(offset);
    }
    return EncodeOutcome::kComplete;
  }
  [[nodiscard]] std::string name() const override { return "fake cpu"; }
};

class CudaEncoderFaults : public CudaEncoderTest {
 protected:
  /// A pool of CUDA encoders on devices 0 to n - 1, with a CPU to fall back to.
  EncoderPool pool(int n) {
    EncoderPool::Options options{
        .make_fallback = [] { return std::make_unique<FakeCpuEncoder>(); },
        .on_warning = [this](const std::string& line) { pool_warnings_.push_back(line); }};
    for (int device = 0; device < n; ++device) {
      options.encoders.push_back(fake_cuda_encoder({.device = device, .lanes = 2, .batch = 2}));
    }
    return EncoderPool(std::move(options));
  }
  [[nodiscard]] bool was_warned(const std::string& text) const {
    for (const std::string& line : pool_warnings_) {
      if (line.find(text) != std::string::npos) {
        return true;
      }
    }
    return false;
  }

  std::vector<std::string> pool_warnings_;
};

TEST_F(CudaEncoderFaults, EachAllocationMayFailWhileItIsMade) {
  std::uint64_t n_allocations = 0;
  for (std::uint64_t nth = 1; nth == 1 || nth <= n_allocations; ++nth) {
    SCOPED_TRACE("cudaMallocAsync number " + std::to_string(nth));
    FakeCuda::reset();
    {
      const auto untroubled = fake_cuda_encoder({.batch = 4});
      n_allocations = FakeCuda::n_calls("cudaMallocAsync");
    }
    FakeCuda::reset();
    FakeCuda::plant({.api = "cudaMallocAsync", .nth = nth, .status = cudaErrorMemoryAllocation});
    const auto encoder = fake_cuda_encoder({.batch = 4});
    EXPECT_EQ(encoder->state().lanes, 3U);
    EXPECT_EQ(encoder->state().batch, 2U) << "half of what failed";
    FakeCudaSector sector(9, seed_);
    ASSERT_EQ(encode(*encoder, sector), EncodeOutcome::kComplete);
    EXPECT_TRUE(sector.is_encoded());
  }
  EXPECT_GE(n_allocations, 12U);
  expect_all_released();
}

TEST_F(CudaEncoderFaults, WhenAllAllocationsFailThereIsNoEncoder) {
  FakeCuda::plant({.api = "cudaMallocAsync", .status = cudaErrorMemoryAllocation, .n_calls = 1000});
  EXPECT_THROW(fake_cuda_encoder(), CudaOutOfMemory);
  expect_all_released();
}

TEST_F(CudaEncoderFaults, WithoutPinnedMemoryItCopiesThroughOrdinaryMemoryAndSaysSoOnce) {
  for (const cudaError_t status : {cudaErrorMemoryAllocation, cudaErrorInvalidValue}) {
    SCOPED_TRACE(cudaGetErrorName(status));
    const std::size_t n_warnings = log_.warnings().size();
    FakeCuda::plant({.api = "cudaHostAlloc", .status = status, .n_calls = 1000});
    const auto encoder = fake_cuda_encoder({.batch = 4});
    EXPECT_EQ(encoder->state().lanes, 3U);
    EXPECT_EQ(encoder->state().batch, 4U);
    EXPECT_EQ(encoder->state().pinned_bytes, 0U);
    EXPECT_EQ(FakeCuda::live().host_bytes, 0U);
    // Memory that runs short later makes other lanes, which get no pinned memory either.
    FakeCuda::plant({.api = "cudaLaunchKernel", .nth = 3, .status = cudaErrorMemoryAllocation});
    FakeCudaSector sector(30, seed_);
    ASSERT_EQ(encode(*encoder, sector), EncodeOutcome::kComplete);
    EXPECT_TRUE(sector.is_encoded());
    EXPECT_EQ(encoder->state().batch, 2U);
    ASSERT_EQ(log_.warnings().size(), n_warnings + 2);
    EXPECT_EQ(log_.warnings()[n_warnings].find(
                  "cuda 0 (Furrow SIMT harness) copies through ordinary memory, which is slower: "
                  "cudaHostAlloc failed at "),
              0U)
        << log_.warnings()[n_warnings];
    EXPECT_NE(log_.warnings()[n_warnings + 1].find("goes on with 3 batches of 2"),
              std::string::npos);
    FakeCuda::reset();
  }
}

TEST_F(CudaEncoderFaults, ADeviceThatIsLostWhilePinningIsNoReasonForOrdinaryMemory) {
  FakeCuda::plant({.api = "cudaHostAlloc", .status = cudaErrorIllegalAddress});
  EXPECT_THROW(fake_cuda_encoder(), CudaError);
  EXPECT_TRUE(log_.warnings().empty());
  expect_all_released();
}

TEST_F(CudaEncoderFaults, RunningShortOfMemoryInMidSectorMakesItGoOnWithLess) {
  const auto encoder = fake_cuda_encoder({.lanes = 3, .batch = 4});
  FakeCuda::plant({.api = "cudaLaunchKernel", .nth = 3, .status = cudaErrorMemoryAllocation});
  FakeCudaSector sector(30, seed_);
  ASSERT_EQ(encode(*encoder, sector), EncodeOutcome::kComplete);
  EXPECT_TRUE(sector.is_encoded());
  EXPECT_EQ(encoder->state().lanes, 3U);
  EXPECT_EQ(encoder->state().batch, 2U);
  ASSERT_EQ(log_.warnings().size(), 1U);
  EXPECT_EQ(log_.warnings()[0].find("cuda 0 (Furrow SIMT harness) goes on with 3 batches of 2 "
                                    "records: cudaLaunchKernel failed at "),
            0U)
      << log_.warnings()[0];
}

TEST_F(CudaEncoderFaults, MemoryThatNeverSufficesIsALostDevice) {
  const auto encoder = fake_cuda_encoder({.lanes = 2, .batch = 4});
  FakeCuda::plant(
      {.api = "cudaLaunchKernel", .status = cudaErrorMemoryAllocation, .n_calls = 1000});
  FakeCudaSector sector(9, seed_);
  EXPECT_THROW(encode(*encoder, sector), DeviceLost);
  EXPECT_EQ(sector.records, sector.sources);
  EXPECT_EQ(log_.warnings().size(), 3U) << "2 x 4, 2 x 2, 2 x 1, 1 x 1";
  expect_all_released();
}

TEST_F(CudaEncoderFaults, ADeviceMayBeLostWhileSmallerLanesAreMade) {
  for (std::uint64_t nth = 1; nth <= 8; ++nth) {  // of two lanes with four allocations each
    FakeCuda::reset();
    {
      const auto encoder = fake_cuda_encoder({.lanes = 2, .batch = 4});
      FakeCuda::plant({.api = "cudaLaunchKernel", .nth = 3, .status = cudaErrorMemoryAllocation});
      FakeCuda::plant({.api = "cudaMallocAsync",
                       .nth = nth,
                       .status = cudaErrorIllegalAddress,
                       .sticky = true});
      FakeCudaSector sector(9, seed_);
      try {
        encode(*encoder, sector);
        FAIL() << "allocation " << nth << " was not made";
      } catch (const DeviceLost& error) {
        EXPECT_NE(error.reason().find("cudaMallocAsync failed"), std::string::npos)
            << error.reason();
      }
      EXPECT_TRUE(sector.is_encoded_or_unchanged());
      EXPECT_EQ(encoder->state().lanes, 0U);
    }
    expect_all_released();
  }
  EXPECT_TRUE(log_.warnings().empty()) << log_.warnings().front();
}

TEST_F(CudaEncoderFaults, EachLaunchMayFail) {
  for (const cudaError_t status :
       {cudaErrorLaunchFailure, cudaErrorLaunchOutOfResources, cudaErrorInvalidConfiguration}) {
    for (std::uint64_t nth = 1; nth <= 8; ++nth) {
      SCOPED_TRACE(std::string(cudaGetErrorName(status)) + ", launch " + std::to_string(nth));
      FakeCuda::reset();
      const auto encoder = fake_cuda_encoder({.lanes = 2, .batch = 2});
      FakeCuda::plant({.api = "cudaLaunchKernel",
                       .nth = nth,
                       .status = status,
                       .sticky = status == cudaErrorLaunchFailure});
      FakeCudaSector sector(8, seed_);
      EncodingJob job = sector.job();
      EXPECT_THROW(encoder->encode(job, {}), DeviceLost);
      EXPECT_TRUE(sector.is_encoded_or_unchanged());
      EXPECT_THROW(encoder->encode(job, {}), DeviceLost) << "for good";
      FakeCpuEncoder cpu;
      EXPECT_EQ(cpu.encode(job, {}), EncodeOutcome::kComplete);
      EXPECT_TRUE(job.all_done());
      EXPECT_TRUE(sector.is_encoded());
    }
  }
  EXPECT_TRUE(log_.warnings().empty()) << log_.warnings().front();
}

/// Lets another encoder encode once the fake runtime has seen so many calls of a function.
class StartsLater final : public RecordsEncoder {
 public:
  StartsLater(std::unique_ptr<RecordsEncoder> encoder, std::string api, std::uint64_t n_calls)
      : encoder_(std::move(encoder)), api_(std::move(api)), n_calls_(n_calls) {}
  EncodeOutcome encode(EncodingJob& job, std::stop_token stop) override {
    while (FakeCuda::n_calls(api_) < n_calls_) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    return encoder_->encode(job, std::move(stop));
  }
  [[nodiscard]] std::string name() const override { return encoder_->name(); }

 private:
  std::unique_ptr<RecordsEncoder> encoder_;
  std::string api_;
  std::uint64_t n_calls_;
};

TEST_F(CudaEncoderFaults, DeviceLostInATwoDevicePool) {
  FakeCuda::set_devices(simt::fake_devices(2));
  FakeCuda::plant({.api = "cudaEventQuery",
                   .nth = 2,
                   .status = cudaErrorIllegalAddress,
                   .device = 0,
                   .sticky = true});
  EncoderPool::Options options{
      .on_warning = [this](const std::string& line) { pool_warnings_.push_back(line); }};
  options.encoders.push_back(fake_cuda_encoder({.device = 0, .batch = 2}));
  options.encoders.push_back(std::make_unique<StartsLater>(
      fake_cuda_encoder({.device = 1, .batch = 2}), "cudaEventQuery", 2));
  EncoderPool both(std::move(options));
  FakeCudaSector sector(30, seed_);
  ASSERT_EQ(encode(both, sector), EncodeOutcome::kComplete);
  EXPECT_TRUE(sector.is_encoded());
  ASSERT_EQ(pool_warnings_.size(), 1U);
  EXPECT_TRUE(
      was_warned("cuda 0 (Furrow SIMT harness) is lost and used no more: "
                 "cudaEventQuery failed at cuda/runtime/event.cu:"))
      << pool_warnings_[0];
  EXPECT_TRUE(was_warned("cudaErrorIllegalAddress (700)")) << pool_warnings_[0];
  EXPECT_EQ(both.name(), "cuda 1 (Furrow SIMT harness)");

  FakeCudaSector next(9, seed_ + 1);
  ASSERT_EQ(encode(both, next), EncodeOutcome::kComplete);
  EXPECT_TRUE(next.is_encoded());
}

// The whole life of a pool of two devices, with one call of one device failing at a time: every
// call, sticky and not.
TEST_F(CudaEncoderFaults, AnyCallMayFailWithoutLosingARecord) {
  constexpr std::size_t kRecords = 13;
  const FakeCudaSector fresh(kRecords, seed_);
  for (const cudaError_t status : {cudaErrorIllegalAddress, cudaErrorMemoryAllocation,
                                   cudaErrorInvalidValue, cudaErrorDevicesUnavailable}) {
    std::uint64_t n_lost = 0;
    std::uint64_t nth = 1;
    for (bool is_reached = true; is_reached; nth += 1 + nth / 40) {
      SCOPED_TRACE(std::string(cudaGetErrorName(status)) + " at call " + std::to_string(nth));
      FakeCuda::set_devices(simt::fake_devices(2));
      pool_warnings_.clear();
      FakeCudaSector sector = fresh;
      {
        EncoderPool both = pool(2);
        const std::uint64_t before = FakeCuda::n_calls("*");
        FakeCuda::plant({.api = "*",
                         .nth = nth,
                         .status = status,
                         .device = 1,
                         .sticky = status == cudaErrorIllegalAddress});
        ASSERT_EQ(encode(both, sector), EncodeOutcome::kComplete);
        is_reached = FakeCuda::n_calls("*") - before >= nth;
      }
      ASSERT_TRUE(sector.is_encoded());
      n_lost += pool_warnings_.size();
      for (const std::string& line : pool_warnings_) {
        EXPECT_EQ(line.find("cuda 1 (Furrow SIMT harness) is lost and used no more: "), 0U) << line;
      }
    }
    EXPECT_GT(nth, 40U);
    if (classify(status) == ErrorClass::kRetry) {
      EXPECT_EQ(n_lost, 0U) << "one allocation that fails is no reason to give up";
    } else {
      EXPECT_GT(n_lost, 10U);
    }
  }
}

TEST_F(CudaEncoderFaults, WhenBothDevicesAreLostTheCpuFinishes) {
  FakeCuda::set_devices(simt::fake_devices(2));
  EncoderPool both = pool(2);
  for (const int device : {0, 1}) {
    FakeCuda::plant({.api = "cudaMemcpyAsync",
                     .nth = 9,
                     .status = cudaErrorECCUncorrectable,
                     .device = device,
                     .sticky = true});
  }
  FakeCudaSector sector(60, seed_);
  ASSERT_EQ(encode(both, sector), EncodeOutcome::kComplete);
  EXPECT_TRUE(sector.is_encoded());
  EXPECT_EQ(pool_warnings_.size(), 3U);
  EXPECT_TRUE(was_warned("cuda 0 (Furrow SIMT harness) is lost and used no more: "));
  EXPECT_TRUE(was_warned("cuda 1 (Furrow SIMT harness) is lost and used no more: "));
  EXPECT_TRUE(was_warned("cudaErrorECCUncorrectable"));
  EXPECT_TRUE(was_warned("no device is left; fake cpu encodes from here on"));
}

TEST_F(CudaEncoderFaults, ALostDeviceLeavesNothingBehind) {
  const auto encoder = fake_cuda_encoder();
  FakeCuda::lose_device(0, cudaErrorIllegalAddress);
  FakeCudaSector sector(3, seed_);
  EXPECT_THROW(encode(*encoder, sector), DeviceLost);
  EXPECT_EQ(encoder->state().lanes, 0U);
  EXPECT_EQ(encoder->state().device_bytes, 0U);
  Record& record = sector.records[0];
  EXPECT_THROW(encoder->encode_from_seed({}, record, sector.found_proofs[0]), DeviceLost);
  EXPECT_TRUE(log_.warnings().empty()) << log_.warnings().front();
}

}  // namespace
}  // namespace furrow::cuda
