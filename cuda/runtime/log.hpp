// SPDX-License-Identifier: Apache-2.0
// Where the CUDA parts report what nobody can catch, such as a failure in a destructor. They know
// no logging library; the host hands them a sink.
#pragma once

#include <string_view>

#include "furrow/cuda.hpp"

namespace furrow::cuda {

/// Reports one line through the sink that was set by set_cuda_log_sink. Thread-safe; never throws.
void log(CudaLogLevel level, std::string_view line) noexcept;

}  // namespace furrow::cuda
