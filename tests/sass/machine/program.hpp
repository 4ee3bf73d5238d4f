// SPDX-License-Identifier: Apache-2.0
// A kernel made ready for one launch: its immediates and constants stand in vectors, and each
// instruction knows the function that carries it out.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "tests/sass/cubin/cubin.hpp"
#include "tests/sass/decoder/instruction.hpp"
#include "tests/sass/machine/lanes.hpp"

namespace furrow::sass {

/// A decoded kernel, kept from launch to launch.
struct Kernel {
  CompiledKernel compiled;
  std::vector<Instruction> code;
  std::string name;  ///< readable
};

struct LaunchShape {
  std::array<std::uint32_t, 3> grid = {1, 1, 1};
  std::array<std::uint32_t, 3> block = {1, 1, 1};
  std::uint32_t dynamic_shared = 0;
};

/// The banks of constants. Bank 0 has the shape, the parameters, and a few words of the driver; bank
/// 2 what the compiler put there. Whatever else a kernel reads from them is an error.
class ConstantBanks {
 public:
  /// `parameters` as they lie in the bank, one behind the other.
  ConstantBanks(const CompiledKernel& kernel, const LaunchShape& shape, Bytes parameters);
  /// The word at a place; throws KernelFault where there is none.
  [[nodiscard]] std::uint32_t word(unsigned bank, std::uint32_t at) const;

 private:
  void put(std::uint32_t at, const void* from, std::size_t size);

  std::vector<std::uint8_t> bytes_;
  std::vector<bool> known_;
  const std::vector<std::uint8_t>& of_compiler_;
};

struct Context;
struct Linked;
using Execute = void (*)(Context&, const Linked&);

/// An operand, ready to be read.
struct Source {
  enum class Sign : std::uint8_t { kPlain, kMinus, kNot };
  bool is_fixed = false;  ///< stands in the values of the program, not in a register of the warp
  Sign sign = Sign::kPlain;
  std::uint16_t low = 0;
  std::uint16_t high = 0;  ///< of a pair
};

struct Linked {
  Instruction instruction;
  Source a, b, c;
  Execute execute = nullptr;
  std::uint16_t destination = 0;
};

struct Program {
  const Kernel* kernel = nullptr;
  std::vector<Lanes> values;
  std::vector<Linked> code;
};

Program link(const Kernel& kernel, const ConstantBanks& constants);

/// The function that carries out the instruction.
Execute execution_of(const Instruction& instruction);

}  // namespace furrow::sass
