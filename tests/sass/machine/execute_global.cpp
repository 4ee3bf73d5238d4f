// SPDX-License-Identifier: Apache-2.0
// Global memory: bounds, alignment, bytes that nobody wrote.
#include <algorithm>
#include <cinttypes>

#include "tests/sass/counters/counters.hpp"
#include "tests/sass/machine/execute.hpp"

namespace furrow::sass {
namespace {

using Addresses = std::array<std::uint64_t, kLanes>;

Addresses addresses(Context& context, const Instruction& in) {
  const Address& address = in.address;
  const auto& registers = context.warp->registers;
  std::uint64_t add = static_cast<std::uint64_t>(std::int64_t{address.offset});
  if (address.uniform != kUniformZero) {
    add += std::uint64_t{registers[address.uniform + 1U].at[0]} << 32 |
           registers[address.uniform].at[0];
  }
  const Lanes& low = registers[address.base];
  const bool is_wide = address.base_is_64 && address.base != kZeroRegister;
  const Lanes& high = registers[is_wide ? address.base + 1U : unsigned{kZeroRegister}];
  Addresses result;
  for (unsigned i = 0; i < kLanes; ++i) {
    result[i] = (std::uint64_t{high.at[i]} << 32 | low.at[i]) + add;
  }
  if (context.counters != nullptr) {
    context.counters->global_access(context.at, context.active, result);
  }
  return result;
}

/// The bytes at an address and whether they were written.
struct Place {
  std::uint8_t* bytes;
  std::uint8_t* written;
};

Place checked(Context& context, std::uint64_t address, unsigned bytes, unsigned lane) {
  DeviceMemory::Allocation* const allocation = context.memory.find(address);
  if (address % bytes != 0 || allocation == nullptr || !allocation->contains(address, bytes)) {
    char text[160];
    std::snprintf(text, sizeof text,
                  "global memory: expected %u bytes in line and in an allocation, actual address "
                  "0x%" PRIx64 " of lane %u",
                  bytes, address, lane);
    std::string what = text;
    if (allocation != nullptr) {
      std::snprintf(text, sizeof text, ", in the allocation of %zu bytes at 0x%" PRIx64,
                    allocation->bytes.size(), allocation->address);
      what += text;
    }
    context.fail(what);
  }
  const std::uint64_t at = address - allocation->address;
  return {.bytes = allocation->bytes.data() + at, .written = allocation->written.data() + at};
}

bool is_written(const Place& place, unsigned bytes) {
  return std::all_of(place.written, place.written + bytes,
                     [](std::uint8_t one) { return one != 0; });
}

std::uint32_t widen(const Instruction& in, std::uint32_t value) {
  if (!in.is_signed || in.bytes >= 4) {
    return value;
  }
  const unsigned unused = 32 - 8 * in.bytes;
  return static_cast<std::uint32_t>(static_cast<std::int32_t>(value << unused) >> unused);
}

}  // namespace

void execute_ldg(Context& context, const Linked& linked) {
  const Instruction& in = linked.instruction;
  const Addresses from = addresses(context, in);
  const unsigned n_words = in.bytes < 4 ? 1 : in.bytes / 4;
  Lanes words[4];
  visit_lanes(context.active, [&](unsigned i) {
    const Place place = checked(context, from[i], in.bytes, i);
    if (!is_written(place, in.bytes)) {
      context.add(Finding::kUnwrittenGlobal);
    }
    std::uint32_t value[4] = {};
    std::memcpy(value, place.bytes, in.bytes);
    value[0] = widen(in, value[0]);
    for (unsigned k = 0; k < n_words; ++k) {
      words[k].at[i] = value[k];
    }
  });
  for (unsigned k = 0; k < n_words; ++k) {
    write(context, destination(context, linked, k), words[k]);
  }
}

void execute_stg(Context& context, const Linked& linked) {
  const Instruction& in = linked.instruction;
  const Addresses to = addresses(context, in);
  const unsigned n_words = in.bytes < 4 ? 1 : in.bytes / 4;
  const bool is_zero = in.b.value == kZeroRegister;
  const auto& registers = context.warp->registers;
  visit_lanes(context.active, [&](unsigned i) {
    const Place place = checked(context, to[i], in.bytes, i);
    std::uint32_t value[4] = {};
    for (unsigned k = 0; k < n_words && !is_zero; ++k) {
      value[k] = registers[in.b.value + k].at[i];
    }
    std::memcpy(place.bytes, value, in.bytes);
    std::memset(place.written, 1, in.bytes);
  });
}

void execute_atomg(Context& context, const Linked& linked) {
  const Instruction& in = linked.instruction;
  const Addresses to = addresses(context, in);
  const Lanes& low = low_word(context, linked.b);
  const Lanes& high = high_word(context, linked.b);
  Lanes old_low;
  Lanes old_high;
  visit_lanes(context.active, [&](unsigned i) {
    const Place place = checked(context, to[i], in.bytes, i);
    if (!is_written(place, in.bytes)) {
      context.add(Finding::kUnwrittenGlobal);
    }
    std::uint64_t old = 0;
    std::memcpy(&old, place.bytes, in.bytes);
    const std::uint64_t operand =
        in.bytes == 8 ? std::uint64_t{high.at[i]} << 32 | low.at[i] : low.at[i];
    const std::uint64_t made = atomic_result(context, in, old, operand);
    std::memcpy(place.bytes, &made, in.bytes);
    old_low.at[i] = static_cast<std::uint32_t>(old);
    old_high.at[i] = static_cast<std::uint32_t>(old >> 32);
  });
  write(context, destination(context, linked, 0), old_low);
  if (in.bytes == 8) {
    write(context, destination(context, linked, 1), old_high);
  }
}

}  // namespace furrow::sass
