// SPDX-License-Identifier: Apache-2.0
// The owners of cuda/runtime and the list of devices, on the fake CUDA runtime.
#include <algorithm>
#include <limits>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "furrow/cuda.hpp"

#include "cuda/lane_plan.hpp"
#include "cuda/runtime/check.hpp"
#include "cuda/runtime/device_buffer.hpp"
#include "cuda/runtime/event.hpp"
#include "cuda/runtime/pinned_buffer.hpp"
#include "cuda/runtime/staging_memory.hpp"
#include "cuda/runtime/stream.hpp"
#include "simt/fake_cuda.hpp"
#include "tests/cuda/fake_pipeline.hpp"

namespace furrow::cuda {
namespace {

using simt::FakeCuda;

class CudaRuntime : public testing::Test {
 protected:
  void SetUp() override { FakeCuda::reset(); }
  void TearDown() override {
    EXPECT_EQ(FakeCuda::live(), simt::LiveObjects{}) << "something was not released";
  }
  LogCapture log_;
};

TEST_F(CudaRuntime, CheckThrowsCallPlaceAndStatus) {
  check(cudaSuccess);
  try {
    check(cudaErrorInvalidValue, "cudaExample");
    FAIL() << "did not throw";
  } catch (const CudaError& error) {
    EXPECT_EQ(error.call(), "cudaExample");
    EXPECT_EQ(error.status(), cudaErrorInvalidValue);
    EXPECT_EQ(error.error_class(), ErrorClass::kFatal);
    EXPECT_GT(error.place().line(), 0U);
    const std::string text = error.what();
    EXPECT_NE(text.find("cudaExample failed at cuda/runtime_test.cpp:"), std::string::npos) << text;
    EXPECT_NE(text.find("cudaErrorInvalidValue (1)"), std::string::npos) << text;
  }
}

TEST_F(CudaRuntime, AFailureIsNotReportedTwice) {
  FakeCuda::plant({.api = "cudaSetDevice", .status = cudaErrorInvalidDevice});
  EXPECT_THROW(use_device(0), CudaError);
  EXPECT_EQ(cudaPeekAtLastError(), cudaSuccess);
  use_device(0);
}

TEST_F(CudaRuntime, StatusesAreClassified) {
  for (const cudaError_t status : {cudaErrorMemoryAllocation, cudaErrorDevicesUnavailable}) {
    EXPECT_EQ(classify(status), ErrorClass::kRetry) << cudaGetErrorName(status);
  }
  // Those of which driver_types.h of CUDA 13 says that the process has to be relaunched, and others
  // after which a device is of no use.
  for (const cudaError_t status :
       {cudaErrorIllegalAddress, cudaErrorLaunchTimeout, cudaErrorAssert,
        cudaErrorHardwareStackError, cudaErrorIllegalInstruction, cudaErrorMisalignedAddress,
        cudaErrorInvalidAddressSpace, cudaErrorInvalidPc, cudaErrorLaunchFailure,
        cudaErrorContained, cudaErrorTensorMemoryLeak, cudaErrorExternalDevice,
        cudaErrorMpsClientTerminated, cudaErrorECCUncorrectable, cudaErrorNvlinkUncorrectable,
        cudaErrorNoDevice, cudaErrorUnknown}) {
    EXPECT_EQ(classify(status), ErrorClass::kDeviceLost) << cudaGetErrorName(status);
  }
  for (const cudaError_t status : {cudaErrorInvalidValue, cudaErrorNoKernelImageForDevice,
                                   cudaErrorInsufficientDriver, cudaErrorLaunchOutOfResources}) {
    EXPECT_EQ(classify(status), ErrorClass::kFatal) << cudaGetErrorName(status);
  }
}

TEST_F(CudaRuntime, DeviceMemoryRunsShort) {
  simt::FakeDevice small;
  small.name = "Small card";
  small.memory_bytes = 1000;
  FakeCuda::set_devices({simt::FakeDevice{}, small});
  const Stream stream(1);
  const DeviceBuffer<std::uint8_t> first(stream, 600);
  try {
    const DeviceBuffer<std::uint32_t> second(stream, 101);
    FAIL() << "got more than there is";
  } catch (const CudaOutOfMemory& error) {
    EXPECT_EQ(error.asked_bytes(), 404U);
    EXPECT_EQ(error.free_bytes(), 400U);
    EXPECT_EQ(error.memory(), "memory of device 1 \"Small card\"");
    EXPECT_EQ(error.error_class(), ErrorClass::kRetry);
    const std::string text = error.what();
    EXPECT_NE(text.find("asked for 404 bytes, free 400"), std::string::npos) << text;
  }
  EXPECT_EQ(cudaPeekAtLastError(), cudaSuccess);
  const DeviceBuffer<std::uint32_t> fits(stream, 100);
  EXPECT_EQ(FakeCuda::used_bytes(1), 1000U);
  EXPECT_THROW(DeviceBuffer<std::uint64_t>(stream, std::size_t{1} << 62), CudaOutOfMemory)
      << "a size beyond 64 bits does not wrap round";
}

TEST_F(CudaRuntime, PinnedMemoryRunsShort) {
  FakeCuda::plant({.api = "cudaHostAlloc", .status = cudaErrorMemoryAllocation});
  try {
    const PinnedBuffer<std::uint16_t> buffer(50);
    FAIL() << "allocated";
  } catch (const CudaOutOfMemory& error) {
    EXPECT_EQ(error.memory(), "pinned host memory");
    EXPECT_EQ(error.asked_bytes(), 100U);
    EXPECT_GT(error.free_bytes(), 0U);
  }
}

TEST_F(CudaRuntime, WithoutMemoryPoolsAllocationIsPlain) {
  simt::FakeDevice old;
  old.has_memory_pools = false;
  FakeCuda::set_devices({old});
  {
    const Stream stream(0);
    const DeviceBuffer<std::uint32_t> buffer(stream, 10);
    EXPECT_NE(buffer.data(), nullptr);
    EXPECT_EQ(buffer.n_bytes(), 40U);
  }
  EXPECT_EQ(FakeCuda::n_calls("cudaMalloc"), 1U);
  EXPECT_EQ(FakeCuda::n_calls("cudaFree"), 1U);
  EXPECT_EQ(FakeCuda::n_calls("cudaMallocAsync"), 0U);
}

TEST_F(CudaRuntime, OwnersMoveAndReleaseOnce) {
  Stream stream(0);
  Stream moved_stream = std::move(stream);
  Event event(0, EventKind::kCompletion);
  Event moved_event = std::move(event);
  DeviceBuffer<int> buffer(moved_stream, 3);
  DeviceBuffer<int> moved_buffer = std::move(buffer);
  DeviceBuffer<int> assigned(moved_stream, 7);
  assigned = std::move(moved_buffer);
  EXPECT_EQ(assigned.size(), 3U);
  PinnedBuffer<int> pinned(5);
  PinnedBuffer<int> moved_pinned = std::move(pinned);
  moved_pinned[4] = 9;
  EXPECT_EQ(moved_pinned.span().back(), 9);
  moved_event.record(moved_stream);
  moved_event.synchronize();
  EXPECT_TRUE(moved_event.is_reached());
  const DeviceBuffer<int> empty(moved_stream, 0);
  EXPECT_EQ(empty.data(), nullptr);
  EXPECT_EQ(PinnedBuffer<int>(0).data(), nullptr);
}

TEST_F(CudaRuntime, DeviceMemoryStaysUntilItsStreamIsDoneWithIt) {
  for (std::uint64_t order = 1; order <= 10; ++order) {
    SCOPED_TRACE("FURROW_SIMT_STREAMS=late:" + std::to_string(order));
    FakeCuda::set_stream_order(order);
    const Stream stream(0);
    const PinnedBuffer<std::uint8_t> pinned(64);
    {
      const DeviceBuffer<std::uint8_t> buffer(stream, 64);
      check(cudaMemsetAsync(buffer.data(), 7, 64, stream.view().get()));
      check(cudaMemcpyAsync(pinned.data(), buffer.data(), 64, cudaMemcpyDeviceToHost,
                            stream.view().get()));
    }
    stream.view().synchronize();
    EXPECT_EQ(pinned.span().back(), 7);
  }
  FakeCuda::set_stream_order(1);
}

TEST_F(CudaRuntime, OwnersAreAssigned) {
  Stream stream(0);
  Stream other_stream(0);
  const cudaStream_t handle = stream.view().get();
  other_stream = std::move(stream);
  EXPECT_EQ(other_stream.view().get(), handle);
  other_stream.view().synchronize();
  Event event(0, EventKind::kCompletion);
  Event other_event(0, EventKind::kTiming);
  event.record(other_stream);
  other_event = std::move(event);
  other_event.synchronize();
  PinnedBuffer<int> pinned(5);
  PinnedBuffer<int> other_pinned(7);
  other_pinned = std::move(pinned);
  EXPECT_EQ(other_pinned.n_bytes(), 5 * sizeof(int));
}

TEST_F(CudaRuntime, ASinkOfTheLogThatFailsIsNoMatter) {
  const CudaLogSink before =
      set_cuda_log_sink([](CudaLogLevel, std::string_view) { throw std::runtime_error("full"); });
  log(CudaLogLevel::kWarning, "nobody reads this");
  log_unless_success(cudaErrorInvalidValue, "cudaExample");
  set_cuda_log_sink(before);
  EXPECT_TRUE(log_.warnings().empty());
}

TEST_F(CudaRuntime, TimingEventsMeasure) {
  const Stream stream(0);
  Event start(0, EventKind::kTiming);
  Event end(0, EventKind::kTiming);
  start.record(stream);
  end.record(stream);
  end.synchronize();
  EXPECT_GE(milliseconds_between(start, end), 0.0F);
  Event untimed(0, EventKind::kCompletion);
  untimed.record(stream);
  EXPECT_THROW(static_cast<void>(milliseconds_between(start, untimed)), CudaError);
}

TEST_F(CudaRuntime, AnEventThatIsNotReachedIsAnAnswer) {
  Event event(0, EventKind::kCompletion);
  FakeCuda::plant({.api = "cudaEventQuery", .status = cudaErrorNotReady});
  EXPECT_FALSE(event.is_reached());
  EXPECT_TRUE(event.is_reached());
}

TEST_F(CudaRuntime, DestructorsLogAndNeverThrow) {
  {
    const Stream stream(0);
    const DeviceBuffer<int> buffer(stream, 3);
    FakeCuda::plant({.api = "cudaFreeAsync", .status = cudaErrorInvalidValue});
  }
  ASSERT_EQ(log_.warnings().size(), 1U);
  EXPECT_EQ(log_.warnings()[0].find("cudaFreeAsync failed during clean-up: cudaErrorInvalidValue"),
            0U);
  FakeCuda::reset();  // the fake kept what could not be freed
}

TEST_F(CudaRuntime, OnALostDeviceDestructorsAreQuiet) {
  {
    const Stream stream(0);
    const Event event(0, EventKind::kCompletion);
    const DeviceBuffer<int> buffer(stream, 3);
    const PinnedBuffer<int> pinned(3);
    FakeCuda::lose_device(0, cudaErrorIllegalAddress);
  }
  EXPECT_TRUE(log_.warnings().empty());
  EXPECT_GE(log_.debug().size(), 3U);
  FakeCuda::reset();
}

TEST_F(CudaRuntime, DevicesAreListed) {
  std::vector<simt::FakeDevice> fakes = simt::fake_devices(3);
  fakes[1].name = "Old card";
  fakes[1].major = 6;
  fakes[1].minor = 1;
  fakes[2].pci_bus = 0xC1;
  FakeCuda::set_devices(fakes);
  FakeCuda::set_versions(13010, 13000);
  const CudaDevices devices = cuda_devices();
  EXPECT_TRUE(devices.is_built_in);
  EXPECT_EQ(devices.driver_version, 13010);
  EXPECT_EQ(devices.runtime_version, 13000);
  EXPECT_EQ(devices.problem, "");
  ASSERT_EQ(devices.devices.size(), 3U);
  const CudaDeviceInfo& first = devices.devices[0];
  EXPECT_EQ(first.uuid, "GPU-00000000-0000-0000-0000-000000000001");
  EXPECT_EQ(first.pci_id, "0000:01:00.0");
  EXPECT_EQ(first.name, "Furrow SIMT harness");
  EXPECT_EQ(first.compute_major, 9);
  EXPECT_EQ(first.n_multiprocessors, 132);
  EXPECT_EQ(first.clock_khz, 1980000);
  EXPECT_EQ(first.memory_clock_khz, 2619000);
  EXPECT_EQ(first.total_bytes, std::uint64_t{8} << 30);
  EXPECT_TRUE(first.is_supported());
  EXPECT_EQ(devices.devices[1].unsupported_reason, "compute capability 6.1 is below 7.5");
  EXPECT_EQ(devices.devices[2].pci_id, "0000:c1:00.0");
  // Whatever needs a context was not done: it would stay, on cards that nobody uses.
  for (const char* call : {"cudaSetDevice", "cudaStreamCreateWithFlags", "cudaMemGetInfo",
                           "cudaLaunchKernel", "cudaMallocAsync"}) {
    EXPECT_EQ(FakeCuda::n_calls(call), 0U) << call;
  }
}

TEST_F(CudaRuntime, AnOpenedDeviceSaysWhatIsFree) {
  CudaDevices devices = cuda_devices();
  const Stream stream(0);
  const DeviceBuffer<std::uint8_t> taken(stream, 1000);
  open_cuda_device(devices.devices[0]);
  EXPECT_EQ(devices.devices[0].free_bytes, (std::uint64_t{8} << 30) - 1000);
  EXPECT_TRUE(devices.devices[0].is_supported());
}

TEST_F(CudaRuntime, ABrokenDeviceDoesNotHideTheOthers) {
  FakeCuda::set_devices(simt::fake_devices(3));
  FakeCuda::plant(
      {.api = "cudaLaunchKernel", .status = cudaErrorNoKernelImageForDevice, .device = 0});
  FakeCuda::lose_device(1, cudaErrorECCUncorrectable);
  CudaDevices devices = cuda_devices();
  ASSERT_EQ(devices.devices.size(), 3U);
  for (CudaDeviceInfo& device : devices.devices) {
    open_cuda_device(device);
  }
  EXPECT_NE(devices.devices[0].unsupported_reason.find("cudaErrorNoKernelImageForDevice"),
            std::string::npos);
  EXPECT_NE(devices.devices[1].unsupported_reason.find("cudaErrorECCUncorrectable"),
            std::string::npos);
  EXPECT_TRUE(devices.devices[2].is_supported()) << devices.devices[2].unsupported_reason;
}

TEST_F(CudaRuntime, NoDriverAndNoDeviceAreProblemsNotErrors) {
  FakeCuda::set_versions(0, 13000);
  FakeCuda::remove_driver(cudaErrorInsufficientDriver);
  EXPECT_EQ(cuda_devices().problem, "no NVIDIA driver is installed");
  EXPECT_TRUE(cuda_devices().devices.empty());
  EXPECT_THROW(make_cuda_records_encoder({.fallback = fake_encode_on_cpu}), EncoderError);

  FakeCuda::set_devices({});
  const std::string problem = cuda_devices().problem;
  EXPECT_EQ(problem.find("the NVIDIA driver shows no device"), 0U) << problem;
}

TEST(LanePlan, IsTheLargestThatFits) {
  const LaneFootprint footprint{.device_bytes = [](std::size_t batch) { return 10 + 100 * batch; },
                                .pinned_bytes = [](std::size_t batch) { return 2 * batch; }};
  const auto fit = [&](std::uint64_t device, std::uint64_t pinned) {
    return fit_lanes({3, 4}, footprint, {device, pinned});
  };
  EXPECT_EQ(fit(1230, 24), (LanePlan{3, 4}));
  EXPECT_EQ(fit(1229, 24), (LanePlan{3, 3}));
  EXPECT_EQ(fit(1230, 23), (LanePlan{3, 3})) << "pinned memory counts as well";
  EXPECT_EQ(fit(330, 24), (LanePlan{3, 1}));
  EXPECT_EQ(fit(329, 24), (LanePlan{2, 1})) << "batches shrink before lanes go";
  EXPECT_EQ(fit(219, 24), (LanePlan{1, 2})) << "two lanes would take 220";
  EXPECT_EQ(fit(110, 2), (LanePlan{1, 1}));
  EXPECT_EQ(fit(109, 24), std::nullopt);
  EXPECT_EQ(fit(1230, 1), std::nullopt);
}

TEST(LanePlan, ShrinksToOneRecord) {
  std::optional<LanePlan> plan = LanePlan{3, 5};
  std::vector<LanePlan> plans;
  while ((plan = smaller(*plan)).has_value()) {
    plans.push_back(*plan);
  }
  EXPECT_EQ(plans, (std::vector<LanePlan>{{3, 2}, {3, 1}, {2, 1}, {1, 1}}));
}

}  // namespace
}  // namespace furrow::cuda
