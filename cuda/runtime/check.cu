// SPDX-License-Identifier: Apache-2.0
#include <string_view>
#include <utility>

#include "cuda/runtime/check.hpp"
#include "cuda/runtime/log.hpp"

namespace furrow::cuda {
namespace {

/// Path from the folder cuda/ on, whatever directory the build ran in.
std::string_view short_path(std::string_view path) {
  const std::size_t at = path.rfind("/cuda/");
  return at == std::string_view::npos ? path : path.substr(at + 1);
}

std::string status_text(cudaError_t status) {
  return std::string(cudaGetErrorName(status)) + " (" + std::to_string(static_cast<int>(status)) +
         "): " + cudaGetErrorString(status);
}

std::string message(const std::string& call, const std::source_location& place, cudaError_t status,
                    const std::string& details) {
  return (call.empty() ? std::string("CUDA call") : call) + " failed at " +
         std::string(short_path(place.file_name())) + ":" + std::to_string(place.line()) + ": " +
         status_text(status) + (details.empty() ? "" : "; " + details);
}

}  // namespace

ErrorClass classify(cudaError_t status) noexcept {
  switch (status) {
    case cudaErrorMemoryAllocation:
    case cudaErrorNotReady:
    case cudaErrorDevicesUnavailable:
    case cudaErrorSystemNotReady:
      return ErrorClass::kRetry;
    case cudaErrorIllegalAddress:
    case cudaErrorLaunchTimeout:
    case cudaErrorLaunchFailure:
    case cudaErrorHardwareStackError:
    case cudaErrorIllegalInstruction:
    case cudaErrorMisalignedAddress:
    case cudaErrorInvalidAddressSpace:
    case cudaErrorInvalidPc:
    case cudaErrorAssert:
    case cudaErrorECCUncorrectable:
    case cudaErrorNvlinkUncorrectable:
    case cudaErrorContained:
    case cudaErrorTensorMemoryLeak:
    case cudaErrorExternalDevice:
    case cudaErrorContextIsDestroyed:
    case cudaErrorCudartUnloading:
    case cudaErrorMpsClientTerminated:
    case cudaErrorNoDevice:
    case cudaErrorUnknown:
      return ErrorClass::kDeviceLost;
    default:
      return ErrorClass::kFatal;
  }
}

CudaError::CudaError(std::string call, const std::source_location& place, cudaError_t status,
                     const std::string& details)
    : Error(ErrorKind::kUnavailable, message(call, place, status, details),
            {.expected = "cudaSuccess", .actual = cudaGetErrorName(status)}),
      call_(std::move(call)),
      place_(place),
      status_(status) {}

CudaOutOfMemory::CudaOutOfMemory(std::string call, const std::source_location& place,
                                 std::string memory, std::size_t asked_bytes,
                                 std::size_t free_bytes)
    : CudaError(std::move(call), place, cudaErrorMemoryAllocation,
                memory + ": asked for " + std::to_string(asked_bytes) + " bytes, free " +
                    std::to_string(free_bytes)),
      memory_(std::move(memory)),
      asked_bytes_(asked_bytes),
      free_bytes_(free_bytes) {}

void check(cudaError_t status, const char* call, const std::source_location& place) {
  if (status != cudaSuccess) {
    static_cast<void>(cudaGetLastError());
    throw CudaError(call, place, status);
  }
}

void log_unless_success(cudaError_t status, const char* call) noexcept {
  if (status == cudaSuccess) {
    return;
  }
  try {
    static_cast<void>(cudaGetLastError());
    log(classify(status) == ErrorClass::kDeviceLost ? CudaLogLevel::kDebug : CudaLogLevel::kWarning,
        std::string(call) + " failed during clean-up: " + status_text(status));
  } catch (...) {
    log(CudaLogLevel::kWarning, "a CUDA call failed during clean-up, and so did describing it");
  }
}

void use_device(int device, const std::source_location& place) {
  check(cudaSetDevice(device), "cudaSetDevice", place);
}

std::uint64_t free_device_bytes() {
  std::size_t free_bytes = 0;
  std::size_t total_bytes = 0;
  check(cudaMemGetInfo(&free_bytes, &total_bytes), "cudaMemGetInfo");
  return free_bytes;
}

std::string device_text(int device) {
  cudaDeviceProp properties{};
  std::string number = "device " + std::to_string(device);
  if (cudaGetDeviceProperties(&properties, device) != cudaSuccess) {
    static_cast<void>(cudaGetLastError());
    return number;
  }
  return number + " \"" + properties.name + "\"";
}

}  // namespace furrow::cuda
