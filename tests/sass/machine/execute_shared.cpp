// SPDX-License-Identifier: Apache-2.0
// Shared memory: bounds, alignment, races.
#include "tests/sass/counters/counters.hpp"
#include "tests/sass/machine/execute.hpp"

namespace furrow::sass {
namespace {

std::string hex(std::uint32_t number) {
  char text[16];
  std::snprintf(text, sizeof text, "0x%x", number);
  return text;
}

/// Addresses of all lanes; those of `active` are in bounds and in line.
Lanes addresses(Context& context, const Instruction& in, bool is_atomic) {
  const Address& address = in.address;
  const Warp& warp = *context.warp;
  const std::uint32_t add =
      warp.registers[address.uniform].at[0] + static_cast<std::uint32_t>(address.offset);
  const Lanes& base = warp.registers[address.base];
  const std::uint32_t scale = address.scale;
  const Lanes result = for_lanes([&](unsigned i) { return base.at[i] * scale + add; });
  if (in.bytes < 2) {
    context.fail(
        "shared memory: expected accesses of at least 2 bytes, which is how finely races "
        "are told, actual 1");
  }
  visit_lanes(context.active, [&](unsigned i) {
    const std::uint32_t at = result.at[i];
    if (at % in.bytes != 0) {
      context.fail("shared memory: expected a multiple of " + std::to_string(in.bytes) +
                   ", actual address " + hex(at) + " of lane " + std::to_string(i));
    }
    if (!context.shared.contains(at, in.bytes)) {
      context.fail("shared memory: expected " + std::to_string(in.bytes) + " bytes between " +
                   hex(context.shared.first()) + " and " + hex(context.shared.end()) +
                   ", actual address " + hex(at) + " of lane " + std::to_string(i));
    }
  });
  if (context.counters != nullptr) {
    context.counters->shared_access(context.at, context.active, result, in.bytes, is_atomic);
  }
  return result;
}

void note(Context& context, std::uint32_t at, unsigned bytes, SharedMemory::Access access) {
  if (access != SharedMemory::Access::kWrite && !context.shared.is_written(at, bytes)) {
    context.add(Finding::kUnwrittenShared);
  }
  if (!context.shared.note(at, bytes, context.warp->number, access)) {
    context.add(Finding::kSharedRace);
  }
}

/// Narrow values as registers have them.
std::uint32_t widen(const Instruction& in, std::uint32_t value) {
  if (!in.is_signed || in.bytes >= 4) {
    return value;
  }
  const unsigned unused = 32 - 8 * in.bytes;
  return static_cast<std::uint32_t>(static_cast<std::int32_t>(value << unused) >> unused);
}

}  // namespace

void execute_lds(Context& context, const Linked& linked) {
  const Instruction& in = linked.instruction;
  const Lanes from = addresses(context, in, false);
  const unsigned n_words = in.bytes < 4 ? 1 : in.bytes / 4;
  Lanes words[4];
  std::uint32_t last = 0;
  bool is_first = true;
  visit_lanes(context.active, [&](unsigned i) {
    const std::uint32_t at = from.at[i];
    std::uint32_t value[4] = {};
    std::memcpy(value, context.shared.at(at), in.bytes);
    for (unsigned k = 0; k < n_words; ++k) {
      words[k].at[i] = value[k];
    }
    if (is_first || at != last) {  // many lanes read the same place
      note(context, at, in.bytes, SharedMemory::Access::kRead);
    }
    is_first = false;
    last = at;
  });
  if (in.bytes < 4) {
    words[0] = for_lanes([&](unsigned i) { return widen(in, words[0].at[i]); });
  }
  for (unsigned k = 0; k < n_words; ++k) {
    write(context, destination(context, linked, k), words[k]);
  }
}

void execute_sts(Context& context, const Linked& linked) {
  const Instruction& in = linked.instruction;
  const Lanes to = addresses(context, in, false);
  const unsigned n_words = in.bytes < 4 ? 1 : in.bytes / 4;
  const bool is_zero = in.b.value == kZeroRegister;
  const auto& registers = context.warp->registers;
  ++context.n_stores;
  visit_lanes(context.active, [&](unsigned i) {
    const std::uint32_t at = to.at[i];
    std::uint32_t value[4] = {};
    for (unsigned k = 0; k < n_words && !is_zero; ++k) {
      value[k] = registers[in.b.value + k].at[i];
    }
    if (!context.shared.note_value(at, in.bytes, value, context.n_stores)) {
      context.add(Finding::kTwoValues);
    }
    note(context, at, in.bytes, SharedMemory::Access::kWrite);
    std::memcpy(context.shared.at(at), value, in.bytes);
    context.shared.mark_written(at, in.bytes);
  });
}

void execute_atoms(Context& context, const Linked& linked) {
  const Instruction& in = linked.instruction;
  if (in.bytes != 4) {
    context.fail("ATOMS: expected 4 bytes, actual " + std::to_string(in.bytes));
  }
  const Lanes to = addresses(context, in, true);
  const Lanes& operands = low_word(context, linked.b);
  Lanes old;
  visit_lanes(context.active, [&](unsigned i) {
    const std::uint32_t at = to.at[i];
    note(context, at, in.bytes, SharedMemory::Access::kAtomic);
    std::memcpy(&old.at[i], context.shared.at(at), sizeof(std::uint32_t));
    const auto made =
        static_cast<std::uint32_t>(atomic_result(context, in, old.at[i], operands.at[i]));
    std::memcpy(context.shared.at(at), &made, sizeof(made));
    context.shared.mark_written(at, in.bytes);
  });
  write(context, destination(context, linked), old);
}

std::uint64_t atomic_result(Context& context, const Instruction& instruction, std::uint64_t old,
                            std::uint64_t operand) {
  switch (instruction.atomic) {
    case Atomic::kAdd:
      return old + operand;
    case Atomic::kMin:
      return old < operand ? old : operand;
    case Atomic::kMax:
      return old > operand ? old : operand;
    case Atomic::kAnd:
      return old & operand;
    case Atomic::kOr:
      return old | operand;
    case Atomic::kXor:
      return old ^ operand;
    case Atomic::kExchange:
      return operand;
    default:
      context.fail("an atomic operation: expected a known one, actual number " +
                   std::to_string(static_cast<unsigned>(instruction.atomic)));
  }
}

}  // namespace furrow::sass
