// SPDX-License-Identifier: Apache-2.0
#include "tests/sass/decoder/decode_operands.hpp"

namespace furrow::sass {
namespace {

// Where an operand may stand, and where its sign does.
constexpr unsigned kFirstField = 24;
constexpr unsigned kFirstSign = 72;
constexpr unsigned kMiddleField = 32;
constexpr unsigned kMiddleSign = 63;
constexpr unsigned kLastField = 64;
constexpr unsigned kLastSign = 75;
constexpr unsigned kUniformFlag = 91;

/// Whether an operand may have a minus sign, or a not: elsewhere the bits mean something else.
bool may_be_negated(Operation operation, char operand) {
  switch (operation) {
    case Operation::kIadd3:
      return true;
    case Operation::kLea:
      return operand == 'b';
    case Operation::kImad:
      return operand == 'c';
    default:
      return false;
  }
}

Operand take_register_operand(const DecodeContext& context, char name, unsigned field,
                              unsigned sign, bool is_uniform) {
  Operand operand;
  operand.value = take_register(context.fields, field, is_uniform);
  operand.is_negated =
      may_be_negated(context.instruction.operation, name) && context.fields.flag(sign);
  return operand;
}

Operand take_immediate(const DecodeContext& context) {
  return {.kind = Operand::Kind::kImmediate,
          .value = static_cast<std::uint32_t>(context.fields.take(kMiddleField, 32))};
}

Operand take_constant(const DecodeContext& context, char name) {
  Operand operand;
  operand.kind = Operand::Kind::kConstant;
  operand.value = static_cast<std::uint32_t>(context.fields.take(38, 16));
  operand.bank = static_cast<std::uint8_t>(context.fields.take(54, 5));
  if (operand.bank != 0 && operand.bank != 2) {
    throw UnknownInstruction("bank of a constant: expected 0 or 2, actual " +
                             std::to_string(operand.bank));
  }
  context.fields.expect(kUniformFlag, 1, 0);
  operand.is_negated =
      may_be_negated(context.instruction.operation, name) && context.fields.flag(kMiddleSign);
  return operand;
}

}  // namespace

std::uint16_t take_register(Fields& fields, unsigned first, bool is_uniform) {
  const auto number = static_cast<std::uint16_t>(fields.take(first, 8));
  if (!is_uniform) {
    return number;
  }
  if (number > kUniformZero - kFirstUniform) {
    throw UnknownInstruction("a uniform register in bits " + std::to_string(first) +
                             " and on: expected at most 63, actual " + std::to_string(number));
  }
  return static_cast<std::uint16_t>(kFirstUniform + number);
}

void take_sources(const DecodeContext& context, Operands which) {
  Instruction& made = context.instruction;
  Fields& fields = context.fields;
  const bool is_uniform = made.is_uniform;
  if (which != Operands::kB) {
    made.a = take_register_operand(context, 'a', kFirstField, kFirstSign, is_uniform);
  }
  if (is_uniform) {
    fields.expect(kUniformFlag, 1, context.form == 4 && which == Operands::kB ? 0 : 1);
  }
  // In forms 2, 3 and 7 the middle field is the third operand, otherwise the second.
  const bool middle_is_third = context.form == 2 || context.form == 3 || context.form == 7;
  if (middle_is_third && which != Operands::kABC) {
    throw UnknownInstruction(
        "form of an operation without a third operand: expected 1, 4, 5 or "
        "6, actual " +
        std::to_string(context.form));
  }
  const char name = middle_is_third ? 'c' : 'b';
  Operand middle;
  switch (context.form) {
    case 1:
      middle = take_register_operand(context, name, kMiddleField, kMiddleSign, is_uniform);
      break;
    case 2:
    case 4:
      middle = take_immediate(context);
      break;
    case 3:
    case 5:
      middle = take_constant(context, name);
      break;
    case 6:
    case 7:
      fields.expect(kUniformFlag, 1, 1);
      middle = take_register_operand(context, name, kMiddleField, kMiddleSign, true);
      break;
    default:
      throw UnknownInstruction("form of an arithmetic operation: expected 1 to 7, actual " +
                               std::to_string(context.form));
  }
  (middle_is_third ? made.c : made.b) = middle;
  if (which == Operands::kABC) {
    Operand& other = middle_is_third ? made.b : made.c;
    other = take_register_operand(context, middle_is_third ? 'b' : 'c', kLastField, kLastSign,
                                  is_uniform);
  }
}

void take_operands(const DecodeContext& context, Operands which) {
  context.instruction.destination =
      take_register(context.fields, 16, context.instruction.is_uniform);
  take_sources(context, which);
}

PredicateOperand take_predicate(const DecodeContext& context, unsigned first, unsigned negation) {
  const auto number = static_cast<unsigned>(context.fields.take(first, 3)) +
                      (context.instruction.is_uniform ? kFirstUniformPredicate : 0);
  return {.number = static_cast<std::uint8_t>(number), .is_negated = context.fields.flag(negation)};
}

std::uint8_t take_predicate_out(const DecodeContext& context, unsigned first) {
  return static_cast<std::uint8_t>(context.fields.take(first, 3) +
                                   (context.instruction.is_uniform ? kFirstUniformPredicate : 0));
}

std::uint8_t take_width(const DecodeContext& context) {
  static constexpr std::uint8_t kWidths[] = {1, 1, 2, 2, 4, 8, 16};
  const std::uint64_t type = context.fields.take(73, 3);
  if (type > 6) {
    throw UnknownInstruction("width of an access: expected type 0 to 6, actual " +
                             std::to_string(type));
  }
  context.instruction.is_signed = type == 1 || type == 3;
  return kWidths[type];
}

}  // namespace furrow::sass
