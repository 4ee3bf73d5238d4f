// The CUDA engine as the rest of Furrow sees it. No header of CUDA is needed to use it, and a build
// without CUDA has all of it too.
#pragma once

#include <string_view>

namespace furrow {

enum class CudaLogLevel { kDebug, kWarning };

/// Takes one line without an end of line. Called from any thread, several at once.
using CudaLogSink = void (*)(CudaLogLevel level, std::string_view line);

/// Sets where the CUDA engine reports what it cannot throw, and returns what was set before; null
/// means the default, which prints warnings to standard error. Thread-safe.
CudaLogSink set_cuda_log_sink(CudaLogSink sink) noexcept;

}  // namespace furrow
