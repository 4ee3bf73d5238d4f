// SPDX-License-Identifier: Apache-2.0
// The memory plan of the CUDA engine against what its encoder allocates on the fake CUDA runtime,
// with the real pipeline.
#include <string>
#include <vector>

#include "cuda/record_pipeline.hpp"
#include "host/plotting/device_memory.hpp"
#include "tests/cuda/encoder_fixture.hpp"

namespace furrow::cuda {
namespace {

using simt::FakeCuda;

constexpr std::uint64_t kMiB = std::uint64_t{1} << 20;

class CudaEncoderMemory : public CudaEncoderTest {
 protected:
  /// Shows one device with so much memory, all of it free.
  static void set_memory(std::uint64_t n_bytes) {
    simt::FakeDevice card;
    card.memory_bytes = n_bytes;
    FakeCuda::set_devices({card});
  }
  static void expect_invalid(const CudaEncoderOptions& options, const std::string& message) {
    try {
      static_cast<void>(plan_cuda_memory(options, 8U << 20));
      FAIL() << "planned with less than the least";
    } catch (const InvalidArgument& error) {
      EXPECT_EQ(std::string(error.what()), message);
    }
    CudaEncoderOptions with_fallback = options;
    with_fallback.fallback = fake_encode_on_cpu;
    EXPECT_THROW(make_cuda_records_encoder(with_fallback), InvalidArgument) << "the same formula";
  }
};

TEST_F(CudaEncoderMemory, ThePlanIsWhatTheEncoderAllocates) {
  const std::uint64_t one = RecordPipeline::device_bytes(1);
  struct Case {
    std::uint64_t memory;
    CudaEncoderOptions options;
  };
  const std::vector<Case> cases = {
      {8192 * kMiB, {.vram_limit = one}},
      {8192 * kMiB, {.vram_limit = 2 * one - 1}},
      {8192 * kMiB, {.vram_limit = 2 * one}},
      {8192 * kMiB, {.vram_limit = 5 * one}},
      {8192 * kMiB, {.pinned_limit = 3 * kMiB}},
      {8192 * kMiB, {.lanes = 2, .batch = 2}},
      {400 * kMiB, {}},
      {400 * kMiB, {.vram_limit = 300 * kMiB}},
      {one * 10 / 9 + 2, {}},
  };
  for (std::size_t i = 0; i < cases.size(); ++i) {
    SCOPED_TRACE("case " + std::to_string(i));
    set_memory(cases[i].memory);
    const CudaMemoryPlan plan = plan_cuda_memory(cases[i].options, cases[i].memory);
    EXPECT_EQ(FakeCuda::n_calls("*"), 0U) << "planning needs no device";
    CudaEncoderOptions options = cases[i].options;
    options.fallback = fake_encode_on_cpu;
    const auto encoder = make_cuda_records_encoder(options);
    EXPECT_EQ(encoder->state().lanes, plan.lanes);
    EXPECT_EQ(encoder->state().batch, plan.batch);
    EXPECT_EQ(FakeCuda::used_bytes(0), plan.device_bytes);
    EXPECT_EQ(FakeCuda::peak_bytes(0), plan.device_bytes);
    EXPECT_EQ(FakeCuda::live().host_bytes, plan.pinned_bytes);
    EXPECT_EQ(plan.least_device_bytes, one);
    EXPECT_GE(plan.device_bytes, one);
  }
}

TEST_F(CudaEncoderMemory, ALimitBelowTheLeastIsRefusedWithBothNumbers) {
  const std::uint64_t least = RecordPipeline::device_bytes(1);
  expect_invalid({.vram_limit = least - 1},
                 "device memory limit: an encoder on CUDA device 0 takes at least " +
                     std::to_string(least) + " bytes, allowed are " + std::to_string(least - 1));
  expect_invalid({.pinned_limit = 5},
                 "pinned memory limit: an encoder on CUDA device 0 takes at least " +
                     std::to_string(Lane::staging_bytes(1)) + " bytes, allowed are 5");
}

TEST_F(CudaEncoderMemory, WithTooLittleFreeThereIsNoEncoderAndThePlanSaysSo) {
  set_memory(90 * kMiB);
  const CudaMemoryPlan plan = plan_cuda_memory({}, 90 * kMiB);
  EXPECT_EQ(plan.lanes, 0U);
  EXPECT_EQ(plan.device_bytes, 0U);
  EXPECT_EQ(plan.pinned_bytes, 0U);
  EXPECT_THROW(make_cuda_records_encoder({.fallback = fake_encode_on_cpu}), EncoderError);
}

TEST_F(CudaEncoderMemory, DevicesArePlannedFromWhatTheListSaysOfThem) {
  std::vector<simt::FakeDevice> cards = simt::fake_devices(2);
  cards[1].memory_bytes = 500 * kMiB;
  FakeCuda::set_devices(cards);
  CudaDevices devices = cuda_devices();
  for (CudaDeviceInfo& device : devices.devices) {
    open_cuda_device(device);
  }
  const std::vector<DeviceMemoryPlan> memory = plan_device_memory(devices.devices, {});
  ASSERT_EQ(memory.size(), 2U);
  for (const DeviceMemoryPlan& device : memory) {
    const auto encoder =
        make_cuda_records_encoder({.device = device.index, .fallback = fake_encode_on_cpu});
    EXPECT_EQ(FakeCuda::used_bytes(device.index), device.plan.device_bytes);
  }
}

}  // namespace
}  // namespace furrow::cuda
