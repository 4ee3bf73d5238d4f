// SPDX-License-Identifier: Apache-2.0
// What an instruction can see and change while it is carried out.
#pragma once

#include "tests/sass/checks/device_memory.hpp"
#include "tests/sass/checks/findings.hpp"
#include "tests/sass/checks/shared_memory.hpp"
#include "tests/sass/errors.hpp"
#include "tests/sass/machine/program.hpp"
#include "tests/sass/machine/warp.hpp"

namespace furrow::sass {

class Counters;

struct Context {
  const Program& program;
  DeviceMemory& memory;
  Findings& findings;
  Counters* counters;  ///< of memory accesses, or null
  SharedMemory shared;
  std::array<std::uint32_t, 3> block_shape{};
  std::array<std::uint32_t, 3> block{};
  std::uint32_t n_stores = 0;

  // Of the instruction at hand. `active` are the lanes that take part, `written` those whose
  // registers change: all for the uniform datapath.
  Warp* warp = nullptr;
  std::uint32_t at = 0;
  std::uint32_t active = 0;
  std::uint32_t written = 0;
  /// Set when the instruction has moved the groups of the warp itself.
  bool has_moved = false;

  void add(Finding finding) { findings.add(finding, program.kernel->compiled.name, at); }
  /// Ends the launch: `what`, with kernel, instruction, block and warp.
  [[noreturn]] void fail(const std::string& what) const;
};

inline const Lanes& low_word(const Context& context, const Source& source) {
  return source.is_fixed ? context.program.values[source.low] : context.warp->registers[source.low];
}
inline const Lanes& high_word(const Context& context, const Source& source) {
  return source.is_fixed ? context.program.values[source.high]
                         : context.warp->registers[source.high];
}

/// Calls `use` with the words of an operand; `scratch` holds them if they have a sign.
inline const Lanes& read(const Context& context, const Source& source, Lanes& scratch) {
  const Lanes& plain = low_word(context, source);
  if (source.sign == Source::Sign::kPlain) {
    return plain;
  }
  const std::uint32_t one = source.sign == Source::Sign::kMinus ? 1 : 0;
  scratch = for_lanes([&](unsigned i) { return ~plain.at[i] + one; });
  return scratch;
}

/// Operands of one instruction.
struct Sources {
  Sources(const Context& context, const Linked& linked)
      : a(read(context, linked.a, scratch[0])),
        b(read(context, linked.b, scratch[1])),
        c(read(context, linked.c, scratch[2])) {}
  Sources(const Sources&) = delete;
  Sources& operator=(const Sources&) = delete;

  Lanes scratch[3];
  const Lanes& a;
  const Lanes& b;
  const Lanes& c;
};

inline void write(Context& context, Lanes& to, const Lanes& value) {
  const std::uint32_t written = context.written;
  if (written == kAllLanes) {
    to = value;
    return;
  }
  to = for_lanes([&](unsigned i) { return (written >> i & 1) != 0 ? value.at[i] : to.at[i]; });
}

/// Register `word` of the destination, which has one or several.
inline Lanes& destination(Context& context, const Linked& linked, unsigned word = 0) {
  const unsigned first = linked.destination;
  return context.warp->registers[first == Warp::kNowhere ? first : first + word];
}

inline std::uint32_t read(const Context& context, PredicateOperand operand) {
  const std::uint32_t bits = context.warp->predicates[operand.number];
  return operand.is_negated ? ~bits : bits;
}

inline void write_predicate(Context& context, unsigned number, std::uint32_t bits) {
  if (number % kFirstUniformPredicate == kTrue) {
    return;
  }
  std::uint32_t& to = context.warp->predicates[number];
  to = (to & ~context.written) | (bits & context.written);
}

}  // namespace furrow::sass
