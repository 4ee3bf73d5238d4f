// SPDX-License-Identifier: Apache-2.0
#include "tests/sass/machine/program.hpp"

#include <cstdio>
#include <map>

#include "tests/sass/errors.hpp"
#include "tests/sass/machine/warp.hpp"

namespace furrow::sass {
namespace {

// Words that the driver puts into the bank. A stack pointer and a descriptor of caching that would
// show if anybody computed with them.
constexpr std::uint32_t kStackAt = 0x28;
constexpr std::uint32_t kStack = 0x00FFFFC0;
constexpr std::uint32_t kDescriptorBefore90At = 0x118;
constexpr std::uint32_t kDescriptorAt = 0x208;
constexpr std::uint64_t kDescriptor = 0x5EED5EED5EED5EED;

class Linker {
 public:
  Linker(Program& program, const ConstantBanks& constants)
      : program_(program), constants_(constants) {}

  Linked link(const Instruction& instruction) {
    Linked linked;
    linked.instruction = instruction;
    linked.execute = execution_of(instruction);
    const bool goes_nowhere =
        instruction.destination == kZeroRegister || instruction.destination == kUniformZero;
    linked.destination =
        goes_nowhere ? static_cast<std::uint16_t>(Warp::kNowhere) : instruction.destination;
    linked.a = source(instruction, instruction.a);
    linked.b = source(instruction, instruction.b);
    linked.c = source(instruction, instruction.c);
    return linked;
  }

 private:
  Source source(const Instruction& instruction, const Operand& operand) {
    Source made;
    if (operand.is_negated) {
      made.sign = instruction.is_extended || instruction.operation == Operation::kBraDiv ||
                          instruction.operation == Operation::kBraConv
                      ? Source::Sign::kNot
                      : Source::Sign::kMinus;
    }
    switch (operand.kind) {
      case Operand::Kind::kRegister: {
        made.low = static_cast<std::uint16_t>(operand.value);
        const bool is_zero = operand.value == kZeroRegister || operand.value == kUniformZero;
        made.high = static_cast<std::uint16_t>(operand.value + (is_zero ? 0 : 1));
        break;
      }
      case Operand::Kind::kImmediate:
        made.is_fixed = true;
        made.low = value(operand.value);
        made.high = value(0);
        break;
      case Operand::Kind::kConstant:
        made.is_fixed = true;
        made.low = value(constants_.word(operand.bank, operand.value));
        if (is_pair(instruction, operand)) {
          made.high = value(constants_.word(operand.bank, operand.value + 4));
        }
        break;
    }
    return made;
  }

  static bool is_pair(const Instruction& instruction, const Operand& operand) {
    switch (instruction.operation) {
      case Operation::kImadWide:
      case Operation::kImadHi:
        return &operand == &instruction.c;
      case Operation::kLdc:
        return instruction.bytes == 8;
      case Operation::kI2f:
        return instruction.is_64;
      default:
        return false;
    }
  }

  std::uint16_t value(std::uint32_t word) {
    const auto [place, is_new] = numbers_.try_emplace(word, program_.values.size());
    if (is_new) {
      program_.values.push_back(same_in_all_lanes(word));
    }
    return static_cast<std::uint16_t>(place->second);
  }

  Program& program_;
  const ConstantBanks& constants_;
  std::map<std::uint32_t, std::size_t> numbers_;
};

}  // namespace

ConstantBanks::ConstantBanks(const CompiledKernel& kernel, const LaunchShape& shape,
                             Bytes parameters)
    : bytes_(0x1000), known_(0x1000), of_compiler_(kernel.constants) {
  put(0, shape.block.data(), sizeof(shape.block));
  put(12, shape.grid.data(), sizeof(shape.grid));
  put(kStackAt, &kStack, sizeof(kStack));
  put(kernel.architecture < 90 ? kDescriptorBefore90At : kDescriptorAt, &kDescriptor,
      sizeof(kDescriptor));
  put(kernel.parameters_at, parameters.data(), parameters.size());
}

void ConstantBanks::put(std::uint32_t at, const void* from, std::size_t size) {
  if (size == 0) {
    return;
  }
  if (at + size > bytes_.size()) {
    throw BadLaunch("parameters: expected to end before byte 4096 of constant bank 0, actual " +
                    std::to_string(at + size));
  }
  std::memcpy(&bytes_[at], from, size);
  for (std::size_t i = at; i < at + size; ++i) {
    known_[i] = true;
  }
}

std::uint32_t ConstantBanks::word(unsigned bank, std::uint32_t at) const {
  const std::vector<std::uint8_t>& bytes = bank == 0 ? bytes_ : of_compiler_;
  // A parameter may end within a word: what lies behind it is never used.
  if (at % 4 != 0 || at + 4 > bytes.size() || (bank == 0 && !known_[at])) {
    char text[64];
    std::snprintf(text, sizeof text, "constant bank %u: expected a known word at 0x%x", bank, at);
    throw KernelFault(std::string(text) + ", found none");
  }
  std::uint32_t word = 0;
  std::memcpy(&word, &bytes[at], sizeof(word));
  return word;
}

Program link(const Kernel& kernel, const ConstantBanks& constants) {
  Program program;
  program.kernel = &kernel;
  Linker linker(program, constants);
  program.code.reserve(kernel.code.size());
  for (const Instruction& instruction : kernel.code) {
    program.code.push_back(linker.link(instruction));
  }
  return program;
}

}  // namespace furrow::sass
