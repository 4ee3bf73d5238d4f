// SPDX-License-Identifier: Apache-2.0
// Branches, reconvergence, barriers.
#include "tests/sass/decoder/decode_operands.hpp"

namespace furrow::sass {
namespace {

constexpr std::uint64_t kAlways = 7;  // a predicate that is not used, with its sign
constexpr std::int64_t kInstructionBytes = 16;

std::int64_t signed_number(std::uint64_t value, unsigned n_bits) {
  const unsigned unused = 64 - n_bits;
  return static_cast<std::int64_t>(value << unused) >> unused;
}

/// Place that a branch leads to, in bytes from the start of the kernel. It counts from the next
/// instruction on: in bytes before 9.0, since then in words whose low 8 bits stand in bits 16 to
/// 23. Bits 32 and 33 are those of bytes in a word, which BRA uses for something else.
std::int64_t take_target(const DecodeContext& context) {
  Fields& fields = context.fields;
  std::int64_t offset = 0;
  const std::uint64_t middle = fields.take(34, 30);
  const std::uint64_t high = fields.take(64, 18);
  if (context.architecture < 90) {
    offset = signed_number(high << 32 | middle << 2, 50);
  } else {
    offset = 4 * signed_number((high << 30 | middle) << 8 | fields.take(16, 8), 56);
  }
  return (static_cast<std::int64_t>(context.index) + 1) * kInstructionBytes + offset;
}

std::uint32_t instruction_at(std::int64_t bytes) {
  if (bytes < 0 || bytes % kInstructionBytes != 0) {
    throw UnknownInstruction("target of a branch: expected a multiple of 16, actual " +
                             std::to_string(bytes));
  }
  return static_cast<std::uint32_t>(bytes / kInstructionBytes);
}

/// What bits 32 and 33 say of a branch.
enum class BranchMode : std::uint8_t { kPlain, kUnanimous, kDivergent, kConvergent };

void take_branch(const DecodeContext& context) {
  Instruction& made = context.instruction;
  Fields& fields = context.fields;
  made.target = instruction_at(take_target(context));
  const auto mode = static_cast<BranchMode>(fields.take(32, 2));
  if (mode == BranchMode::kPlain || mode == BranchMode::kUnanimous) {
    made.is_unanimous = mode == BranchMode::kUnanimous;
    made.predicates_in[0] = {.number = static_cast<std::uint8_t>(fields.take(87, 3)),
                             .is_negated = fields.flag(90)};
    return;
  }
  // Branches away when not all lanes of a mask are here, or only when all are.
  made.operation = mode == BranchMode::kDivergent ? Operation::kBraDiv : Operation::kBraConv;
  fields.expect(87, 4, kAlways);
  if (fields.flag(91)) {
    made.a.value = kFirstUniform + static_cast<std::uint32_t>(fields.take(24, 6));
    made.a.is_negated = fields.flag(30);
  } else {
    made.a = {.kind = Operand::Kind::kImmediate, .value = 0xFFFFFFFF};
  }
}

void take_warpsync(const DecodeContext& context) {
  constexpr std::uint64_t kImmediateForm = 4;
  Instruction& made = context.instruction;
  Fields& fields = context.fields;
  fields.expect(87, 4, kAlways);
  if (fields.flag(86)) {
    // The way of a warp that does not arrive together at a shuffle or a vote (9.0).
    made.operation = Operation::kCollective;
    fields.take(16, 16);
    fields.take(32, 32);
  } else if (context.form == kImmediateForm) {
    // No lane at all stands for all that are left.
    const auto mask = static_cast<std::uint32_t>(fields.take(32, 32));
    made.a = {.kind = Operand::Kind::kImmediate, .value = mask == 0 ? 0xFFFFFFFFU : mask};
  } else {
    made.a.value = static_cast<std::uint32_t>(fields.take(context.architecture < 90 ? 32 : 24, 8));
  }
}

}  // namespace

void decode_control(const DecodeContext& context, unsigned) {
  constexpr std::uint64_t kRelative = 4;  // .REL without counting references
  Instruction& made = context.instruction;
  Fields& fields = context.fields;
  switch (made.operation) {
    case Operation::kBra:
      take_branch(context);
      break;
    case Operation::kBssy:
      made.barrier = static_cast<std::uint8_t>(fields.take(16, 4));
      fields.take(32, 32);  // where its lanes will meet, which BSYNC knows
      fields.expect(87, 4, kAlways);
      break;
    case Operation::kBsync:
      made.barrier = static_cast<std::uint8_t>(fields.take(16, 4));
      fields.expect(87, 4, kAlways);
      break;
    case Operation::kBreak:
      made.barrier = static_cast<std::uint8_t>(fields.take(16, 4));
      fields.expect(87, 4, kAlways);
      break;
    case Operation::kClearBarrier:
      fields.expect(16, 8, kZeroRegister);
      made.barrier = static_cast<std::uint8_t>(fields.take(24, 4));
      fields.expect(84, 1, 1);  // .CLEAR
      break;
    case Operation::kCall:
      made.target = instruction_at(take_target(context));
      fields.expect(84, 3, kRelative);
      fields.expect(87, 4, kAlways);
      break;
    case Operation::kRet:
      made.a.value = static_cast<std::uint32_t>(fields.take(24, 8));
      made.target = static_cast<std::uint32_t>(take_target(context));
      fields.expect(84, 3, kRelative);
      fields.expect(87, 4, kAlways);
      break;
    case Operation::kWarpsync:
      take_warpsync(context);
      break;
    case Operation::kBar:
      fields.expect(80, 1, context.architecture < 80 ? 0 : 1);  // .DEFER_BLOCKING
      break;
    case Operation::kCollective:
    case Operation::kExit:
      fields.expect(87, 4, kAlways);
      break;
    case Operation::kNop:
      fields.take(87, 4);  // YIELD has a predicate
      break;
    default:
      throw UnknownInstruction("an operation of control without decoder");
  }
}

}  // namespace furrow::sass
