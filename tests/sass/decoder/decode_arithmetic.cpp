// SPDX-License-Identifier: Apache-2.0
// Integers, logic, comparisons, conversions.
#include "tests/sass/decoder/decode_operands.hpp"

namespace furrow::sass {
namespace {

constexpr unsigned kNever = 15;  // "not true", in the 4 bits of a predicate that is not used
constexpr unsigned kUnused = 7;  // a predicate that nobody wants

void take_comparison(const DecodeContext& context) {
  Instruction& made = context.instruction;
  Fields& fields = context.fields;
  made.is_extended = fields.flag(72);
  made.is_signed = fields.flag(73);
  const std::uint64_t combination = fields.take(74, 2);
  if (combination > 2) {
    throw UnknownInstruction("combination of a comparison: expected 0 to 2, actual 3");
  }
  made.combination = static_cast<Combination>(combination);
  made.comparison = static_cast<Comparison>(fields.take(76, 3));
  made.predicates_out[0] = take_predicate_out(context, 81);
  fields.expect(84, 3, kUnused);
  made.predicates_in[0] = take_predicate(context, 87, 90);
  // That of the comparison of the words below; without .EX it does not matter.
  const PredicateOperand below = take_predicate(context, 68, 71);
  if (made.is_extended) {
    made.predicates_in[1] = below;
  }
}

void take_sum(const DecodeContext& context) {
  Instruction& made = context.instruction;
  Fields& fields = context.fields;
  made.is_extended = fields.flag(74);
  made.predicates_out[0] = take_predicate_out(context, 81);
  made.predicates_out[1] = take_predicate_out(context, 84);
  if (made.is_extended) {
    made.predicates_in[0] = take_predicate(context, 87, 90);
    made.predicates_in[1] = take_predicate(context, 77, 80);
  } else {
    fields.expect(87, 4, kNever);
    fields.expect(77, 4, kNever);
  }
}

void take_lea(const DecodeContext& context) {
  Instruction& made = context.instruction;
  Fields& fields = context.fields;
  made.is_extended = fields.flag(74);
  made.shift = static_cast<std::uint8_t>(fields.take(75, 5));
  made.is_high = fields.flag(80);
  made.predicates_out[0] = take_predicate_out(context, 81);
  if (made.is_extended) {
    made.predicates_in[0] = take_predicate(context, 87, 90);
  } else {
    fields.expect(87, 4, kNever);
  }
}

void take_product(const DecodeContext& context) {
  Instruction& made = context.instruction;
  made.is_signed = context.fields.flag(73);
  if (made.operation == Operation::kImad) {
    made.is_extended = context.fields.flag(74);
    context.fields.expect(81, 3, kUnused);
  } else {
    made.predicates_out[0] = take_predicate_out(context, 81);
  }
  if (made.is_extended) {
    made.predicates_in[0] = take_predicate(context, 87, 90);
  } else {
    context.fields.expect(87, 4, kNever);
  }
}

void take_shift(const DecodeContext& context) {
  Instruction& made = context.instruction;
  const std::uint64_t type = context.fields.take(73, 2);
  made.is_64 = type < 2;
  made.is_signed = type % 2 == 0;
  made.wraps = context.fields.flag(75);
  made.is_right = context.fields.flag(76);
  made.is_high = context.fields.flag(80);
}

void take_predicate_logic(const DecodeContext& context) {
  Instruction& made = context.instruction;
  Fields& fields = context.fields;
  const std::uint64_t low = fields.take(64, 3);
  made.tables[0] = static_cast<std::uint8_t>(low | fields.take(72, 5) << 3);
  made.tables[1] = static_cast<std::uint8_t>(fields.take(16, 8));
  made.predicates_in[2] = take_predicate(context, 68, 71);
  if (fields.flag(67)) {  // the third one is uniform
    made.predicates_in[2].number =
        static_cast<std::uint8_t>(made.predicates_in[2].number + kFirstUniformPredicate);
  }
  made.predicates_in[1] = take_predicate(context, 77, 80);
  made.predicates_in[0] = take_predicate(context, 87, 90);
  made.predicates_out[0] = take_predicate_out(context, 81);
  made.predicates_out[1] = take_predicate_out(context, 84);
}

/// From and to floating point: the two that divisions of integers need, as they need them. Bits 75
/// and 76 and bits 84 and 85 are the widths of result and source, 78 and 79 the rounding.
void take_conversion(const DecodeContext& context) {
  constexpr std::uint64_t k32Bits = 2;
  constexpr std::uint64_t k64Bits = 3;
  constexpr std::uint64_t kUp = 2;
  constexpr std::uint64_t kToZero = 3;
  Instruction& made = context.instruction;
  Fields& fields = context.fields;
  const std::uint64_t integer = made.is_64 ? k64Bits : k32Bits;
  if (made.operation == Operation::kI2f) {
    fields.expect(74, 1, 0);  // unsigned
    fields.expect(75, 2, k32Bits);
    fields.expect(78, 2, kUp);
    fields.expect(84, 2, integer);
  } else {
    fields.expect(72, 1, 0);  // unsigned
    fields.expect(75, 2, integer);
    fields.expect(77, 1, made.is_64 ? 0 : 1);  // .NTZ
    fields.expect(78, 2, kToZero);
    fields.expect(80, 1, made.is_64 ? 0 : 1);  // .FTZ
    fields.expect(84, 2, k32Bits);
  }
}

/// HFMA2.MMA as compilers use it to move a constant: -0 * 0 + two halves.
void take_move_by_halves(const DecodeContext& context) {
  Instruction& made = context.instruction;
  Fields& fields = context.fields;
  if (context.architecture != 80 && context.architecture != 90) {
    throw UnknownInstruction("operation 53: expected compute capability 8.0 or 9.0, actual " +
                             std::to_string(context.architecture));
  }
  made.destination = take_register(fields, 16, false);
  fields.expect(24, 8, kZeroRegister);
  fields.expect(64, 8, kZeroRegister);
  fields.expect(72, 1, 1);  // minus
  made.b = {.kind = Operand::Kind::kImmediate,
            .value = static_cast<std::uint32_t>(fields.take(32, 32))};
  for (const std::uint32_t half : {made.b.value & 0xFFFF, made.b.value >> 16}) {
    constexpr std::uint32_t kExponent = 0x7C00;
    if ((half & kExponent) == kExponent) {
      throw UnknownInstruction("HFMA2.MMA: expected two finite halves, actual " +
                               std::to_string(made.b.value));
    }
  }
}

}  // namespace

void decode_arithmetic(const DecodeContext& context, unsigned opcode) {
  Instruction& made = context.instruction;
  Fields& fields = context.fields;
  switch (made.operation) {
    case Operation::kMov:
      if (opcode == 0x035) {
        take_move_by_halves(context);
        break;
      }
      take_operands(context, Operands::kB);
      if (!made.is_uniform) {
        fields.expect(72, 4, 15);  // all four bytes
      }
      break;
    case Operation::kSel:
      take_operands(context, Operands::kAB);
      made.predicates_in[0] = take_predicate(context, 87, 90);
      break;
    case Operation::kIadd3:
      if (opcode == 0x036) {  // VIADD: two operands and no predicates
        take_operands(context, Operands::kAB);
      } else {
        take_operands(context, Operands::kABC);
        take_sum(context);
      }
      break;
    case Operation::kLea:
      take_operands(context, Operands::kABC);
      take_lea(context);
      break;
    case Operation::kLop3:
      take_operands(context, Operands::kABC);
      made.tables[0] = static_cast<std::uint8_t>(fields.take(72, 8));
      made.predicates_out[0] = take_predicate_out(context, 81);
      fields.expect(87, 4, kNever);
      break;
    case Operation::kPrmt:
      take_operands(context, Operands::kABC);
      break;
    case Operation::kShf:
      take_operands(context, Operands::kABC);
      take_shift(context);
      break;
    case Operation::kImnmx:
      take_operands(context, Operands::kAB);
      made.is_signed = fields.flag(73);
      made.predicates_in[0] = take_predicate(context, 87, 90);
      if (opcode == 0x048) {  // VIMNMX
        fields.expect(81, 6, 63);
      }
      break;
    case Operation::kViaddmnmx:
      take_operands(context, Operands::kABC);
      made.is_signed = fields.flag(73);
      made.predicates_in[0] = take_predicate(context, 87, 90);
      break;
    case Operation::kImad:
    case Operation::kImadWide:
    case Operation::kImadHi:
      take_operands(context, Operands::kABC);
      take_product(context);
      break;
    case Operation::kIsetp:
      take_sources(context, Operands::kAB);
      take_comparison(context);
      break;
    case Operation::kPlop3:
      take_predicate_logic(context);
      break;
    case Operation::kP2r:
      take_operands(context, Operands::kAB);
      break;
    case Operation::kR2p:
      take_sources(context, Operands::kAB);
      break;
    case Operation::kFlo:
      take_operands(context, Operands::kB);
      made.gives_shift = fields.flag(74);
      fields.expect(81, 3, kUnused);
      break;
    case Operation::kPopc:
    case Operation::kBrev:
      take_operands(context, Operands::kB);
      break;
    case Operation::kI2f:
    case Operation::kF2i:
      made.is_64 = opcode == 0x111 || opcode == 0x112;
      take_operands(context, Operands::kB);
      take_conversion(context);
      break;
    case Operation::kRcp:
      take_operands(context, Operands::kB);
      fields.expect(74, 6, 4);  // MUFU.RCP
      break;
    default:
      throw UnknownInstruction("an arithmetic operation without decoder");
  }
}

}  // namespace furrow::sass
