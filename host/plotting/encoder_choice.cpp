#include "host/plotting/encoder_choice.hpp"

#include <string>
#include <utility>

namespace furrow {

SimdMode simd_mode_of_encoder(std::string_view kind) {
  if (kind == "auto" || kind == "cpu") {
    return SimdMode::kBest;
  }
  if (kind == "cpu-scalar") {
    return SimdMode::kScalar;
  }
  throw InvalidArgument("unknown encoder '" + std::string(kind) +
                        "': expected auto, cpu or cpu-scalar");
}

std::unique_ptr<RecordsEncoder> make_records_encoder(std::string_view kind,
                                                     CpuRecordsEncoder::Options options) {
  options.mode = simd_mode_of_encoder(kind);
  return std::make_unique<CpuRecordsEncoder>(std::move(options));
}

}  // namespace furrow
