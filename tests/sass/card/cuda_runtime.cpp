// SPDX-License-Identifier: Apache-2.0
// The functions of the CUDA runtime that our programs call, for a program that runs on the card of
// card.hpp. Whatever is enqueued is done before the call returns. Errors of kernels are exceptions
// out of the launch.
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <utility>

#include <cuda_runtime_api.h>

#include "tests/sass/card/card.hpp"

namespace {

using furrow::sass::Bytes;
using furrow::sass::Card;
using furrow::sass::LaunchShape;

constexpr std::size_t kMemoryBytes = std::size_t{16} << 30;
constexpr int kVersion = 13000;

std::uint64_t address_of(const void* device_pointer) {
  return reinterpret_cast<std::uintptr_t>(device_pointer);
}

/// What nvcc puts beside a program: where the cubins are.
struct FatBinaryWrapper {
  int magic;
  int version;
  const std::uint8_t* data;
  void* other;
};

struct FatBinaryHeader {
  std::uint32_t magic;
  std::uint16_t version;
  std::uint16_t header_bytes;
  std::uint64_t bytes;
};

Bytes fat_binary_of(void** handle) {
  const auto* const wrapper = reinterpret_cast<const FatBinaryWrapper*>(handle);
  FatBinaryHeader header{};
  std::memcpy(&header, wrapper->data, sizeof(header));
  return {wrapper->data, header.header_bytes + header.bytes};
}

cudaError_t allocate(void** pointer, std::size_t size) {
  if (size > kMemoryBytes - Card::instance().memory().used_bytes()) {
    return cudaErrorMemoryAllocation;
  }
  *pointer = reinterpret_cast<void*>(Card::instance().memory().allocate(size));
  return cudaSuccess;
}

cudaError_t free_memory(void* pointer) {
  if (pointer != nullptr) {
    Card::instance().memory().free(address_of(pointer));
  }
  return cudaSuccess;
}

struct Event {
  std::chrono::steady_clock::time_point at;
};

}  // namespace

extern "C" {

void** __cudaRegisterFatBinary(void* wrapper) {
  return static_cast<void**>(wrapper);
}
void __cudaRegisterFatBinaryEnd(void**) {}
void __cudaUnregisterFatBinary(void**) {}
void __cudaRegisterFunction(void** handle, const char* function, char*, const char* name, int,
                            uint3*, uint3*, dim3*, dim3*, int*) {
  Card::instance().register_function(function, name, fat_binary_of(handle));
}
// Variables of libraries that no kernel of ours reads.
void __cudaRegisterVar(void**, char*, char*, const char*, int, std::size_t, int, int) {}
// The <<< >>> form of a launch, which the kernels' stubs have and nobody uses.
cudaError_t __cudaGetKernel(cudaKernel_t*, const void*) {
  return cudaErrorNotSupported;
}
cudaError_t __cudaLaunchKernel(cudaKernel_t, dim3, dim3, void**, std::size_t, cudaStream_t) {
  return cudaErrorNotSupported;
}
cudaError_t __cudaPopCallConfiguration(dim3*, dim3*, std::size_t*, void*) {
  return cudaErrorNotSupported;
}

cudaError_t cudaLaunchKernel(const void* function, dim3 grid, dim3 block, void** parameters,
                             std::size_t dynamic_shared, cudaStream_t) {
  Card::instance().launch(function,
                          LaunchShape{.grid = {grid.x, grid.y, grid.z},
                                      .block = {block.x, block.y, block.z},
                                      .dynamic_shared = static_cast<std::uint32_t>(dynamic_shared)},
                          parameters);
  return cudaSuccess;
}

cudaError_t cudaMalloc(void** pointer, std::size_t size) {
  return allocate(pointer, size);
}
cudaError_t cudaMallocAsync(void** pointer, std::size_t size, cudaStream_t) {
  return allocate(pointer, size);
}
cudaError_t cudaFree(void* pointer) {
  return free_memory(pointer);
}
cudaError_t cudaFreeAsync(void* pointer, cudaStream_t) {
  return free_memory(pointer);
}
cudaError_t cudaHostAlloc(void** pointer, std::size_t size, unsigned) {
  *pointer = std::malloc(size);
  return *pointer == nullptr ? cudaErrorMemoryAllocation : cudaSuccess;
}
cudaError_t cudaFreeHost(void* pointer) {
  std::free(pointer);
  return cudaSuccess;
}

cudaError_t cudaMemcpyAsync(void* to, const void* from, std::size_t size, cudaMemcpyKind kind,
                            cudaStream_t) {
  auto& memory = Card::instance().memory();
  if (size == 0) {
    return cudaSuccess;
  }
  switch (kind) {
    case cudaMemcpyHostToDevice:
      std::memcpy(memory.to_write(address_of(to), size), from, size);
      return cudaSuccess;
    case cudaMemcpyDeviceToHost:
      std::memcpy(to, memory.to_read(address_of(from), size), size);
      return cudaSuccess;
    case cudaMemcpyDeviceToDevice:
      std::memmove(memory.to_write(address_of(to), size), memory.to_read(address_of(from), size),
                   size);
      return cudaSuccess;
    default:
      return cudaErrorInvalidMemcpyDirection;
  }
}

cudaError_t cudaMemsetAsync(void* to, int value, std::size_t size, cudaStream_t) {
  std::memset(Card::instance().memory().to_write(address_of(to), size), value, size);
  return cudaSuccess;
}

cudaError_t cudaMemGetInfo(std::size_t* free_bytes, std::size_t* total_bytes) {
  *total_bytes = kMemoryBytes;
  *free_bytes = kMemoryBytes - Card::instance().memory().used_bytes();
  return cudaSuccess;
}

cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned) {
  *stream = reinterpret_cast<cudaStream_t>(std::malloc(1));
  return cudaSuccess;
}
cudaError_t cudaStreamDestroy(cudaStream_t stream) {
  std::free(stream);
  return cudaSuccess;
}
cudaError_t cudaStreamSynchronize(cudaStream_t) {
  return cudaSuccess;
}
cudaError_t cudaStreamQuery(cudaStream_t) {
  return cudaSuccess;
}

cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned) {
  *event = reinterpret_cast<cudaEvent_t>(new Event);
  return cudaSuccess;
}
cudaError_t cudaEventDestroy(cudaEvent_t event) {
  delete reinterpret_cast<Event*>(event);
  return cudaSuccess;
}
cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t) {
  reinterpret_cast<Event*>(event)->at = std::chrono::steady_clock::now();
  return cudaSuccess;
}
cudaError_t cudaEventQuery(cudaEvent_t) {
  return cudaSuccess;
}
cudaError_t cudaEventSynchronize(cudaEvent_t) {
  return cudaSuccess;
}
cudaError_t cudaEventElapsedTime(float* milliseconds, cudaEvent_t start, cudaEvent_t end) {
  const auto passed = reinterpret_cast<Event*>(end)->at - reinterpret_cast<Event*>(start)->at;
  *milliseconds = std::chrono::duration<float, std::milli>(passed).count();
  return cudaSuccess;
}

cudaError_t cudaGetDeviceCount(int* count) {
  *count = 1;
  return cudaSuccess;
}
cudaError_t cudaGetDevice(int* device) {
  *device = 0;
  return cudaSuccess;
}
cudaError_t cudaSetDevice(int device) {
  return device == 0 ? cudaSuccess : cudaErrorInvalidDevice;
}
cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int) {
  std::memset(properties, 0, sizeof(*properties));
  std::strcpy(properties->name, "interpreter of SASS");
  properties->major = static_cast<int>(Card::instance().architecture() / 10);
  properties->minor = static_cast<int>(Card::instance().architecture() % 10);
  properties->totalGlobalMem = kMemoryBytes;
  properties->multiProcessorCount = 1;
  return cudaSuccess;
}
cudaError_t cudaDeviceGetAttribute(int* value, cudaDeviceAttr attribute, int) {
  const auto processor = furrow::sass::multiprocessor_of(Card::instance().architecture());
  switch (attribute) {
    case cudaDevAttrMemoryPoolsSupported:
      *value = 1;
      return cudaSuccess;
    case cudaDevAttrMaxThreadsPerMultiProcessor:
      *value = static_cast<int>(processor.threads);
      return cudaSuccess;
    case cudaDevAttrMaxSharedMemoryPerMultiprocessor:
      *value = static_cast<int>(processor.shared_bytes);
      return cudaSuccess;
    case cudaDevAttrReservedSharedMemoryPerBlock:
      *value = static_cast<int>(processor.kept_bytes);
      return cudaSuccess;
    default:
      return cudaErrorInvalidValue;
  }
}
cudaError_t cudaFuncSetAttribute(const void* function, cudaFuncAttribute attribute, int value) {
  return attribute == cudaFuncAttributePreferredSharedMemoryCarveout &&
                 Card::instance().prefer_shared(function, value)
             ? cudaSuccess
             : cudaErrorInvalidValue;
}
cudaError_t cudaDriverGetVersion(int* version) {
  *version = kVersion;
  return cudaSuccess;
}
cudaError_t cudaRuntimeGetVersion(int* version) {
  *version = kVersion;
  return cudaSuccess;
}
cudaError_t cudaGetLastError() {
  return cudaSuccess;
}
const char* cudaGetErrorName(cudaError_t status) {
  return status == cudaSuccess ? "cudaSuccess" : "an error of the interpreter's runtime";
}
const char* cudaGetErrorString(cudaError_t status) {
  return cudaGetErrorName(status);
}

}  // extern "C"
