// SPDX-License-Identifier: Apache-2.0
// Branches, reconvergence, barriers. A branch of part of a group parts it; BSYNC and WARPSYNC bring
// lanes together again.
#include "tests/sass/machine/execute.hpp"

namespace furrow::sass {
std::uint32_t same_value(const Context& context, const Lanes& lanes, const char* what) {
  const std::uint32_t value = lanes.at[__builtin_ctz(context.active)];
  visit_lanes(context.active, [&](unsigned i) {
    if (lanes.at[i] != value) {
      context.fail(std::string(what) + ": expected the same value in all lanes");
    }
  });
  return value;
}

void execute_bra(Context& context, const Linked& linked) {
  const Instruction& in = linked.instruction;
  const std::uint32_t going = context.active & read(context, in.predicates_in[0]);
  context.has_moved = true;
  Group& group = context.warp->current();
  if (going == 0 || (in.is_unanimous && going != group.lanes)) {
    ++group.next;
    return;
  }
  if (in.target == context.at) {
    context.fail("a branch to itself: the launch does not end");
  }
  context.warp->part(going, in.target);
}

// BRA.DIV is taken when lanes of the mask are missing, BRA.CONV when none is.
void execute_bra_by_mask(Context& context, const Linked& linked) {
  const Instruction& in = linked.instruction;
  Lanes scratch;
  const std::uint32_t mask = read(context, linked.a, scratch).at[0];
  context.warp->leave_others_behind(context.active);
  const bool is_complete = (mask & ~context.active) == 0;
  if (is_complete == (in.operation == Operation::kBraConv)) {
    context.has_moved = true;
    context.warp->part(context.active, in.target);
  }
}

void execute_bssy(Context& context, const Linked& linked) {
  Lanes& awaited = context.warp->barriers[linked.instruction.barrier];
  const std::uint32_t lanes = context.active;
  awaited = for_lanes([&](unsigned i) { return has_lane(lanes, i) ? lanes : awaited.at[i]; });
}

void execute_bsync(Context& context, const Linked& linked) {
  context.warp->leave_others_behind(context.active);
  const std::uint32_t number = linked.instruction.barrier;
  const std::uint32_t awaited = same_value(context, context.warp->barriers[number], "BSYNC");
  context.has_moved = true;
  context.warp->wait(Waiting::kAtReconvergence, number, awaited);
}

// Its lanes will not come to the BSYNC any more.
void execute_break(Context& context, const Linked& linked) {
  const std::uint32_t number = linked.instruction.barrier;
  const std::uint32_t awaited = same_value(context, context.warp->barriers[number], "BREAK");
  context.warp->stay_away(number, awaited, context.active);
}

void execute_clear_barrier(Context& context, const Linked& linked) {
  Lanes& awaited = context.warp->barriers[linked.instruction.barrier];
  awaited = for_lanes([&](unsigned i) { return has_lane(context.active, i) ? 0 : awaited.at[i]; });
}

void execute_call(Context& context, const Linked& linked) {
  context.warp->leave_others_behind(context.active);
  context.has_moved = true;
  context.warp->part(context.active, linked.instruction.target);
}

// Lanes that met in a subroutine may have come from different places: those that return to the
// place of the first one do so now, the others stay to return by themselves.
void execute_ret(Context& context, const Linked& linked) {
  context.warp->leave_others_behind(context.active);
  const Lanes& from = low_word(context, linked.a);
  const std::uint32_t first = from.at[__builtin_ctz(context.active)];
  const std::uint32_t together =
      context.active & bits_for_lanes([&](unsigned i) { return from.at[i] == first; });
  context.warp->keep_others_here(together);
  const std::uint32_t to = linked.instruction.target + first;
  if (to % 16 != 0) {
    context.fail("RET: expected a multiple of 16, actual " + std::to_string(to));
  }
  context.has_moved = true;
  context.warp->part(together, to / 16);
}

void execute_warpsync(Context& context, const Linked& linked) {
  context.warp->leave_others_behind(context.active);
  const std::uint32_t awaited = same_value(context, low_word(context, linked.a), "WARPSYNC");
  context.has_moved = true;
  context.warp->wait(Waiting::kAtWarpsync, context.at, awaited);
}

void execute_collective(Context& context, const Linked&) {
  context.fail(
      "the code for a warp whose lanes do not arrive together at a shuffle or a vote: "
      "known, but not carried out");
}

void execute_bar(Context& context, const Linked&) {
  context.warp->leave_others_behind(context.active);
  if (context.active != context.warp->live()) {
    context.add(Finding::kDivergentBarrier);
  }
  context.has_moved = true;
  context.warp->wait(Waiting::kAtBarrier, context.at, 0);
}

void execute_exit(Context& context, const Linked&) {
  context.has_moved = true;
  context.warp->end(context.active);
}

void execute_nop(Context&, const Linked&) {}

}  // namespace furrow::sass
