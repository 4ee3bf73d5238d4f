// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <cstdio>
#include <cstdlib>
#include <string>

#include <dlfcn.h>

#include "furrow/cuda.hpp"

#include "cuda/runtime/check.hpp"
#include "cuda/runtime/stream.hpp"
#include "cuda/simt.cuh"

namespace furrow {
namespace {

using cuda::check;
using cuda::CudaError;

/// Oldest architecture that the kernels are compiled for.
constexpr int kOldestMajor = 7;
constexpr int kOldestMinor = 5;

std::string uuid_text(const cudaUUID_t& uuid) {
  std::string result = "GPU";
  for (std::size_t i = 0; i < sizeof(uuid.bytes); ++i) {
    std::array<char, 3> digits{};
    std::snprintf(digits.data(), digits.size(), "%02x", static_cast<unsigned char>(uuid.bytes[i]));
    result += (i == 0 || i == 4 || i == 6 || i == 8 || i == 10) ? "-" : "";
    result += digits.data();
  }
  return result;
}

std::string pci_text(const cudaDeviceProp& properties) {
  std::array<char, 32> text{};
  std::snprintf(
      text.data(), text.size(), "%04x:%02x:%02x.0", static_cast<unsigned>(properties.pciDomainID),
      static_cast<unsigned>(properties.pciBusID), static_cast<unsigned>(properties.pciDeviceID));
  return text.data();
}

int attribute(cudaDeviceAttr which, int device) {
  int value = 0;
  if (cudaDeviceGetAttribute(&value, which, device) != cudaSuccess) {
    static_cast<void>(cudaGetLastError());
    return 0;
  }
  return value;
}

void describe(CudaDeviceInfo& info) {
  cudaDeviceProp properties{};
  check(cudaGetDeviceProperties(&properties, info.index), "cudaGetDeviceProperties");
  info.uuid = uuid_text(properties.uuid);
  info.pci_id = pci_text(properties);
  info.name = properties.name;
  info.compute_major = properties.major;
  info.compute_minor = properties.minor;
  info.n_multiprocessors = properties.multiProcessorCount;
  info.total_bytes = properties.totalGlobalMem;
  info.clock_khz = attribute(cudaDevAttrClockRate, info.index);
  info.memory_clock_khz = attribute(cudaDevAttrMemoryClockRate, info.index);
}

/// Runs nothing: that this program has code for the device, and that the device runs it, is what it
/// shows.
__global__ void __launch_bounds__(1) do_nothing() {
  THREADS_AT_MOST(1);
}

CudaDeviceInfo device_info(int index) {
  CudaDeviceInfo info;
  info.index = index;
  try {
    describe(info);
    if (info.compute_major < kOldestMajor ||
        (info.compute_major == kOldestMajor && info.compute_minor < kOldestMinor)) {
      info.unsupported_reason = "compute capability " + std::to_string(info.compute_major) + "." +
                                std::to_string(info.compute_minor) + " is below " +
                                std::to_string(kOldestMajor) + "." + std::to_string(kOldestMinor);
    }
  } catch (const CudaError& error) {
    info.unsupported_reason = error.what();
  }
  return info;
}

std::string version_text(int version) {
  return std::to_string(version / 1000) + "." + std::to_string(version % 1000 / 10);
}

/// What is wrong with a driver that is there; empty when there is none. The runtime takes one that
/// is cut short, for another machine, or that lacks a library of its own for none at all.
std::string why_driver_cannot_be_loaded() {
  void* const library = dlopen("libcuda.so.1", RTLD_NOW | RTLD_LOCAL);
  if (library != nullptr) {
    dlclose(library);
    return {};
  }
  const char* const said = dlerror();
  const std::string why = said != nullptr ? said : "";
  // Another library in its place is one that the driver needs: that is worth saying.
  const bool is_absent = why.starts_with("libcuda.so.1:") &&
                         why.find("No such file or directory") != std::string::npos;
  return is_absent ? std::string() : why;
}

/// Why the runtime counts no devices.
std::string problem_text(cudaError_t status, const CudaDevices& devices) {
  if (status == cudaErrorInsufficientDriver && devices.driver_version == 0) {
    const std::string why = why_driver_cannot_be_loaded();
    return "no NVIDIA driver is installed" + (why.empty() ? "" : " that can be loaded: " + why);
  }
  if (status == cudaErrorInsufficientDriver) {
    return "the NVIDIA driver is too old: it has CUDA " + version_text(devices.driver_version) +
           ", this program needs " + version_text(devices.runtime_version);
  }
  if (status == cudaErrorNoDevice || status == cudaSuccess) {
    const char* const visible = std::getenv("CUDA_VISIBLE_DEVICES");
    return "the NVIDIA driver shows no device" +
           (visible != nullptr ? "; CUDA_VISIBLE_DEVICES is '" + std::string(visible) + "'" : "");
  }
  return std::string("CUDA cannot list devices: ") + cudaGetErrorName(status) + ": " +
         cudaGetErrorString(status);
}

}  // namespace

CudaDevices cuda_devices() {
  CudaDevices result;
  result.is_built_in = true;
  // Both leave 0 when they fail, which is what "unknown" is shown as.
  static_cast<void>(cudaDriverGetVersion(&result.driver_version));
  static_cast<void>(cudaRuntimeGetVersion(&result.runtime_version));
  int n_devices = 0;
  const cudaError_t status = cudaGetDeviceCount(&n_devices);
  static_cast<void>(cudaGetLastError());
  if (status != cudaSuccess || n_devices == 0) {
    result.problem = problem_text(status, result);
    return result;
  }
  for (int index = 0; index < n_devices; ++index) {
    result.devices.push_back(device_info(index));
  }
  static_cast<void>(cudaGetLastError());
  return result;
}

void open_cuda_device(CudaDeviceInfo& device) {
  try {
    // A device that is reserved, broken or of an architecture that this program was not compiled
    // for shows it here.
    const cuda::Stream stream(device.index);
    cuda::launch(do_nothing, {dim3(1), dim3(1)}, stream.view().get());
    stream.view().synchronize();
    device.free_bytes = cuda::free_device_bytes();
  } catch (const CudaError& error) {
    device.unsupported_reason = error.what();
  }
}

}  // namespace furrow
