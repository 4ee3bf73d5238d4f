// SPDX-License-Identifier: Apache-2.0
// The one check of CUDA statuses, and the errors it throws.
#pragma once

#include <cstddef>
#include <cstdint>
#include <source_location>
#include <string>

#include "furrow/errors.hpp"

#include "cuda/runtime/cuda_api.hpp"

namespace furrow::cuda {

/// What can be done about a failed call.
enum class ErrorClass {
  kRetry,       ///< the device is well; the same work may succeed later or in smaller portions
  kDeviceLost,  ///< sticky: every further call on this device fails as long as the process lives
  kFatal,       ///< a wrong call or a wrong setup; the device is well, but repeating will not help
};

/// Statuses that nobody has classified yet are fatal, which never repeats anything.
[[nodiscard]] ErrorClass classify(cudaError_t status) noexcept;

/// A CUDA call failed.
class CudaError : public Error {
 public:
  /// `call` names the function and may be empty; the place then has to tell.
  CudaError(std::string call, const std::source_location& place, cudaError_t status,
            const std::string& details = {});
  [[nodiscard]] const std::string& call() const noexcept { return call_; }
  [[nodiscard]] const std::source_location& place() const noexcept { return place_; }
  [[nodiscard]] cudaError_t status() const noexcept { return status_; }
  [[nodiscard]] ErrorClass error_class() const noexcept { return classify(status_); }

 private:
  std::string call_;
  std::source_location place_;
  cudaError_t status_;
};

/// An allocation failed for want of memory; the message says which, what was asked, what was free.
class CudaOutOfMemory : public CudaError {
 public:
  /// `memory` is such as "memory of device 0 \"NVIDIA H200\"" or "pinned host memory".
  CudaOutOfMemory(std::string call, const std::source_location& place, std::string memory,
                  std::size_t asked_bytes, std::size_t free_bytes);
  [[nodiscard]] const std::string& memory() const noexcept { return memory_; }
  [[nodiscard]] std::size_t asked_bytes() const noexcept { return asked_bytes_; }
  [[nodiscard]] std::size_t free_bytes() const noexcept { return free_bytes_; }

 private:
  std::string memory_;
  std::size_t asked_bytes_;
  std::size_t free_bytes_;
};

/// Throws CudaError unless `status` is success. The runtime's memory of the failure is cleared, so
/// that a later call is not blamed for it; a sticky error comes back by itself.
void check(cudaError_t status, const char* call = "",
           const std::source_location& place = std::source_location::current());

/// For destructors and the like: reports a failure in the log and never throws. On a device that is
/// lost every release fails, so there it is reported at debug level only; whoever lost it has said
/// so.
void log_unless_success(cudaError_t status, const char* call) noexcept;

/// Makes `device` the one that calls of this thread mean. Throws CudaError.
void use_device(int device, const std::source_location& place = std::source_location::current());

/// Free memory of the current device. Throws CudaError.
[[nodiscard]] std::uint64_t free_device_bytes();

/// `device 0 "NVIDIA H200"`; without the name when it cannot be had.
[[nodiscard]] std::string device_text(int device);

}  // namespace furrow::cuda
