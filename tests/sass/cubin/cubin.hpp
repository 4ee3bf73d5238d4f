// SPDX-License-Identifier: Apache-2.0
// Kernels as ptxas compiled them, out of a cubin or out of whatever has cubins in it: an object of
// nvcc, or the fat binary that a program hands to the CUDA runtime (both with --no-compress).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tests/sass/cubin/elf_file.hpp"

namespace furrow::sass {

/// Where a parameter lies among those of its kernel.
struct Parameter {
  std::uint32_t offset = 0;
  std::uint32_t bytes = 0;
};

/// An instruction as it stands in the code.
struct Words {
  std::uint64_t low = 0;
  std::uint64_t high = 0;
};

struct CompiledKernel {
  std::string name;  ///< as the compiler mangled it
  unsigned architecture = 0;
  std::uint32_t n_registers = 0;
  /// Bytes of static shared memory that a block has, with those that the driver keeps, which are
  /// the first ones.
  std::uint32_t shared_bytes = 0;
  std::uint32_t reserved_shared_bytes = 0;
  std::uint32_t max_threads = 0;    ///< of a block
  std::uint32_t parameters_at = 0;  ///< in constant bank 0
  std::uint32_t parameters_bytes = 0;
  std::vector<Parameter> parameters;
  std::vector<Words> code;
  std::vector<std::uint8_t> constants;  ///< bank 2: of the compiler
};

/// The kernels for `architecture` (75, 86, ...) in all cubins of `bytes`. Throws BadCubin.
std::vector<CompiledKernel> read_kernels(Bytes bytes, unsigned architecture);

/// `furrow::cuda::make_table<20u, 4u>`: without its parameters.
std::string readable_name(const std::string& mangled);

}  // namespace furrow::sass
