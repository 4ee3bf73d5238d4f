#include <atomic>
#include <cstdio>

#include "cuda/runtime/log.hpp"

namespace furrow {
namespace {

void log_to_standard_error(CudaLogLevel level, std::string_view line) {
  if (level == CudaLogLevel::kWarning) {
    std::fprintf(stderr, "furrow: warning: %.*s\n", static_cast<int>(line.size()), line.data());
  }
}

std::atomic<CudaLogSink> current_sink = log_to_standard_error;

}  // namespace

CudaLogSink set_cuda_log_sink(CudaLogSink sink) noexcept {
  return current_sink.exchange(sink != nullptr ? sink : log_to_standard_error);
}

namespace cuda {

void log(CudaLogLevel level, std::string_view line) noexcept {
  try {
    current_sink.load()(level, line);
  } catch (...) {
    // A sink that fails leaves nothing to report to.
  }
}

}  // namespace cuda
}  // namespace furrow
