// SPDX-License-Identifier: Apache-2.0
#include <atomic>

#include "cuda/runtime/log.hpp"

namespace furrow {
namespace {

std::atomic<CudaLogSink> current_sink = nullptr;

}  // namespace

CudaLogSink set_cuda_log_sink(CudaLogSink sink) noexcept {
  return current_sink.exchange(sink);
}

namespace cuda {

void log(CudaLogLevel level, std::string_view line) noexcept {
  try {
    if (const CudaLogSink sink = current_sink) {
      sink(level, line);
    }
  } catch (...) {
    // A sink that fails leaves nothing to report to.
  }
}

}  // namespace cuda
}  // namespace furrow
