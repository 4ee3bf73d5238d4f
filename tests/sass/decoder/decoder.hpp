// SPDX-License-Identifier: Apache-2.0
// Code of compute capability 7.5 to 9.0 made readable. An instruction has 128 bits:
//
//   0-8      operation                     9-11    kinds of the operands
//   12-15    predicate                     16-23   destination
//   24-31    first operand                 32-63   second or third operand
//   64-71    third or second operand       72-104  modifiers, predicates
//   105-125  scheduling, which has no influence on results
#pragma once

#include <vector>

#include "tests/sass/cubin/cubin.hpp"
#include "tests/sass/decoder/instruction.hpp"

namespace furrow::sass {

/// Throws UnknownInstruction, which names the kernel, the place and the bits.
std::vector<Instruction> decode(const CompiledKernel& kernel);

/// The instruction at `index` of a kernel.
Instruction decode_one(const Words& words, std::size_t index, unsigned architecture);

}  // namespace furrow::sass
