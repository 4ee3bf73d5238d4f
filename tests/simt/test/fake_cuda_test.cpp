// SPDX-License-Identifier: Apache-2.0
// The fake CUDA runtime: it behaves like CUDA where Furrow could tell, and fails when told to.

#include "simt/fake_cuda.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <numeric>
#include <thread>
#include <vector>

#include "simt/test/fake_cuda_fixture.hpp"

namespace furrow::simt {
namespace {

TEST_F(SimtFakeCuda, CopiesAndLaunchesInOrder) {
  cudaStream_t stream = nullptr;
  ASSERT_EQ(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), cudaSuccess);
  constexpr unsigned kN = 100;
  unsigned* pinned = nullptr;
  unsigned* d_words = nullptr;
  ASSERT_EQ(cudaHostAlloc(&pinned, kN * sizeof(unsigned), cudaHostAllocDefault), cudaSuccess);
  ASSERT_EQ(cudaMallocAsync(&d_words, kN * sizeof(unsigned), stream), cudaSuccess);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(d_words) % 256, 0U);
  std::iota(pinned, pinned + kN, 0U);
  ASSERT_EQ(cudaMemcpyAsync(d_words, pinned, kN * sizeof(unsigned), cudaMemcpyHostToDevice, stream),
            cudaSuccess);
  ASSERT_EQ(launch_increment(stream, d_words, kN), cudaSuccess);
  ASSERT_EQ(cudaMemsetAsync(d_words, 0xFF, sizeof(unsigned), stream), cudaSuccess);
  ASSERT_EQ(cudaMemcpyAsync(pinned, d_words, kN * sizeof(unsigned), cudaMemcpyDeviceToHost, stream),
            cudaSuccess);
  ASSERT_EQ(cudaStreamSynchronize(stream), cudaSuccess);
  EXPECT_EQ(pinned[0], 0xFFFFFFFFU);
  for (unsigned i = 1; i < kN; ++i) {
    EXPECT_EQ(pinned[i], i + 1);
  }
  EXPECT_EQ(FakeCuda::live(), (LiveObjects{.device_allocations = 1,
                                           .device_bytes = 400,
                                           .host_allocations = 1,
                                           .host_bytes = 400,
                                           .streams = 1}));
  EXPECT_EQ(cudaFreeAsync(d_words, stream), cudaSuccess);
  EXPECT_EQ(cudaFreeHost(pinned), cudaSuccess);
  EXPECT_EQ(cudaStreamDestroy(stream), cudaSuccess);
  EXPECT_EQ(FakeCuda::live(), LiveObjects{});
  EXPECT_EQ(FakeCuda::n_calls("cudaMemcpyAsync"), 2U);
  EXPECT_EQ(FakeCuda::n_calls("cudaLaunchKernel"), 1U);
}

TEST_F(SimtFakeCuda, GraphsReplayWhatWasCaptured) {
  std::array<cudaStream_t, 2> streams{};
  for (cudaStream_t& stream : streams) {
    cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking);
  }
  cudaEvent_t fork = nullptr;
  cudaEventCreateWithFlags(&fork, cudaEventDisableTiming);
  cudaEvent_t join = nullptr;
  cudaEventCreateWithFlags(&join, cudaEventDisableTiming);
  unsigned* d_words = nullptr;
  cudaMalloc(&d_words, 64 * sizeof(unsigned));
  cudaMemset(d_words, 0, 64 * sizeof(unsigned));

  ASSERT_EQ(cudaStreamBeginCapture(streams[0], cudaStreamCaptureModeThreadLocal), cudaSuccess);
  ASSERT_EQ(launch_increment(streams[0], d_words, 64), cudaSuccess);
  ASSERT_EQ(cudaEventRecord(fork, streams[0]), cudaSuccess);
  ASSERT_EQ(cudaStreamWaitEvent(streams[1], fork), cudaSuccess);
  ASSERT_EQ(launch_increment(streams[1], d_words, 32), cudaSuccess);
  EXPECT_EQ(cudaStreamSynchronize(streams[1]), cudaErrorStreamCaptureUnsupported);
  ASSERT_EQ(cudaEventRecord(join, streams[1]), cudaSuccess);
  ASSERT_EQ(cudaStreamWaitEvent(streams[0], join), cudaSuccess);
  cudaGraph_t graph = nullptr;
  ASSERT_EQ(cudaStreamEndCapture(streams[0], &graph), cudaSuccess);
  cudaGraphExec_t executable = nullptr;
  ASSERT_EQ(cudaGraphInstantiate(&executable, graph), cudaSuccess);
  EXPECT_EQ(cudaGraphDestroy(graph), cudaSuccess);

  std::array<unsigned, 64> words{};
  cudaMemcpy(words.data(), d_words, sizeof(words), cudaMemcpyDeviceToHost);
  EXPECT_EQ(words[0], 0U) << "a capture must not run anything";
  for (int i = 0; i < 3; ++i) {
    ASSERT_EQ(cudaGraphLaunch(executable, streams[1]), cudaSuccess);
  }
  cudaStreamSynchronize(streams[1]);
  cudaMemcpy(words.data(), d_words, sizeof(words), cudaMemcpyDeviceToHost);
  EXPECT_EQ(words[31], 6U);
  EXPECT_EQ(words[32], 3U);

  EXPECT_EQ(cudaGraphExecDestroy(executable), cudaSuccess);
  cudaEventDestroy(fork);
  cudaEventDestroy(join);
  for (cudaStream_t stream : streams) {
    cudaStreamDestroy(stream);
  }
  cudaFree(d_words);
  EXPECT_EQ(FakeCuda::live(), LiveObjects{});
}

TEST_F(SimtFakeCuda, WrongCallsAreRefused) {
  std::array<unsigned, 4> host{};
  unsigned* d_words = nullptr;
  ASSERT_EQ(cudaMalloc(&d_words, 16), cudaSuccess);
  EXPECT_EQ(cudaMemcpy(d_words + 1, host.data(), 16, cudaMemcpyHostToDevice), cudaErrorInvalidValue)
      << "past the end";
  EXPECT_EQ(cudaMemcpy(host.data(), d_words, 16, cudaMemcpyHostToDevice), cudaErrorInvalidValue)
      << "wrong direction";
  EXPECT_EQ(cudaMemset(host.data(), 0, 16), cudaErrorInvalidValue) << "no device memory";
  EXPECT_EQ(cudaFreeHost(d_words), cudaErrorInvalidValue);
  EXPECT_EQ(cudaFree(d_words + 1), cudaErrorInvalidValue);
  EXPECT_EQ(cudaFree(d_words), cudaSuccess);
  EXPECT_EQ(cudaFree(d_words), cudaErrorInvalidValue) << "freed twice";
  EXPECT_EQ(cudaFree(nullptr), cudaSuccess);
  EXPECT_EQ(cudaSetDevice(1), cudaErrorInvalidDevice);
  cudaStream_t stream = nullptr;
  ASSERT_EQ(cudaStreamCreate(&stream), cudaSuccess);
  EXPECT_EQ(cudaStreamDestroy(stream), cudaSuccess);
  EXPECT_EQ(cudaStreamSynchronize(stream), cudaErrorInvalidResourceHandle);
  EXPECT_EQ(cudaGetLastError(), cudaErrorInvalidResourceHandle);
  EXPECT_EQ(cudaGetLastError(), cudaSuccess);
}

TEST_F(SimtFakeCuda, StreamsBelongToTheirDevice) {
  FakeCuda::set_devices(fake_devices(2));
  cudaStream_t stream = nullptr;
  ASSERT_EQ(cudaSetDevice(1), cudaSuccess);
  ASSERT_EQ(cudaStreamCreate(&stream), cudaSuccess);
  cudaEvent_t event = nullptr;
  ASSERT_EQ(cudaSetDevice(0), cudaSuccess);
  ASSERT_EQ(cudaEventCreate(&event), cudaSuccess);
  EXPECT_EQ(cudaEventRecord(event, stream), cudaErrorInvalidResourceHandle);
  EXPECT_EQ(launch_increment(stream, nullptr, 0), cudaErrorInvalidResourceHandle);
  void* memory = nullptr;
  EXPECT_EQ(cudaMallocAsync(&memory, 100, stream), cudaSuccess);
  EXPECT_EQ(FakeCuda::used_bytes(0), 0U);
  EXPECT_EQ(FakeCuda::used_bytes(1), 100U);
}

TEST_F(SimtFakeCuda, MemoryIsLimitedPerDevice) {
  std::vector<FakeDevice> devices = fake_devices(2);
  devices[0].memory_bytes = 1000;
  devices[1].memory_bytes = 2000;
  FakeCuda::set_devices(devices);
  void* first = nullptr;
  void* second = nullptr;
  EXPECT_EQ(cudaMalloc(&first, 1001), cudaErrorMemoryAllocation);
  EXPECT_EQ(first, nullptr);
  EXPECT_EQ(cudaMalloc(&first, 600), cudaSuccess);
  EXPECT_EQ(cudaMalloc(&second, 401), cudaErrorMemoryAllocation);
  EXPECT_EQ(cudaMalloc(&second, 400), cudaSuccess);
  std::size_t free_bytes = 1;
  std::size_t total_bytes = 0;
  EXPECT_EQ(cudaMemGetInfo(&free_bytes, &total_bytes), cudaSuccess);
  EXPECT_EQ(free_bytes, 0U);
  EXPECT_EQ(total_bytes, 1000U);
  EXPECT_EQ(cudaFree(first), cudaSuccess);
  EXPECT_EQ(FakeCuda::used_bytes(0), 400U);
  EXPECT_EQ(FakeCuda::peak_bytes(0), 1000U);
  EXPECT_EQ(FakeCuda::used_bytes(1), 0U);
  unsigned char byte = 0;
  EXPECT_EQ(cudaMemcpy(&byte, second, 1, cudaMemcpyDeviceToHost), cudaSuccess);
  EXPECT_EQ(byte, 0xA5) << "fresh memory is not zero";
}

TEST_F(SimtFakeCuda, TheNthCallFails) {
  FakeCuda::plant({.api = "cudaMalloc", .nth = 3, .status = cudaErrorMemoryAllocation});
  std::vector<cudaError_t> statuses;
  for (int i = 0; i < 5; ++i) {
    void* memory = nullptr;
    statuses.push_back(cudaMalloc(&memory, 8));
    EXPECT_EQ(memory == nullptr, statuses.back() != cudaSuccess);
  }
  EXPECT_EQ(statuses, (std::vector{cudaSuccess, cudaSuccess, cudaErrorMemoryAllocation, cudaSuccess,
                                   cudaSuccess}));
  EXPECT_EQ(cudaPeekAtLastError(), cudaErrorMemoryAllocation);
  EXPECT_EQ(FakeCuda::n_calls("cudaMalloc"), 5U);
  EXPECT_EQ(FakeCuda::live().device_allocations, 4U);

  // Counted from the moment of planting; several in a row; any function.
  FakeCuda::plant({.api = "*", .nth = 2, .status = cudaErrorNotReady, .n_calls = 2});
  EXPECT_EQ(cudaMemset(nullptr, 0, 0), cudaSuccess);
  EXPECT_EQ(cudaDeviceSynchronize(), cudaErrorNotReady);
  EXPECT_EQ(launch_increment(nullptr, nullptr, 0), cudaErrorNotReady);
  EXPECT_EQ(cudaDeviceSynchronize(), cudaSuccess);
}

TEST_F(SimtFakeCuda, AStickyErrorStays) {
  FakeCuda::set_devices(fake_devices(2));
  unsigned* d_words = nullptr;
  ASSERT_EQ(cudaMalloc(&d_words, 256), cudaSuccess);
  cudaStream_t stream = nullptr;
  ASSERT_EQ(cudaStreamCreate(&stream), cudaSuccess);
  FakeCuda::plant({.api = "cudaLaunchKernel",
                   .nth = 2,
                   .status = cudaErrorIllegalAddress,
                   .device = 0,
                   .sticky = true});
  EXPECT_EQ(launch_increment(stream, d_words, 64), cudaSuccess);
  EXPECT_EQ(launch_increment(stream, d_words, 64), cudaErrorIllegalAddress);
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(cudaStreamSynchronize(stream), cudaErrorIllegalAddress);
    EXPECT_EQ(cudaGetLastError(), cudaErrorIllegalAddress);
  }
  void* memory = nullptr;
  EXPECT_EQ(cudaMalloc(&memory, 8), cudaErrorIllegalAddress);
  // Releasing fails too, but its owner has done what it could.
  EXPECT_EQ(cudaFree(d_words), cudaErrorIllegalAddress);
  EXPECT_EQ(cudaStreamDestroy(stream), cudaErrorIllegalAddress);
  EXPECT_EQ(FakeCuda::live(), LiveObjects{});

  // The other device is well, and the lost one can still be looked at.
  cudaDeviceProp properties{};
  EXPECT_EQ(cudaGetDeviceProperties(&properties, 0), cudaSuccess);
  EXPECT_EQ(cudaSetDevice(1), cudaSuccess);
  EXPECT_EQ(cudaGetLastError(), cudaErrorIllegalAddress) << "of this thread's last failed call";
  EXPECT_EQ(cudaGetLastError(), cudaSuccess);
  EXPECT_EQ(cudaMalloc(&memory, 8), cudaSuccess);
  EXPECT_EQ(cudaFree(memory), cudaSuccess);
}

TEST_F(SimtFakeCuda, ADeviceIsLost) {
  FakeCuda::lose_device(0, cudaErrorECCUncorrectable);
  EXPECT_EQ(cudaDeviceSynchronize(), cudaErrorECCUncorrectable);
  EXPECT_EQ(cudaDeviceReset(), cudaSuccess);
  EXPECT_EQ(cudaDeviceSynchronize(), cudaSuccess);
}

/// Increments a word twice on a device that misbehaves from the second launch on; what comes back.
unsigned twice_incremented(Misbehavior how) {
  FakeCuda::reset();
  FakeCuda::misbehave(0, how, 2);
  unsigned* d_word = nullptr;
  EXPECT_EQ(cudaMalloc(&d_word, sizeof(unsigned)), cudaSuccess);
  EXPECT_EQ(cudaMemset(d_word, 0, sizeof(unsigned)), cudaSuccess);
  EXPECT_EQ(launch_increment(nullptr, d_word, 1), cudaSuccess);
  EXPECT_EQ(launch_increment(nullptr, d_word, 1), cudaSuccess);
  unsigned word = 9;
  EXPECT_EQ(cudaMemcpyAsync(&word, d_word, sizeof(word), cudaMemcpyDeviceToHost), cudaSuccess);
  if (how != Misbehavior::kHangs) {
    EXPECT_EQ(cudaStreamSynchronize(nullptr), cudaSuccess);
  }
  return word;
}

TEST_F(SimtFakeCuda, ADeviceMisbehavesAndAllItsCallsSucceed) {
  EXPECT_EQ(twice_incremented(Misbehavior::kNone), 2U);
  EXPECT_EQ(twice_incremented(Misbehavior::kIdles), 1U);
  EXPECT_EQ(twice_incremented(Misbehavior::kFlipsBits), 2U) << "only large copies";
  EXPECT_EQ(twice_incremented(Misbehavior::kHangs), 9U) << "nothing was copied";
  EXPECT_EQ(cudaStreamQuery(nullptr), cudaErrorNotReady);
}

TEST_F(SimtFakeCuda, ADeviceFlipsABitNowAndThen) {
  constexpr std::size_t kBytes = 32 * 1024;
  FakeCuda::misbehave(0, Misbehavior::kFlipsBits, 2);
  unsigned char* d_bytes = nullptr;
  ASSERT_EQ(cudaMalloc(&d_bytes, kBytes), cudaSuccess);
  ASSERT_EQ(cudaMemset(d_bytes, 0, kBytes), cudaSuccess);
  std::vector<unsigned char> bytes(kBytes);
  for (const int n_wrong : {0, 1, 0, 1}) {
    ASSERT_EQ(cudaMemcpy(bytes.data(), d_bytes, kBytes, cudaMemcpyDeviceToHost), cudaSuccess);
    EXPECT_EQ(kBytes - static_cast<std::size_t>(std::count(bytes.begin(), bytes.end(), 0)),
              static_cast<std::size_t>(n_wrong));
  }
}

TEST_F(SimtFakeCuda, EventsBehindWhatHangsAreOutOfReach) {
  cudaEvent_t before = nullptr;
  cudaEvent_t behind = nullptr;
  ASSERT_EQ(cudaEventCreate(&before), cudaSuccess);
  ASSERT_EQ(cudaEventCreate(&behind), cudaSuccess);
  unsigned* d_word = nullptr;
  ASSERT_EQ(cudaMalloc(&d_word, sizeof(unsigned)), cudaSuccess);
  FakeCuda::misbehave(0, Misbehavior::kHangs);
  ASSERT_EQ(cudaEventRecord(before), cudaSuccess);
  ASSERT_EQ(launch_increment(nullptr, d_word, 1), cudaSuccess);
  ASSERT_EQ(cudaEventRecord(behind), cudaSuccess);
  EXPECT_EQ(cudaEventQuery(before), cudaSuccess);
  EXPECT_EQ(cudaEventQuery(behind), cudaErrorNotReady);
  std::jthread waiting([behind] { EXPECT_NE(cudaEventSynchronize(behind), cudaSuccess); });
  FakeCuda::reset();
}

TEST_F(SimtFakeCuda, NoDriverAndNoDevices) {
  int count = 7;
  FakeCuda::remove_driver(cudaErrorInsufficientDriver);
  EXPECT_EQ(cudaGetDeviceCount(&count), cudaErrorInsufficientDriver);
  EXPECT_EQ(count, 0);
  EXPECT_EQ(cudaSetDevice(0), cudaErrorInsufficientDriver);
  int version = 1;
  EXPECT_EQ(cudaDriverGetVersion(&version), cudaSuccess);
  EXPECT_EQ(version, 0);

  FakeCuda::set_devices({});
  EXPECT_EQ(cudaGetDeviceCount(&count), cudaErrorNoDevice);
  void* memory = nullptr;
  EXPECT_EQ(cudaMalloc(&memory, 1), cudaErrorNoDevice);
}

TEST_F(SimtFakeCuda, PropertiesAreShown) {
  FakeDevice device;
  device.name = "Some card";
  device.uuid = {1, 2, 3};
  device.pci_domain = 0x1234;
  device.pci_bus = 0xAB;
  device.pci_device = 0x10;
  device.major = 8;
  device.minor = 6;
  device.n_multiprocessors = 28;
  device.clock_khz = 1'777'000;
  device.memory_bytes = std::size_t{6} << 30U;
  FakeCuda::set_devices({device});
  cudaDeviceProp properties{};
  ASSERT_EQ(cudaGetDeviceProperties(&properties, 0), cudaSuccess);
  EXPECT_STREQ(properties.name, "Some card");
  EXPECT_EQ(std::memcmp(properties.uuid.bytes, device.uuid.data(), 16), 0);
  EXPECT_EQ(properties.major, 8);
  EXPECT_EQ(properties.multiProcessorCount, 28);
  EXPECT_EQ(properties.totalGlobalMem, std::size_t{6} << 30U);
  int clock = 0;
  EXPECT_EQ(cudaDeviceGetAttribute(&clock, cudaDevAttrClockRate, 0), cudaSuccess);
  EXPECT_EQ(clock, 1'777'000);
  std::array<char, 20> bus_id{};
  EXPECT_EQ(cudaDeviceGetPCIBusId(bus_id.data(), 20, 0), cudaSuccess);
  EXPECT_STREQ(bus_id.data(), "1234:AB:10.0");
  int index = 5;
  EXPECT_EQ(cudaDeviceGetByPCIBusId(&index, "1234:AB:10.0"), cudaSuccess);
  EXPECT_EQ(index, 0);
  EXPECT_EQ(cudaGetDeviceProperties(&properties, 1), cudaErrorInvalidDevice);
}

void touch_dynamic(unsigned n) {
  DYNAMIC_SHARED(unsigned, words);
  words[n - 1 - threadIdx.x] = 1;
}

TEST_F(SimtFakeCuda, MuchDynamicSharedMemoryMustBeAskedFor) {
  constexpr unsigned kWords = 50 * 1024;  // 200 KiB
  const cuda::LaunchShape shape{1, 64, kWords * sizeof(unsigned)};
  EXPECT_THROW(cuda::launch_with(touch_dynamic, shape, nullptr, kWords), BadLaunch);
  EXPECT_EQ(
      cudaFuncSetAttribute(touch_dynamic, cudaFuncAttributeMaxDynamicSharedMemorySize, 228 * 1024),
      cudaErrorInvalidValue);
  ASSERT_EQ(cudaFuncSetAttribute(touch_dynamic, cudaFuncAttributeMaxDynamicSharedMemorySize,
                                 kWords * sizeof(unsigned)),
            cudaSuccess);
  EXPECT_EQ(cuda::launch_with(touch_dynamic, shape, nullptr, kWords), cudaSuccess);
  EXPECT_EQ(cudaDeviceSynchronize(), cudaSuccess);
}

}  // namespace
}  // namespace furrow::simt
