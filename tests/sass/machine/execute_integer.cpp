// SPDX-License-Identifier: Apache-2.0
// Sums, products, comparisons, and the conversions that a division needs.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "tests/sass/machine/execute.hpp"

namespace furrow::sass {
namespace {

std::uint64_t pair_of(std::uint32_t low, std::uint32_t high) {
  return std::uint64_t{high} << 32 | low;
}

float float_of(std::uint32_t bits) {
  float value = 0;
  std::memcpy(&value, &bits, sizeof(value));
  return value;
}

std::uint32_t bits_of(float value) {
  std::uint32_t bits = 0;
  std::memcpy(&bits, &value, sizeof(bits));
  return bits;
}

/// An operand as the adder sees it: -x is ~x and a one that is carried in.
std::uint64_t addend(const Source& source, std::uint32_t plain) {
  const std::uint64_t not_plain = static_cast<std::uint32_t>(~plain);
  switch (source.sign) {
    case Source::Sign::kMinus:
      return not_plain + 1;
    case Source::Sign::kNot:
      return not_plain;
    default:
      return plain;
  }
}

/// A sum with what is carried into and out of it. Three addends can carry two.
void add_with_carries(Context& context, const Linked& linked) {
  const Instruction& in = linked.instruction;
  std::uint32_t carry[2] = {0, 0};
  if (in.is_extended) {
    carry[0] = read(context, in.predicates_in[0]);
    carry[1] = read(context, in.predicates_in[1]);
  }
  const Lanes& a = low_word(context, linked.a);
  const Lanes& b = low_word(context, linked.b);
  const Lanes& c = low_word(context, linked.c);
  Lanes sums;
  std::uint32_t once = 0;
  std::uint32_t twice = 0;
  for (unsigned i = 0; i < kLanes; ++i) {
    const std::uint64_t sum = addend(linked.a, a.at[i]) + addend(linked.b, b.at[i]) +
                              addend(linked.c, c.at[i]) + (carry[0] >> i & 1) + (carry[1] >> i & 1);
    sums.at[i] = static_cast<std::uint32_t>(sum);
    once |= (sum >> 32 >= 1 ? 1U : 0U) << i;
    twice |= (sum >> 32 >= 2 ? 1U : 0U) << i;
  }
  if (in.predicates_out[1] % kFirstUniformPredicate == kTrue && (twice & context.active) != 0) {
    context.fail("a sum that carries twice: expected two predicates for that, found one");
  }
  write(context, destination(context, linked), sums);
  write_predicate(context, in.predicates_out[0], once);
  write_predicate(context, in.predicates_out[1], twice);
}

std::uint32_t compare(const Instruction& in, Comparison comparison, const Lanes& a,
                      const Lanes& b) {
  const auto bits = [&](const auto& holds) {
    if (in.is_signed) {
      return bits_for_lanes([&](unsigned i) {
        return holds(static_cast<std::int32_t>(a.at[i]), static_cast<std::int32_t>(b.at[i]));
      });
    }
    return bits_for_lanes([&](unsigned i) { return holds(a.at[i], b.at[i]); });
  };
  switch (comparison) {
    case Comparison::kNever:
      return 0;
    case Comparison::kLess:
      return bits([](auto x, auto y) { return x < y; });
    case Comparison::kEqual:
      return bits([](auto x, auto y) { return x == y; });
    case Comparison::kLessEqual:
      return bits([](auto x, auto y) { return x <= y; });
    case Comparison::kGreater:
      return bits([](auto x, auto y) { return x > y; });
    case Comparison::kNotEqual:
      return bits([](auto x, auto y) { return x != y; });
    case Comparison::kGreaterEqual:
      return bits([](auto x, auto y) { return x >= y; });
    default:
      return kAllLanes;
  }
}

/// A comparison of the highest words of longer numbers: `below` is that of the words below.
std::uint32_t compare_extended(Context& context, const Instruction& in, const Sources& from,
                               std::uint32_t below) {
  const std::uint32_t equal = compare(in, Comparison::kEqual, from.a, from.b);
  switch (in.comparison) {
    case Comparison::kEqual:
      return equal & below;
    case Comparison::kNotEqual:
      return ~equal | below;
    case Comparison::kLess:
    case Comparison::kLessEqual:
      return compare(in, Comparison::kLess, from.a, from.b) | (equal & below);
    case Comparison::kGreater:
    case Comparison::kGreaterEqual:
      return compare(in, Comparison::kGreater, from.a, from.b) | (equal & below);
    default:
      context.fail("a comparison with .EX: expected one of two numbers");
  }
}

Lanes smaller_or_larger(const Context& context, const Instruction& in, const Lanes& a,
                        const Lanes& b) {
  const std::uint32_t smaller = read(context, in.predicates_in[0]);
  return for_lanes([&](unsigned i) {
    const bool a_is_less =
        in.is_signed ? static_cast<std::int32_t>(a.at[i]) < static_cast<std::int32_t>(b.at[i])
                     : a.at[i] < b.at[i];
    return a_is_less == ((smaller >> i & 1) != 0) ? a.at[i] : b.at[i];
  });
}

}  // namespace

void execute_iadd3(Context& context, const Linked& linked) {
  const Instruction& in = linked.instruction;
  if (in.is_extended || in.predicates_out[0] % kFirstUniformPredicate != kTrue ||
      in.predicates_out[1] % kFirstUniformPredicate != kTrue) {
    add_with_carries(context, linked);
    return;
  }
  const Sources from(context, linked);
  write(context, destination(context, linked),
        for_lanes([&](unsigned i) { return from.a.at[i] + from.b.at[i] + from.c.at[i]; }));
}

void execute_lea(Context& context, const Linked& linked) {
  const Instruction& in = linked.instruction;
  const Sources from(context, linked);
  const std::uint32_t carried = in.is_extended ? read(context, in.predicates_in[0]) : 0;
  Lanes sums;
  std::uint32_t carry = 0;
  for (unsigned i = 0; i < kLanes; ++i) {
    const std::uint64_t shifted = in.is_high ? pair_of(from.a.at[i], from.c.at[i]) << in.shift >> 32
                                             : static_cast<std::uint32_t>(from.a.at[i] << in.shift);
    const std::uint64_t sum = shifted + from.b.at[i] + (carried >> i & 1);
    sums.at[i] = static_cast<std::uint32_t>(sum);
    carry |= static_cast<std::uint32_t>(sum >> 32 & 1) << i;
  }
  write(context, destination(context, linked), sums);
  write_predicate(context, in.predicates_out[0], carry);
}

void execute_imad(Context& context, const Linked& linked) {
  const Instruction& in = linked.instruction;
  const Sources from(context, linked);
  const std::uint32_t carried = in.is_extended ? read(context, in.predicates_in[0]) : 0;
  write(context, destination(context, linked), for_lanes([&](unsigned i) {
          return from.a.at[i] * from.b.at[i] + from.c.at[i] + (carried >> i & 1);
        }));
}

void execute_imad_wide(Context& context, const Linked& linked) {
  const Instruction& in = linked.instruction;
  const Sources from(context, linked);
  const Lanes& c_high = high_word(context, linked.c);
  Lanes low;
  Lanes high;
  std::uint32_t carry = 0;
  for (unsigned i = 0; i < kLanes; ++i) {
    const auto product =
        in.is_signed
            ? static_cast<std::uint64_t>(std::int64_t{static_cast<std::int32_t>(from.a.at[i])} *
                                         static_cast<std::int32_t>(from.b.at[i]))
            : std::uint64_t{from.a.at[i]} * from.b.at[i];
    const std::uint64_t sum = product + pair_of(from.c.at[i], c_high.at[i]);
    low.at[i] = static_cast<std::uint32_t>(sum);
    high.at[i] = static_cast<std::uint32_t>(sum >> 32);
    carry |= (sum < product ? 1U : 0U) << i;
  }
  write(context, destination(context, linked, 0), low);
  write(context, destination(context, linked, 1), high);
  write_predicate(context, in.predicates_out[0], carry);
}

void execute_imad_high(Context& context, const Linked& linked) {
  const Instruction& in = linked.instruction;
  if (in.is_signed) {
    context.fail("IMAD.HI: expected an unsigned one");
  }
  const Sources from(context, linked);
  const Lanes& c_high = high_word(context, linked.c);
  Lanes high;
  std::uint32_t carry = 0;
  for (unsigned i = 0; i < kLanes; ++i) {
    const std::uint64_t product = std::uint64_t{from.a.at[i]} * from.b.at[i];
    const std::uint64_t sum = product + pair_of(from.c.at[i], c_high.at[i]);
    high.at[i] = static_cast<std::uint32_t>(sum >> 32);
    carry |= (sum < product ? 1U : 0U) << i;
  }
  write(context, destination(context, linked), high);
  write_predicate(context, in.predicates_out[0], carry);
}

void execute_minmax(Context& context, const Linked& linked) {
  const Sources from(context, linked);
  write(context, destination(context, linked),
        smaller_or_larger(context, linked.instruction, from.a, from.b));
}

void execute_add_minmax(Context& context, const Linked& linked) {
  const Sources from(context, linked);
  const Lanes sum = for_lanes([&](unsigned i) { return from.a.at[i] + from.b.at[i]; });
  write(context, destination(context, linked),
        smaller_or_larger(context, linked.instruction, sum, from.c));
}

void execute_isetp(Context& context, const Linked& linked) {
  const Instruction& in = linked.instruction;
  const Sources from(context, linked);
  std::uint32_t bits = in.is_extended
                           ? compare_extended(context, in, from, read(context, in.predicates_in[1]))
                           : compare(in, in.comparison, from.a, from.b);
  const std::uint32_t other = read(context, in.predicates_in[0]);
  switch (in.combination) {
    case Combination::kAnd:
      bits &= other;
      break;
    case Combination::kOr:
      bits |= other;
      break;
    case Combination::kXor:
      bits ^= other;
      break;
  }
  write_predicate(context, in.predicates_out[0], bits);
}

void execute_i2f(Context& context, const Linked& linked) {
  const Instruction& in = linked.instruction;
  const Lanes& low = low_word(context, linked.b);
  const Lanes& high = high_word(context, linked.b);
  write(context, destination(context, linked), for_lanes([&](unsigned i) {
          const std::uint64_t exact = in.is_64 ? pair_of(low.at[i], high.at[i]) : low.at[i];
          auto rounded = static_cast<float>(exact);
          // To the nearest so far: rounded up instead. Both are exact as long double.
          if (static_cast<long double>(rounded) < static_cast<long double>(exact)) {
            rounded = std::nextafter(rounded, std::numeric_limits<float>::infinity());
          }
          return bits_of(rounded);
        }));
}

void execute_f2i(Context& context, const Linked& linked) {
  const Instruction& in = linked.instruction;
  const Lanes& from = low_word(context, linked.b);
  const auto convert = [&](unsigned i) -> std::uint64_t {
    const float value = float_of(from.at[i]);
    const float end = in.is_64 ? 0x1p64F : 0x1p32F;
    if (!(value > 0)) {
      return 0;
    }
    return value < end ? static_cast<std::uint64_t>(value) : ~std::uint64_t{0};
  };
  const Lanes low = for_lanes([&](unsigned i) { return static_cast<std::uint32_t>(convert(i)); });
  const Lanes high =
      for_lanes([&](unsigned i) { return static_cast<std::uint32_t>(convert(i) >> 32); });
  write(context, destination(context, linked, 0), low);
  if (in.is_64) {
    write(context, destination(context, linked, 1), high);
  }
}

// A card's result may differ in the last bit; divisions of integers correct that.
void execute_reciprocal(Context& context, const Linked& linked) {
  const Lanes& from = low_word(context, linked.b);
  write(context, destination(context, linked),
        for_lanes([&](unsigned i) { return bits_of(1.0F / float_of(from.at[i])); }));
}

}  // namespace furrow::sass
