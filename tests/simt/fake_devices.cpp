// SPDX-License-Identifier: Apache-2.0
// The fake runtime: errors, devices and memory.

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "simt/fake_state.hpp"

using furrow::simt::Answers;
using furrow::simt::FakeDevice;
using furrow::simt::FakeState;

namespace {

constexpr std::size_t kSharedPerBlock = 48 * 1024;
constexpr int kBlocksPerMultiprocessor = 32;
constexpr int kRegisters = 65536;
constexpr std::size_t kReservedShared = 1024;

/// Nullptr for a number that no device has.
FakeState::DeviceState* device_at(int device) {
  FakeState& state = FakeState::instance();
  return device >= 0 && static_cast<std::size_t>(device) < state.devices.size()
             ? state.devices[static_cast<std::size_t>(device)].get()
             : nullptr;
}

FakeState::DeviceState* current() {
  return device_at(FakeState::current_device());
}

}  // namespace

// Begins every function of the runtime: counts the call and answers for it when it is to fail.
#define FURROW_SIMT_ENTER(...)                                                      \
  FakeState& state = FakeState::instance();                                         \
  const std::lock_guard lock(state.mutex);                                          \
  if (const cudaError_t status = state.enter(__VA_ARGS__); status != cudaSuccess) { \
    return FakeState::finish(status);                                               \
  }

extern "C" {

// --- Errors ---

const char* cudaGetErrorName(cudaError_t error) {
  switch (error) {
#define FURROW_SIMT_NAME(name, number) \
  case name:                           \
    return #name;
    FURROW_SIMT_STATUSES(FURROW_SIMT_NAME)
#undef FURROW_SIMT_NAME
  }
  return "unrecognized error code";
}

const char* cudaGetErrorString(cudaError_t error) {
  switch (error) {
    case cudaSuccess:
      return "no error";
    case cudaErrorMemoryAllocation:
      return "out of memory";
    case cudaErrorNoDevice:
      return "no CUDA-capable device is detected";
    case cudaErrorInsufficientDriver:
      return "CUDA driver version is insufficient for CUDA runtime version";
    case cudaErrorInvalidDevice:
      return "invalid device ordinal";
    case cudaErrorIllegalAddress:
      return "an illegal memory access was encountered";
    case cudaErrorLaunchFailure:
      return "unspecified launch failure";
    default:
      return "a failure of the fake runtime";
  }
}

cudaError_t cudaPeekAtLastError() {
  const FakeState::DeviceState* device = current();
  return device != nullptr && device->lost != cudaSuccess ? device->lost : FakeState::last_error();
}

cudaError_t cudaGetLastError() {
  const cudaError_t error = cudaPeekAtLastError();
  FakeState::last_error() = cudaSuccess;
  return error;
}

// --- Devices ---

cudaError_t cudaDriverGetVersion(int* version) {
  FakeState& state = FakeState::instance();
  const std::lock_guard lock(state.mutex);
  // Without a driver the answer is version 0, no failure.
  static_cast<void>(state.enter("cudaDriverGetVersion", Answers::kAlways));
  *version = state.no_driver == cudaErrorInsufficientDriver ? 0 : state.driver_version;
  return cudaSuccess;
}

cudaError_t cudaRuntimeGetVersion(int* version) {
  FakeState& state = FakeState::instance();
  const std::lock_guard lock(state.mutex);
  static_cast<void>(state.enter("cudaRuntimeGetVersion", Answers::kAlways));
  *version = state.runtime_version;
  return cudaSuccess;
}

cudaError_t cudaGetDeviceCount(int* count) {
  *count = 0;
  FURROW_SIMT_ENTER("cudaGetDeviceCount", Answers::kAlways)
  *count = static_cast<int>(state.devices.size());
  return FakeState::finish(state.devices.empty() ? cudaErrorNoDevice : cudaSuccess);
}

cudaError_t cudaSetDevice(int device) {
  FURROW_SIMT_ENTER("cudaSetDevice", Answers::kAlways)
  if (device_at(device) == nullptr) {
    return FakeState::finish(state.devices.empty() ? cudaErrorNoDevice : cudaErrorInvalidDevice);
  }
  FakeState::current_device() = device;
  return cudaSuccess;
}

cudaError_t cudaGetDevice(int* device) {
  FURROW_SIMT_ENTER("cudaGetDevice", Answers::kAlways)
  *device = FakeState::current_device();
  return cudaSuccess;
}

cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int device) {
  FURROW_SIMT_ENTER("cudaGetDeviceProperties", Answers::kAlways)
  const FakeState::DeviceState* shown = device_at(device);
  if (shown == nullptr) {
    return FakeState::finish(cudaErrorInvalidDevice);
  }
  const FakeDevice& from = shown->properties;
  cudaDeviceProp to{};
  std::snprintf(to.name, sizeof(to.name), "%s", from.name.c_str());
  std::memcpy(to.uuid.bytes, from.uuid.data(), from.uuid.size());
  to.totalGlobalMem = from.memory_bytes;
  to.sharedMemPerBlock = kSharedPerBlock;
  to.regsPerBlock = kRegisters;
  to.warpSize = 32;
  to.maxThreadsPerBlock = 1024;
  to.maxThreadsDim[0] = to.maxThreadsDim[1] = 1024;
  to.maxThreadsDim[2] = 64;
  to.maxGridSize[0] = 0x7FFFFFFF;
  to.maxGridSize[1] = to.maxGridSize[2] = 65535;
  to.major = from.major;
  to.minor = from.minor;
  to.multiProcessorCount = from.n_multiprocessors;
  to.concurrentKernels = 1;
  to.pciBusID = from.pci_bus;
  to.pciDeviceID = from.pci_device;
  to.pciDomainID = from.pci_domain;
  to.asyncEngineCount = 2;
  to.unifiedAddressing = 1;
  to.memoryBusWidth = from.memory_bus_bits;
  to.l2CacheSize = from.l2_bytes;
  to.maxThreadsPerMultiProcessor = from.threads_per_multiprocessor;
  to.sharedMemPerMultiprocessor = from.shared_opt_in_bytes + kReservedShared;
  to.regsPerMultiprocessor = kRegisters;
  to.sharedMemPerBlockOptin = from.shared_opt_in_bytes;
  to.maxBlocksPerMultiProcessor = kBlocksPerMultiprocessor;
  to.memoryPoolsSupported = from.has_memory_pools ? 1 : 0;
  *properties = to;
  return cudaSuccess;
}

cudaError_t cudaDeviceGetAttribute(int* value, cudaDeviceAttr attribute, int device) {
  FURROW_SIMT_ENTER("cudaDeviceGetAttribute", Answers::kAlways)
  const FakeState::DeviceState* shown = device_at(device);
  if (shown == nullptr) {
    return FakeState::finish(cudaErrorInvalidDevice);
  }
  const FakeDevice& properties = shown->properties;
  switch (attribute) {
    case cudaDevAttrMaxThreadsPerBlock:
      *value = 1024;
      break;
    case cudaDevAttrMaxSharedMemoryPerBlock:
      *value = static_cast<int>(kSharedPerBlock);
      break;
    case cudaDevAttrWarpSize:
      *value = 32;
      break;
    case cudaDevAttrMaxRegistersPerBlock:
    case cudaDevAttrMaxRegistersPerMultiprocessor:
      *value = kRegisters;
      break;
    case cudaDevAttrClockRate:
      *value = properties.clock_khz;
      break;
    case cudaDevAttrMultiProcessorCount:
      *value = properties.n_multiprocessors;
      break;
    case cudaDevAttrIntegrated:
    case cudaDevAttrComputeMode:
    case cudaDevAttrEccEnabled:
      *value = 0;
      break;
    case cudaDevAttrConcurrentKernels:
      *value = 1;
      break;
    case cudaDevAttrPciBusId:
      *value = properties.pci_bus;
      break;
    case cudaDevAttrPciDeviceId:
      *value = properties.pci_device;
      break;
    case cudaDevAttrPciDomainId:
      *value = properties.pci_domain;
      break;
    case cudaDevAttrMemoryClockRate:
      *value = properties.memory_clock_khz;
      break;
    case cudaDevAttrGlobalMemoryBusWidth:
      *value = properties.memory_bus_bits;
      break;
    case cudaDevAttrL2CacheSize:
      *value = properties.l2_bytes;
      break;
    case cudaDevAttrMaxThreadsPerMultiProcessor:
      *value = properties.threads_per_multiprocessor;
      break;
    case cudaDevAttrAsyncEngineCount:
      *value = 2;
      break;
    case cudaDevAttrComputeCapabilityMajor:
      *value = properties.major;
      break;
    case cudaDevAttrComputeCapabilityMinor:
      *value = properties.minor;
      break;
    case cudaDevAttrMaxSharedMemoryPerMultiprocessor:
      *value = static_cast<int>(properties.shared_opt_in_bytes + kReservedShared);
      break;
    case cudaDevAttrMaxSharedMemoryPerBlockOptin:
      *value = static_cast<int>(properties.shared_opt_in_bytes);
      break;
    case cudaDevAttrMaxBlocksPerMultiprocessor:
      *value = kBlocksPerMultiprocessor;
      break;
    case cudaDevAttrReservedSharedMemoryPerBlock:
      *value = static_cast<int>(kReservedShared);
      break;
    case cudaDevAttrMemoryPoolsSupported:
      *value = properties.has_memory_pools ? 1 : 0;
      break;
    default:
      return FakeState::finish(cudaErrorInvalidValue);
  }
  return cudaSuccess;
}

cudaError_t cudaDeviceGetPCIBusId(char* bus_id, int n_bytes, int device) {
  FURROW_SIMT_ENTER("cudaDeviceGetPCIBusId", Answers::kAlways)
  const FakeState::DeviceState* shown = device_at(device);
  if (shown == nullptr || bus_id == nullptr || n_bytes <= 0) {
    return FakeState::finish(shown == nullptr ? cudaErrorInvalidDevice : cudaErrorInvalidValue);
  }
  std::snprintf(bus_id, static_cast<std::size_t>(n_bytes), "%04X:%02X:%02X.0",
                static_cast<unsigned>(shown->properties.pci_domain),
                static_cast<unsigned>(shown->properties.pci_bus),
                static_cast<unsigned>(shown->properties.pci_device));
  return cudaSuccess;
}

cudaError_t cudaDeviceGetByPCIBusId(int* device, const char* bus_id) {
  FURROW_SIMT_ENTER("cudaDeviceGetByPCIBusId", Answers::kAlways)
  for (std::size_t i = 0; i < state.devices.size(); ++i) {
    char name[32];
    cudaDeviceGetPCIBusId(name, sizeof(name), static_cast<int>(i));
    if (std::strcmp(name, bus_id) == 0) {
      *device = static_cast<int>(i);
      return cudaSuccess;
    }
  }
  return FakeState::finish(cudaErrorInvalidDevice);
}

cudaError_t cudaMemGetInfo(std::size_t* free_bytes, std::size_t* total_bytes) {
  FURROW_SIMT_ENTER("cudaMemGetInfo")
  const FakeState::DeviceState* device = current();
  if (device == nullptr) {
    return FakeState::finish(cudaErrorNoDevice);
  }
  *total_bytes = device->properties.memory_bytes;
  *free_bytes = device->properties.memory_bytes - device->used_bytes - device->kept_bytes;
  return cudaSuccess;
}

// --- Memory ---

cudaError_t cudaFree(void* memory) {
  FakeState& state = FakeState::instance();
  state.wait_if_hanging(FakeState::current_device());
  state.join_device_of(memory);
  const auto held = state.queues.hold_steps();
  const std::lock_guard lock(state.mutex);
  // A lost device says so, but what its process held is gone with it: no leak of the owner.
  const cudaError_t status = state.enter("cudaFree");
  const cudaError_t released = state.release(memory, true);
  return FakeState::finish(status != cudaSuccess ? status : released);
}

cudaError_t cudaFreeHost(void* memory) {
  FakeState& state = FakeState::instance();
  state.wait_if_hanging(FakeState::current_device());
  const auto held = state.queues.hold_steps();
  const std::lock_guard lock(state.mutex);
  const cudaError_t status = state.enter("cudaFreeHost");
  const cudaError_t released = state.release(memory, false);
  return FakeState::finish(status != cudaSuccess ? status : released);
}

cudaError_t cudaDeviceGetDefaultMemPool(cudaMemPool_t* pool, int device) {
  FURROW_SIMT_ENTER("cudaDeviceGetDefaultMemPool")
  FakeState::DeviceState* shown = device_at(device);
  if (shown == nullptr) {
    return FakeState::finish(cudaErrorInvalidDevice);
  }
  if (!shown->properties.has_memory_pools) {
    return FakeState::finish(cudaErrorNotSupported);
  }
  *pool = &shown->pool;
  return cudaSuccess;
}

cudaError_t cudaMemPoolSetAttribute(cudaMemPool_t pool, cudaMemPoolAttr attribute, void* value) {
  FURROW_SIMT_ENTER("cudaMemPoolSetAttribute")
  if (pool == nullptr || value == nullptr || attribute != cudaMemPoolAttrReleaseThreshold) {
    return FakeState::finish(cudaErrorInvalidValue);
  }
  std::memcpy(&device_at(pool->device)->release_threshold, value, sizeof(std::uint64_t));
  return cudaSuccess;
}

cudaError_t cudaMemPoolGetAttribute(cudaMemPool_t pool, cudaMemPoolAttr attribute, void* value) {
  FURROW_SIMT_ENTER("cudaMemPoolGetAttribute")
  if (pool == nullptr || value == nullptr) {
    return FakeState::finish(cudaErrorInvalidValue);
  }
  const FakeState::DeviceState& device = *device_at(pool->device);
  std::uint64_t answer = device.release_threshold;
  if (attribute == cudaMemPoolAttrUsedMemCurrent) {
    answer = device.used_bytes;
  } else if (attribute == cudaMemPoolAttrReservedMemCurrent) {
    answer = device.used_bytes + device.kept_bytes;
  }
  std::memcpy(value, &answer, sizeof(answer));
  return cudaSuccess;
}

cudaError_t cudaMemPoolTrimTo(cudaMemPool_t pool, std::size_t n_bytes_to_keep) {
  FURROW_SIMT_ENTER("cudaMemPoolTrimTo")
  if (pool == nullptr) {
    return FakeState::finish(cudaErrorInvalidValue);
  }
  FakeState::DeviceState& device = *device_at(pool->device);
  device.kept_bytes = std::min(device.kept_bytes, n_bytes_to_keep);
  return cudaSuccess;
}

}  // extern "C"

namespace furrow::simt {

cudaError_t malloc_device(void** memory, std::size_t n_bytes) {
  FURROW_SIMT_ENTER("cudaMalloc")
  return FakeState::finish(current() == nullptr
                               ? cudaErrorNoDevice
                               : state.allocate(memory, n_bytes, FakeState::current_device()));
}

cudaError_t malloc_host(const char* api, void** memory, std::size_t n_bytes) {
  FURROW_SIMT_ENTER(api)
  return FakeState::finish(state.allocate(memory, n_bytes, -1));
}

cudaError_t set_kernel_attribute(const void* kernel, cudaFuncAttribute attribute, int value) {
  FURROW_SIMT_ENTER("cudaFuncSetAttribute")
  FakeState::DeviceState* device = current();
  if (device == nullptr) {
    return FakeState::finish(cudaErrorNoDevice);
  }
  if (attribute == cudaFuncAttributeMaxDynamicSharedMemorySize) {
    if (value < 0 || static_cast<std::size_t>(value) > device->properties.shared_opt_in_bytes) {
      return FakeState::finish(cudaErrorInvalidValue);
    }
    device->max_dynamic_shared[kernel] = static_cast<std::size_t>(value);
  } else {
    if (value < -1 || value > 100) {
      return FakeState::finish(cudaErrorInvalidValue);
    }
    device->shared_percent[kernel] = value;
  }
  return cudaSuccess;
}

cudaError_t blocks_per_multiprocessor(int* n_blocks, int block_threads,
                                      std::size_t dynamic_shared) {
  FURROW_SIMT_ENTER("cudaOccupancyMaxActiveBlocksPerMultiprocessor")
  const FakeState::DeviceState* device = current();
  if (device == nullptr || block_threads <= 0) {
    return FakeState::finish(device == nullptr ? cudaErrorNoDevice : cudaErrorInvalidValue);
  }
  const std::size_t shared = device->properties.shared_opt_in_bytes + kReservedShared;
  const std::size_t by_shared = shared / (dynamic_shared + kReservedShared);
  const auto by_threads =
      static_cast<std::size_t>(device->properties.threads_per_multiprocessor / block_threads);
  *n_blocks =
      static_cast<int>(std::min<std::size_t>({by_shared, by_threads, kBlocksPerMultiprocessor}));
  return cudaSuccess;
}

}  // namespace furrow::simt
