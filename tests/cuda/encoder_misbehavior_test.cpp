// SPDX-License-Identifier: Apache-2.0
// Devices that say nothing of what is wrong with them: one that hangs, one that idles, one that flips
// bits. Before they are used, and in mid-run.
#include <chrono>
#include <thread>

#include "furrow/cuda.hpp"

#include "cuda/runtime/patience.hpp"
#include "host/plotting/device_trial.hpp"
#include "host/plotting/driver_call.hpp"
#include "host/plotting/encoder_pool.hpp"
#include "host/plotting/verified_encoder.hpp"
#include "tests/cuda/encoder_fixture.hpp"

namespace furrow::cuda {
namespace {

using simt::FakeCuda;
using simt::Misbehavior;
using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

constexpr milliseconds kShort{20};
/// Far more than anything here takes, far less than the patience that it must not need.
constexpr std::chrono::seconds kLong{5};

/// The misbehaving parts of the fake runtime are told to end what hangs, whatever the test did.
class CudaMisbehavior : public CudaEncoderTest {
 protected:
  ~CudaMisbehavior() override { FakeCuda::reset(); }

  static CudaDeviceInfo proven(milliseconds patience = kTrialPatience) {
    CudaDeviceInfo device;
    prove_device(device, try_cuda_device, patience);
    return device;
  }
  static bool begins_with(const std::string& text, const std::string& beginning) {
    return text.starts_with(beginning);
  }
  EncoderPool pool_of_two(CudaEncoderOptions options, std::size_t verified = 0) {
    EncoderPool::Options of_pool{
        .on_warning = [this](const std::string& line) { warnings_.push_back(line); }};
    for (options.device = 0; options.device < 2; ++options.device) {
      std::unique_ptr<RecordsEncoder> encoder = fake_cuda_encoder(options);
      if (verified != 0) {
        encoder = std::make_unique<VerifiedEncoder>(
            std::move(encoder), VerifiedEncoder::Options{.records_per_sector = verified,
                                                         .reference = fake_encode_on_cpu});
      }
      of_pool.encoders.push_back(std::move(encoder));
    }
    return EncoderPool(std::move(of_pool));
  }

  std::vector<std::string> warnings_;
};

TEST_F(CudaMisbehavior, ADeviceThatWorksProvesItself) {
  const CudaDeviceInfo device = proven();
  EXPECT_TRUE(device.is_supported()) << device.unsupported_reason;
  EXPECT_EQ(device.free_bytes, std::uint64_t{8} << 30);
  expect_all_released();
}

TEST_F(CudaMisbehavior, OneThatDoesNothingIsRefused) {
  ASSERT_TRUE(proven().is_supported()) << "and leaves the right answer in its memory";
  FakeCuda::misbehave(0, Misbehavior::kIdles);
  const std::string why = proven().unsupported_reason;
  EXPECT_TRUE(begins_with(why, "it does not encode a known record: expected 32768 proofs")) << why;
  expect_all_released();
}

TEST_F(CudaMisbehavior, OneThatFlipsABitIsRefused) {
  FakeCuda::misbehave(0, Misbehavior::kFlipsBits);
  const std::string why = proven().unsupported_reason;
  EXPECT_TRUE(begins_with(why, "it encodes a known record wrongly: expected BLAKE3 7e568feb"))
      << why;
}

TEST_F(CudaMisbehavior, OneThatIsInUseForAMomentIsTriedAgain) {
  FakeCuda::plant({.api = "cudaSetDevice", .status = cudaErrorDevicesUnavailable, .n_calls = 2});
  EXPECT_TRUE(proven().is_supported());
}

TEST_F(CudaMisbehavior, OneThatFailsSaysWithWhat) {
  FakeCuda::lose_device(0, cudaErrorECCUncorrectable);
  const std::string why = proven().unsupported_reason;
  EXPECT_NE(why.find("cudaErrorECCUncorrectable"), std::string::npos) << why;
}

TEST_F(CudaMisbehavior, OneThatHangsIsRefusedInTime) {
  FakeCuda::misbehave(0, Misbehavior::kHangs);
  const Clock::time_point start = Clock::now();
  const std::string why = proven(kShort).unsupported_reason;
  EXPECT_TRUE(begins_with(why, "it does not answer: a known record is not encoded after 20 ms"))
      << why;
  EXPECT_LT(Clock::now() - start, kLong);
  EXPECT_TRUE(is_driver_silent());
  FakeCuda::reset();
  while (n_stuck_in_driver() != 0) {
    std::this_thread::yield();
  }
}

TEST_F(CudaMisbehavior, ADeviceThatBeginsToHangLosesNoRecord) {
  FakeCuda::set_devices(simt::fake_devices(2));
  FakeCuda::misbehave(0, Misbehavior::kHangs, 5);
  FakeCudaSector sector(30, seed_);
  {
    EncoderPool both = pool_of_two({.lanes = 2, .batch = 2, .patience = kShort});
    // The other may take all records before this one has had its fifth launch.
    for (std::uint64_t round = 0; both.size() == 2; ++round) {
      sector = FakeCudaSector(30, seed_ + round);
      ASSERT_EQ(encode(both, sector), EncodeOutcome::kComplete);
      EXPECT_TRUE(sector.is_encoded());
    }
    EXPECT_EQ(both.name(), "cuda 1 (Furrow SIMT harness)");
  }
  ASSERT_EQ(warnings_.size(), 1U);
  EXPECT_TRUE(begins_with(warnings_[0], "cuda 0 (Furrow SIMT harness) is lost and used no more: "))
      << warnings_[0];
  EXPECT_NE(warnings_[0].find("the device has not done what it was given within 20 ms"),
            std::string::npos)
      << warnings_[0];
  EXPECT_TRUE(is_driver_silent()) << "the process must not wait for the device in the end";
}

TEST_F(CudaMisbehavior, AStopRequestIsNotHeldUpByADeviceThatHangs) {
  const auto encoder = fake_cuda_encoder({.lanes = 3, .batch = 2});  // of much patience
  FakeCuda::misbehave(0, Misbehavior::kHangs);
  FakeCudaSector sector(40, seed_);
  EncodingJob job = sector.job();
  std::stop_source stop;
  const std::jthread stopping([&](const std::stop_token& end) {
    while (FakeCuda::n_calls("cudaLaunchKernel") == 0 && !end.stop_requested()) {
      std::this_thread::sleep_for(milliseconds(1));  // until the launch from which on it hangs
    }
    stop.request_stop();
  });
  const Clock::time_point start = Clock::now();
  EXPECT_THROW(encoder->encode(job, stop.get_token()), DeviceSilent);
  EXPECT_LT(Clock::now() - start, kLong);
  EXPECT_TRUE(sector.is_encoded_or_unchanged());
  EXPECT_TRUE(job.has_unclaimed()) << "given back";
  EXPECT_THROW(encoder->encode(job, {}), DeviceSilent) << "from then on";
}

TEST_F(CudaMisbehavior, ADeviceThatFlipsBitsIsNotUsedAgain) {
  FakeCuda::set_devices(simt::fake_devices(2));
  FakeCuda::misbehave(0, Misbehavior::kFlipsBits, 3);
  constexpr std::size_t kRecords = 24;
  EncoderPool both = pool_of_two({.lanes = 2, .batch = 2}, kRecords);
  std::size_t n_refused = 0;
  for (std::uint64_t round = 0; both.size() == 2; ++round) {
    FakeCudaSector sector(kRecords, seed_ + round);
    try {
      ASSERT_EQ(encode(both, sector), EncodeOutcome::kComplete);
      EXPECT_TRUE(sector.is_encoded());
    } catch (const WrongEncoding&) {
      ++n_refused;  // the sector is made anew
    }
  }
  EXPECT_EQ(n_refused, 1U);
  EXPECT_EQ(both.name(), "cuda 1 (Furrow SIMT harness)");
  FakeCudaSector again(kRecords, seed_);
  ASSERT_EQ(encode(both, again), EncodeOutcome::kComplete);
  EXPECT_TRUE(again.is_encoded());
}

TEST_F(CudaMisbehavior, AnEncoderIsNotGivenUpForWhatIsOverInAMoment) {
  for (const char* api : {"cudaMemGetInfo", "cudaSetDevice", "cudaStreamCreateWithFlags"}) {
    FakeCuda::reset();
    FakeCuda::plant({.api = api, .status = cudaErrorDevicesUnavailable, .n_calls = 2});
    const auto encoder = fake_cuda_encoder({.batch = 2});
    EXPECT_EQ(encoder->state().lanes, 3U) << api << ": no less memory than there is";
    FakeCudaSector sector(5, seed_);
    ASSERT_EQ(encode(*encoder, sector), EncodeOutcome::kComplete);
    EXPECT_TRUE(sector.is_encoded());
  }
  FakeCuda::plant(
      {.api = "cudaMemGetInfo", .status = cudaErrorDevicesUnavailable, .n_calls = 1000});
  EXPECT_THROW(fake_cuda_encoder(), CudaError) << "but not for ever";
}

TEST_F(CudaMisbehavior, PatienceEndsWithTheScope) {
  const Stream stream(0);
  stream.view().synchronize();
  EXPECT_EQ(FakeCuda::n_calls("cudaStreamSynchronize"), 1U) << "asleep, when nobody is impatient";
  {
    const Patience patience(kShort);
    stream.view().synchronize();
    EXPECT_FALSE(patience.has_run_out());
  }
  EXPECT_EQ(FakeCuda::n_calls("cudaStreamQuery"), 1U);
  EXPECT_EQ(Patience::current(), nullptr);
}

}  // namespace
}  // namespace furrow::cuda
