// SPDX-License-Identifier: Apache-2.0
// Kernels that need several blocks on a multiprocessor ask for the shared memory that these take.
#include "cuda/runtime/shared_memory.hpp"

#include <array>
#include <optional>
#include <vector>

#include <gtest/gtest.h>

#include "cuda/record_pipeline.cuh"
#include "simt/fake_cuda.hpp"

namespace furrow::cuda {
namespace {

using simt::FakeCuda;
using simt::FakeDevice;

constexpr unsigned kK = 16;

/// A multiprocessor with `n_shared` bytes, of which the fake driver keeps 1 KiB of each block.
FakeDevice device_with(int threads, std::size_t n_shared) {
  FakeDevice device;
  device.threads_per_multiprocessor = threads;
  device.shared_opt_in_bytes = n_shared - 1024;
  return device;
}

const void* a_kernel() {
  return reinterpret_cast<const void*>(fill_table1<kK>);
}

class CudaSharedMemory : public testing::Test {
 protected:
  void SetUp() override { FakeCuda::reset(); }
  void TearDown() override { FakeCuda::reset(); }
};

TEST_F(CudaSharedMemory, IsAskedForInPercentOfWhatADeviceHas) {
  constexpr std::size_t kKiB = 1024;
  FakeCuda::set_devices({device_with(2048, 228 * kKiB), device_with(1536, 100 * kKiB),
                         device_with(1024, 128 * kKiB), device_with(1024, 64 * kKiB)});
  // 4, 4, 3 and 3 blocks of 21 KiB with what is kept: 84 or 63 KiB. More than there is, is all.
  constexpr std::array kPercent = {37, 84, 50, 99};
  constexpr std::array kPercentOfMore = {72, 100, 97, 100};
  for (int device = 0; device < 4; ++device) {
    const Stream stream(device);
    EXPECT_EQ(FakeCuda::shared_percent(a_kernel(), device), std::nullopt);
    prefer_shared_memory(stream, a_kernel(), {.most = 4, .threads = 288, .n_shared = 20 * kKiB});
    EXPECT_EQ(FakeCuda::shared_percent(a_kernel(), device), kPercent.at(device)) << device;
    prefer_shared_memory(stream, a_kernel(),
                         {.most = 4, .threads = 288, .n_shared = 40 * kKiB - 1});
    EXPECT_EQ(FakeCuda::shared_percent(a_kernel(), device), kPercentOfMore.at(device)) << device;
  }
}

TEST_F(CudaSharedMemory, OfAnotherDeviceThanTheCurrentOne) {
  FakeCuda::set_devices(simt::fake_devices(2));
  const Stream second(1);
  use_device(0);
  prefer_shared_memory(second, a_kernel(), {.most = 1, .threads = 32, .n_shared = 1});
  EXPECT_EQ(FakeCuda::shared_percent(a_kernel(), 0), std::nullopt);
  EXPECT_EQ(FakeCuda::shared_percent(a_kernel(), 1), 1);
}

TEST_F(CudaSharedMemory, ThatIsRefusedIsAnError) {
  const Stream stream(0);
  FakeCuda::plant({.api = "cudaFuncSetAttribute", .status = cudaErrorInvalidDeviceFunction});
  EXPECT_THROW(prefer_shared_memory(stream, a_kernel(), {.most = 1, .threads = 32, .n_shared = 1}),
               CudaError);
}

TEST_F(CudaSharedMemory, HasRoomForTheBlocksOfMakeTable) {
  FakeCuda::set_devices({FakeDevice{}, device_with(1536, 100 * 1024)});
  const Stream stream(1);
  const RecordPipelineOf<kK> pipeline(stream, 1);
  constexpr std::size_t kWanted = MakeTableTuning::kBlocksPerSm * (sizeof(MakeTableShared) + 1024);
  for (const auto kernel : {make_table<kK, 2>, make_table<kK, 3>, make_table<kK, 4>,
                            make_table<kK, 5>, make_table<kK, 6>, make_table<kK, 7>}) {
    const auto percent = FakeCuda::shared_percent(reinterpret_cast<const void*>(kernel), 1);
    ASSERT_TRUE(percent.has_value());
    EXPECT_GE(std::size_t{100} * 1024 * static_cast<std::size_t>(*percent) / 100, kWanted);
  }
}

}  // namespace
}  // namespace furrow::cuda
