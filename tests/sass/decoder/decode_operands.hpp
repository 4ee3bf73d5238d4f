// SPDX-License-Identifier: Apache-2.0
// Parts that many instructions have in the same places.
#pragma once

#include "tests/sass/decoder/fields.hpp"
#include "tests/sass/decoder/instruction.hpp"

namespace furrow::sass {

struct DecodeContext {
  Fields& fields;
  Instruction& instruction;
  std::size_t index;
  unsigned architecture;
  unsigned form;  ///< bits 9 to 11
};

/// A register in 8 bits; of the uniform datapath if `is_uniform`.
std::uint16_t take_register(Fields& fields, unsigned first, bool is_uniform);

/// Which operands an operation of the arithmetic kind has.
enum class Operands { kB, kAB, kABC };

/// Operands by the form, with their signs, and the destination.
void take_operands(const DecodeContext& context, Operands which);
/// Likewise without a destination: what it computes is a predicate.
void take_sources(const DecodeContext& context, Operands which);

PredicateOperand take_predicate(const DecodeContext& context, unsigned first, unsigned negation);
std::uint8_t take_predicate_out(const DecodeContext& context, unsigned first);

/// Types of memory accesses; the width in bytes.
std::uint8_t take_width(const DecodeContext& context);

void decode_arithmetic(const DecodeContext& context, unsigned opcode);
void decode_memory(const DecodeContext& context, unsigned opcode);
void decode_control(const DecodeContext& context, unsigned opcode);

}  // namespace furrow::sass
