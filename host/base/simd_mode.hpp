// SPDX-License-Identifier: Apache-2.0
// Choice between the scalar twins and the SIMD code of this machine.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace furrow {

/// Every hot loop exists twice: a scalar form, which is the oracle, and a Highway form compiled for
/// several instruction sets, of which the best one the processor has is chosen at run time. Both
/// give the same bytes.
enum class SimdMode {
  kScalar,
  kBest,
};

/// Instruction sets that kBest can mean on this machine, fastest first: of "avx3" (AVX-512),
/// "avx2", "sse4", "ssse3", then "portable" (Highway's code for one lane) and "scalar" (the twins).
std::vector<std::string> simd_targets();

/// Makes kBest mean one of simd_targets() in the whole process, to test it or to compare speeds.
/// Throws InvalidArgument for another name. Not while other threads compute.
void choose_simd_target(std::string_view name);

/// Name of the instruction set that `mode` uses on this machine, as in simd_targets().
std::string simd_target_name(SimdMode mode);

/// Whether `mode` means the scalar twins.
bool uses_scalar(SimdMode mode);

}  // namespace furrow
