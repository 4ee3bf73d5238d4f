// SPDX-License-Identifier: Apache-2.0
// What lanes tell one another, and what a lane is told about itself and its launch.
#include "tests/sass/counters/counters.hpp"
#include "tests/sass/machine/execute.hpp"

namespace furrow::sass {
namespace {

// Numbers of special registers.
enum Special : std::uint8_t {
  kLaneId = 0x00,
  kThreadX = 0x21,
  kThreadY = 0x22,
  kThreadZ = 0x23,
  kBlockX = 0x25,
  kBlockY = 0x26,
  kBlockZ = 0x27,
  kLanesBelow = 0x39,
  kBlockInCluster = 0x88,
  kZero = 0xFF
};

/// Where a lane reads, by its limits as SHFL has them: bits 0 to 4 the last lane, bits 8 to 12
/// those that part the warp.
struct ShuffleSource {
  unsigned lane;
  bool is_inside;
};

ShuffleSource shuffle_source(ShuffleMode mode, unsigned lane, std::uint32_t by,
                             std::uint32_t limits) {
  const unsigned segment = limits >> 8 & 31;
  const unsigned last = (lane & segment) | (limits & 31 & ~segment);
  const auto distance = static_cast<int>(by & 31);
  const auto from = static_cast<int>(lane);
  int source = 0;
  bool is_inside = false;
  switch (mode) {
    case ShuffleMode::kUp:
      source = from - distance;
      is_inside = source >= static_cast<int>(last);
      break;
    case ShuffleMode::kDown:
      source = from + distance;
      is_inside = source <= static_cast<int>(last);
      break;
    case ShuffleMode::kButterfly:
      source = from ^ distance;
      is_inside = source <= static_cast<int>(last);
      break;
    case ShuffleMode::kIndex:
      source = static_cast<int>((lane & segment) | (by & 31 & ~segment));
      is_inside = source <= static_cast<int>(last);
      break;
  }
  return {.lane = is_inside ? static_cast<unsigned>(source) : lane, .is_inside = is_inside};
}

}  // namespace

void execute_vote(Context& context, const Linked& linked) {
  const std::uint32_t yes = read(context, linked.instruction.predicates_in[0]) & context.active;
  write(context, destination(context, linked), same_in_all_lanes(yes));
  write_predicate(context, linked.instruction.predicates_out[0], yes != 0 ? kAllLanes : 0);
}

void execute_shfl(Context& context, const Linked& linked) {
  const Instruction& in = linked.instruction;
  const Sources from(context, linked);
  Lanes result = from.a;
  std::uint32_t inside = 0;
  visit_lanes(context.active, [&](unsigned i) {
    const ShuffleSource source = shuffle_source(in.shuffle, i, from.b.at[i], from.c.at[i]);
    result.at[i] = from.a.at[source.lane];
    inside |= (source.is_inside ? 1U : 0U) << i;
    if (!has_lane(context.active, source.lane)) {
      context.add(Finding::kInactiveLane);
    }
  });
  write(context, destination(context, linked), result);
  write_predicate(context, in.predicates_out[0], inside);
}

void execute_redux(Context& context, const Linked& linked) {
  const Instruction& in = linked.instruction;
  const Lanes& from = low_word(context, linked.a);
  std::uint32_t result = from.at[__builtin_ctz(context.active)];
  visit_lanes(context.active & (context.active - 1), [&](unsigned i) {
    const std::uint32_t value = from.at[i];
    const bool is_less = in.is_signed
                             ? static_cast<std::int32_t>(value) < static_cast<std::int32_t>(result)
                             : value < result;
    switch (in.reduction) {
      case Reduction::kAnd:
        result &= value;
        break;
      case Reduction::kOr:
        result |= value;
        break;
      case Reduction::kXor:
        result ^= value;
        break;
      case Reduction::kSum:
        result += value;
        break;
      case Reduction::kMin:
        result = is_less ? value : result;
        break;
      case Reduction::kMax:
        result = is_less ? result : value;
        break;
    }
  });
  write(context, destination(context, linked), same_in_all_lanes(result));
}

void execute_r2ur(Context& context, const Linked& linked) {
  const std::uint32_t value = same_value(context, low_word(context, linked.a), "R2UR");
  write(context, destination(context, linked), same_in_all_lanes(value));
}

void execute_s2r(Context& context, const Linked& linked) {
  const Instruction& in = linked.instruction;
  const auto& shape = context.block_shape;
  const std::uint32_t first = context.warp->number * kLanes;
  Lanes value;
  switch (in.special) {
    case kLaneId:
      value = for_lanes([](unsigned i) { return i; });
      break;
    case kLanesBelow:
      value = for_lanes([](unsigned i) { return (1U << i) - 1; });
      break;
    case kThreadX:
      value = for_lanes([&](unsigned i) { return (first + i) % shape[0]; });
      break;
    case kThreadY:
      value = for_lanes([&](unsigned i) { return (first + i) / shape[0] % shape[1]; });
      break;
    case kThreadZ:
      value = for_lanes([&](unsigned i) { return (first + i) / shape[0] / shape[1]; });
      break;
    case kBlockX:
    case kBlockY:
    case kBlockZ:
      value = same_in_all_lanes(context.block[in.special - kBlockX]);
      break;
    case kBlockInCluster:
    case kZero:
      value = same_in_all_lanes(0);
      break;
    default:
      context.fail("special register " + std::to_string(in.special) + ": expected a known one");
  }
  write(context, destination(context, linked, 0), value);
  if (in.is_64) {
    if (in.special != kZero) {
      context.fail("a special register of 64 bits: expected zero, actual " +
                   std::to_string(in.special));
    }
    write(context, destination(context, linked, 1), value);
  }
}

void execute_ldc(Context& context, const Linked& linked) {
  const unsigned bytes = linked.instruction.bytes;
  if (bytes != 4 && bytes != 8) {
    context.fail("LDC: expected 4 or 8 bytes, actual " + std::to_string(bytes));
  }
  write(context, destination(context, linked, 0), low_word(context, linked.a));
  if (bytes == 8) {
    write(context, destination(context, linked, 1), high_word(context, linked.a));
  }
}

}  // namespace furrow::sass
