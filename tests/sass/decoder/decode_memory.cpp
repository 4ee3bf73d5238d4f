// SPDX-License-Identifier: Apache-2.0
// Memory, and what goes between lanes.
#include "tests/sass/decoder/decode_operands.hpp"

namespace furrow::sass {
namespace {

constexpr unsigned kUnused = 7;

std::int32_t take_offset(Fields& fields) {
  const auto raw = static_cast<std::uint32_t>(fields.take(40, 24));
  return static_cast<std::int32_t>(raw << 8) >> 8;
}

/// A uniform register in `first` and on if there is one; otherwise nothing or the zero register
/// stands there. True if there is.
bool take_uniform(const DecodeContext& context, unsigned first, std::uint16_t& number) {
  Fields& fields = context.fields;
  if (fields.flag(91)) {
    number = static_cast<std::uint16_t>(kFirstUniform + fields.take(first, 6));
    return true;
  }
  const std::uint64_t unused = fields.take(first, 8);
  if (unused != 0 && unused != 255) {
    throw UnknownInstruction("a uniform register that is not used: expected 0 or 255, actual " +
                             std::to_string(unused));
  }
  return false;
}

/// Scopes, orders and the wishes for caches have no influence on results here: blocks run one after
/// the other.
void take_order_and_cache(const DecodeContext& context) {
  context.fields.take(77, 4);
}

void take_global_address(const DecodeContext& context, bool is_load) {
  Instruction& made = context.instruction;
  Fields& fields = context.fields;
  made.address.base = static_cast<std::uint16_t>(fields.take(24, 8));
  fields.expect(72, 1, 1);  // .E: 64 bits
  std::uint16_t uniform = kUniformZero;
  const bool has_uniform = take_uniform(context, is_load ? 32 : 64, uniform);
  const bool is_descriptor =
      has_uniform && fields.flag(made.operation == Operation::kAtomg ? 71 : 76);
  made.address.offset = take_offset(fields);
  // A descriptor says how memory is cached; what is no descriptor is added to the address.
  if (has_uniform && !is_descriptor) {
    made.address.uniform = uniform;
  }
  made.address.base_is_64 = !has_uniform;
  take_order_and_cache(context);
}

/// With a uniform register a flag says how wide the other one is.
void take_base_width(const DecodeContext& context, unsigned flag) {
  if (context.instruction.address.base_is_64) {
    return;
  }
  context.instruction.address.base_is_64 = context.fields.flag(flag);
}

void take_shared_address(const DecodeContext& context, bool is_load) {
  Instruction& made = context.instruction;
  Fields& fields = context.fields;
  made.address.base = static_cast<std::uint16_t>(fields.take(24, 8));
  made.address.offset = take_offset(fields);
  static constexpr std::uint8_t kScales[] = {1, 4, 8, 16};
  made.address.scale = kScales[fields.take(78, 2)];
  std::uint16_t uniform = kUniformZero;
  if (take_uniform(context, is_load ? 32 : 64, uniform)) {
    made.address.uniform = uniform;
  }
}

void take_data(const DecodeContext& context) {
  context.instruction.b.value = static_cast<std::uint32_t>(context.fields.take(32, 8));
}

void take_atomic(const DecodeContext& context, unsigned n_bits) {
  Instruction& made = context.instruction;
  const std::uint64_t operation = context.fields.take(87, n_bits);
  if (operation > static_cast<std::uint64_t>(Atomic::kExchange)) {
    throw UnknownInstruction("an atomic operation: expected 0 to 8, actual " +
                             std::to_string(operation));
  }
  made.atomic = static_cast<Atomic>(operation);
  // 0 and 2 are unsigned words of 32 and of 64 bits on all architectures.
  const std::uint64_t type = context.fields.take(73, context.architecture >= 90 ? 4 : 3);
  if (type != 0 && type != 2) {
    throw UnknownInstruction("type of an atomic operation: expected 0 or 2, actual " +
                             std::to_string(type));
  }
  made.bytes = type == 0 ? 4 : 8;
}

void take_shuffle(const DecodeContext& context) {
  Instruction& made = context.instruction;
  Fields& fields = context.fields;
  made.destination = take_register(fields, 16, false);
  made.a.value = static_cast<std::uint32_t>(fields.take(24, 8));
  made.shuffle = static_cast<ShuffleMode>(fields.take(58, 2));
  made.predicates_out[0] = take_predicate_out(context, 81);
  const auto immediate = [&](unsigned first, unsigned count) {
    return Operand{.kind = Operand::Kind::kImmediate,
                   .value = static_cast<std::uint32_t>(fields.take(first, count))};
  };
  const auto in_register = [&](unsigned first) {
    return Operand{.value = static_cast<std::uint32_t>(fields.take(first, 8))};
  };
  // Forms 1, 2, 4 and 7: the lane and the limits are registers or immediates.
  const bool immediate_lane = context.form == 4 || context.form == 7;
  const bool immediate_limits = context.form == 2 || context.form == 7;
  made.b = immediate_lane ? immediate(53, 5) : in_register(32);
  made.c = immediate_limits ? immediate(40, 13) : in_register(64);
}

}  // namespace

void decode_memory(const DecodeContext& context, unsigned opcode) {
  Instruction& made = context.instruction;
  Fields& fields = context.fields;
  switch (made.operation) {
    case Operation::kLdc:
      made.destination = take_register(fields, 16, made.is_uniform);
      made.bytes = take_width(context);
      made.a.kind = Operand::Kind::kConstant;
      made.a.value = static_cast<std::uint32_t>(fields.take(38, 16));
      fields.expect(54, 5, 0);  // the bank
      if (!made.is_uniform) {
        fields.expect(24, 8, kZeroRegister);  // no index
      }
      break;
    case Operation::kLdg:
      made.destination = take_register(fields, 16, false);
      take_global_address(context, true);
      take_base_width(context, 90);
      made.bytes = take_width(context);
      fields.expect(81, 3, kUnused);
      fields.take(84, 3);  // for caches
      break;
    case Operation::kStg:
      take_data(context);
      take_global_address(context, false);
      take_base_width(context, 90);
      made.bytes = take_width(context);
      fields.take(84, 3);  // for caches
      break;
    case Operation::kLds:
      made.destination = take_register(fields, 16, false);
      take_shared_address(context, true);
      made.bytes = take_width(context);
      if (context.architecture < 80) {
        fields.take(76, 1);  // .U, which lets the unit take a short cut
      }
      break;
    case Operation::kSts:
      take_data(context);
      take_shared_address(context, false);
      made.bytes = take_width(context);
      break;
    case Operation::kAtoms:
      made.destination = take_register(fields, 16, false);
      take_data(context);
      take_shared_address(context, false);
      take_atomic(context, 4);
      break;
    case Operation::kAtomg:
      take_data(context);
      take_global_address(context, false);
      if (opcode == 0x18E) {  // RED: no result
        take_base_width(context, 90);
        take_atomic(context, 3);
      } else {
        made.destination = take_register(fields, 16, false);
        fields.expect(81, 3, kUnused);
        take_base_width(context, 70);
        take_atomic(context, 4);
      }
      fields.take(84, 3);  // for caches
      break;
    case Operation::kShfl:
      take_shuffle(context);
      break;
    case Operation::kVote:
      made.destination = take_register(fields, 16, made.is_uniform);
      fields.expect(72, 2, 1);  // .ANY: who voted yes, and whether anybody did
      made.predicates_out[0] = take_predicate_out(context, 81);
      // Even the uniform vote counts a predicate of lanes.
      made.predicates_in[0] = {.number = static_cast<std::uint8_t>(fields.take(87, 3)),
                               .is_negated = fields.flag(90)};
      break;
    case Operation::kR2ur:
      made.destination = take_register(fields, 16, true);
      made.a.value = static_cast<std::uint32_t>(fields.take(24, 8));
      fields.expect(81, 3, kUnused);
      break;
    case Operation::kRedux: {
      made.destination = take_register(fields, 16, true);
      made.a.value = static_cast<std::uint32_t>(fields.take(24, 8));
      made.is_signed = fields.flag(73);
      const std::uint64_t reduction = fields.take(78, 3);
      if (reduction > static_cast<std::uint64_t>(Reduction::kMax)) {
        throw UnknownInstruction("a reduction: expected 0 to 5, actual " +
                                 std::to_string(reduction));
      }
      made.reduction = static_cast<Reduction>(reduction);
      break;
    }
    case Operation::kS2r:
      made.destination = take_register(fields, 16, made.is_uniform);
      made.special = static_cast<std::uint8_t>(fields.take(72, 8));
      if (opcode == 0x005) {
        made.is_64 = fields.flag(80);
      }
      break;
    default:
      throw UnknownInstruction("an operation of memory without decoder");
  }
}

}  // namespace furrow::sass
