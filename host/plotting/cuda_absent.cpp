// SPDX-License-Identifier: Apache-2.0
// The CUDA engine of a build that has none.
#include <atomic>

#include "furrow/cuda.hpp"

namespace furrow {

CudaDevices cuda_devices() {
  CudaDevices result;
  result.problem = "this program was built without CUDA";
  return result;
}

void open_cuda_device(CudaDeviceInfo& device) {
  device.unsupported_reason = "this program was built without CUDA";
}

CudaTrial try_cuda_device(int /*device*/, const PosSeed& /*seed*/, Record& /*record*/,
                          FoundProofs& /*found_proofs*/) {
  throw EncoderError("this program was built without CUDA");
}

// NOLINTNEXTLINE(performance-unnecessary-value-param): the real one keeps its options
std::unique_ptr<CudaEncoder> make_cuda_records_encoder(CudaEncoderOptions /*options*/) {
  throw EncoderError("encoder cuda: this program was built without CUDA");
}

// NOLINTNEXTLINE(performance-unnecessary-value-param): the real one keeps its options
CudaMemoryPlan plan_cuda_memory(CudaEncoderOptions /*options*/, std::uint64_t /*free_bytes*/) {
  throw EncoderError("memory of an encoder cuda: this program was built without CUDA");
}

CudaLogSink set_cuda_log_sink(CudaLogSink sink) noexcept {
  static std::atomic<CudaLogSink> current = nullptr;  // nobody reports to it
  return current.exchange(sink);
}

}  // namespace furrow
