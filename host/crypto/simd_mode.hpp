// Choice between the scalar twins and the SIMD code of this machine.
#pragma once

namespace furrow {

/// Every hot loop exists twice: a scalar form, which is the oracle, and a Highway form compiled for
/// several instruction sets, of which the best one the processor has is chosen at run time. Both
/// give the same bytes.
enum class SimdMode {
  kScalar,
  kBest,
};

/// Name of the instruction set that `mode` uses on this machine, such as "AVX2" or "scalar".
const char* simd_target_name(SimdMode mode);

}  // namespace furrow
