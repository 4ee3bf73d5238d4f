// SPDX-License-Identifier: Apache-2.0
// Moves, logic, shifts, permutations of bytes, counts of bits.
#include <algorithm>

#include "tests/sass/machine/execute.hpp"

namespace furrow::sass {
namespace {

/// Bit by bit: bit 4 a + 2 b + c of the table. For words and for predicates.
std::uint32_t look_up(std::uint32_t table, std::uint32_t a, std::uint32_t b, std::uint32_t c) {
  std::uint32_t result = 0;
  for (unsigned i = 0; i < 8; ++i) {
    const std::uint32_t term =
        ((i & 4) != 0 ? a : ~a) & ((i & 2) != 0 ? b : ~b) & ((i & 1) != 0 ? c : ~c);
    result |= (table >> i & 1) != 0 ? term : 0;
  }
  return result;
}

/// The tables that our kernels use most have an expression of their own.
Lanes combine(std::uint8_t table, const Lanes& a, const Lanes& b, const Lanes& c) {
  const auto lanes = [&](const auto& of) {
    return for_lanes([&](unsigned i) { return of(a.at[i], b.at[i], c.at[i]); });
  };
  switch (table) {
    case 0x3C:
      return lanes([](auto x, auto y, auto) { return x ^ y; });
    case 0x60:
      return lanes([](auto x, auto y, auto z) { return x & (y ^ z); });
    case 0x78:
      return lanes([](auto x, auto y, auto z) { return x ^ (y & z); });
    case 0x96:
      return lanes([](auto x, auto y, auto z) { return x ^ y ^ z; });
    case 0xC0:
      return lanes([](auto x, auto y, auto) { return x & y; });
    case 0xF8:
      return lanes([](auto x, auto y, auto z) { return x | (y & z); });
    case 0xFC:
      return lanes([](auto x, auto y, auto) { return x | y; });
    case 0xFE:
      return lanes([](auto x, auto y, auto z) { return x | y | z; });
    default:
      return lanes([&](auto x, auto y, auto z) { return look_up(table, x, y, z); });
  }
}

std::uint32_t sign_of_byte(std::uint32_t byte) {
  return (byte >> 7) * 0xFF;
}

/// One byte of a permutation, with `selector` the same for all lanes.
Lanes select_bytes(std::uint32_t selector, const Lanes& a, const Lanes& c) {
  Lanes result{};
  for (unsigned place = 0; place < 4; ++place) {
    const std::uint32_t which = selector >> 4 * place & 0xF;
    const Lanes& from = (which & 4) != 0 ? c : a;
    const unsigned shift = 8 * (which & 3);
    const bool is_sign = (which & 8) != 0;
    for (unsigned i = 0; i < kLanes; ++i) {
      const std::uint32_t byte = from.at[i] >> shift & 0xFF;
      result.at[i] |= (is_sign ? sign_of_byte(byte) : byte) << 8 * place;
    }
  }
  return result;
}

std::uint32_t permute(std::uint32_t selector, std::uint32_t a, std::uint32_t c) {
  const std::uint64_t bytes = std::uint64_t{c} << 32 | a;
  std::uint32_t result = 0;
  for (unsigned place = 0; place < 4; ++place) {
    const std::uint32_t which = selector >> 4 * place & 0xF;
    const auto byte = static_cast<std::uint32_t>(bytes >> 8 * (which & 7)) & 0xFF;
    result |= ((which & 8) != 0 ? sign_of_byte(byte) : byte) << 8 * place;
  }
  return result;
}

/// A shift of a pair of words, of which one is the result.
std::uint32_t shift_pair(const Instruction& in, std::uint32_t low, std::uint32_t high,
                         std::uint32_t amount) {
  const std::uint64_t pair = std::uint64_t{high} << 32 | low;
  const std::uint32_t width = in.is_64 ? 64 : 32;
  const std::uint32_t n = in.wraps ? amount % width : std::min(amount, width);
  std::uint64_t shifted = 0;
  if (n == 64) {
    shifted = in.is_right && in.is_signed
                  ? static_cast<std::uint64_t>(static_cast<std::int64_t>(pair) >> 63)
                  : 0;
  } else if (!in.is_right) {
    shifted = pair << n;
  } else if (in.is_signed) {
    shifted = static_cast<std::uint64_t>(static_cast<std::int64_t>(pair) >> n);
  } else {
    shifted = pair >> n;
  }
  return static_cast<std::uint32_t>(in.is_high ? shifted >> 32 : shifted);
}

}  // namespace

void execute_mov(Context& context, const Linked& linked) {
  write(context, destination(context, linked), low_word(context, linked.b));
}

void execute_sel(Context& context, const Linked& linked) {
  const Lanes& a = low_word(context, linked.a);
  const Lanes& b = low_word(context, linked.b);
  const std::uint32_t first = read(context, linked.instruction.predicates_in[0]);
  write(context, destination(context, linked),
        for_lanes([&](unsigned i) { return (first >> i & 1) != 0 ? a.at[i] : b.at[i]; }));
}

void execute_lop3(Context& context, const Linked& linked) {
  const Instruction& in = linked.instruction;
  const Lanes result = combine(in.tables[0], low_word(context, linked.a),
                               low_word(context, linked.b), low_word(context, linked.c));
  write(context, destination(context, linked), result);
  if (in.predicates_out[0] % kFirstUniformPredicate != kTrue) {
    write_predicate(context, in.predicates_out[0],
                    bits_for_lanes([&](unsigned i) { return result.at[i] != 0; }));
  }
}

void execute_plop3(Context& context, const Linked& linked) {
  const Instruction& in = linked.instruction;
  const std::uint32_t a = read(context, in.predicates_in[0]);
  const std::uint32_t b = read(context, in.predicates_in[1]);
  const std::uint32_t c = read(context, in.predicates_in[2]);
  write_predicate(context, in.predicates_out[0], look_up(in.tables[0], a, b, c));
  write_predicate(context, in.predicates_out[1], look_up(in.tables[1], a, b, c));
}

void execute_prmt(Context& context, const Linked& linked) {
  const Lanes& a = low_word(context, linked.a);
  const Lanes& b = low_word(context, linked.b);
  const Lanes& c = low_word(context, linked.c);
  Lanes result;
  if (linked.instruction.b.kind != Operand::Kind::kImmediate) {
    result = for_lanes([&](unsigned i) { return permute(b.at[i], a.at[i], c.at[i]); });
  } else if (linked.instruction.b.value == 0x1032) {
    result = for_lanes([&](unsigned i) { return a.at[i] >> 16 | a.at[i] << 16; });
  } else if (linked.instruction.b.value == 0x321) {
    result = for_lanes([&](unsigned i) { return a.at[i] >> 8 | a.at[i] << 24; });
  } else {
    result = select_bytes(linked.instruction.b.value, a, c);
  }
  write(context, destination(context, linked), result);
}

void execute_shf(Context& context, const Linked& linked) {
  const Lanes& low = low_word(context, linked.a);
  const Lanes& amount = low_word(context, linked.b);
  const Lanes& high = low_word(context, linked.c);
  write(context, destination(context, linked), for_lanes([&](unsigned i) {
          return shift_pair(linked.instruction, low.at[i], high.at[i], amount.at[i]);
        }));
}

// Of 32 bits and by 1 to 31: two shifts of words.
void execute_shf_by_immediate(Context& context, const Linked& linked) {
  const Instruction& in = linked.instruction;
  const Lanes& low = low_word(context, linked.a);
  const Lanes& high = low_word(context, linked.c);
  const unsigned n = in.b.value;
  Lanes result;
  if (!in.is_right && in.is_high) {
    result = for_lanes([&](unsigned i) { return high.at[i] << n | low.at[i] >> (32 - n); });
  } else if (!in.is_right) {
    result = for_lanes([&](unsigned i) { return low.at[i] << n; });
  } else if (!in.is_high) {
    result = for_lanes([&](unsigned i) { return low.at[i] >> n | high.at[i] << (32 - n); });
  } else {
    result = for_lanes([&](unsigned i) { return high.at[i] >> n; });
  }
  write(context, destination(context, linked), result);
}

// Predicates as the bits of a word; where the mask is 0, those of the first operand.
void execute_p2r(Context& context, const Linked& linked) {
  const Lanes& a = low_word(context, linked.a);
  const Lanes& mask = low_word(context, linked.b);
  const auto& predicates = context.warp->predicates;
  write(context, destination(context, linked), for_lanes([&](unsigned i) {
          std::uint32_t word = 0;
          for (unsigned number = 0; number < kTrue; ++number) {
            word |= (predicates[number] >> i & 1) << number;
          }
          return (a.at[i] & ~mask.at[i]) | (word & mask.at[i]);
        }));
}

void execute_r2p(Context& context, const Linked& linked) {
  const Lanes& a = low_word(context, linked.a);
  const std::uint32_t mask = low_word(context, linked.b).at[0];
  for (unsigned number = 0; number < kTrue; ++number) {
    if ((mask >> number & 1) != 0) {
      write_predicate(context, number,
                      bits_for_lanes([&](unsigned i) { return (a.at[i] >> number & 1) != 0; }));
    }
  }
}

void execute_popc(Context& context, const Linked& linked) {
  const Lanes& b = low_word(context, linked.b);
  write(context, destination(context, linked), for_lanes([&](unsigned i) {
          return static_cast<std::uint32_t>(__builtin_popcount(b.at[i]));
        }));
}

void execute_flo(Context& context, const Linked& linked) {
  const bool gives_shift = linked.instruction.gives_shift;
  const Lanes& b = low_word(context, linked.b);
  write(context, destination(context, linked), for_lanes([&](unsigned i) {
          if (b.at[i] == 0) {
            return ~0U;
          }
          const auto zeros = static_cast<std::uint32_t>(__builtin_clz(b.at[i]));
          return gives_shift ? zeros : 31 - zeros;
        }));
}

void execute_brev(Context& context, const Linked& linked) {
  const Lanes& b = low_word(context, linked.b);
  write(context, destination(context, linked), for_lanes([&](unsigned i) {
          std::uint32_t x = b.at[i];
          x = (x >> 1 & 0x55555555) | (x & 0x55555555) << 1;
          x = (x >> 2 & 0x33333333) | (x & 0x33333333) << 2;
          x = (x >> 4 & 0x0F0F0F0F) | (x & 0x0F0F0F0F) << 4;
          return __builtin_bswap32(x);
        }));
}

}  // namespace furrow::sass
