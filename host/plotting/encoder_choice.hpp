// Which encoder a user's word stands for.
#pragma once

#include <memory>
#include <string_view>

#include "furrow/records_encoder.hpp"

#include "host/plotting/cpu_records_encoder.hpp"

namespace furrow {

/// Makes the encoder named `kind`: "cpu", "cpu-scalar" (no SIMD, for comparison), or "auto", which
/// is the best one this build and this machine have. `options.mode` is set by it. Throws
/// InvalidArgument, listing the known names, for any other.
std::unique_ptr<RecordsEncoder> make_records_encoder(std::string_view kind,
                                                     CpuRecordsEncoder::Options options);

/// SIMD mode that belongs to an encoder name; throws like make_records_encoder.
SimdMode simd_mode_of_encoder(std::string_view kind);

}  // namespace furrow
