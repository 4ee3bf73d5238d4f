// SPDX-License-Identifier: Apache-2.0
#include "tests/sass/decoder/decoder.hpp"

#include <cinttypes>
#include <cstdio>

#include "tests/sass/decoder/opcodes.hpp"

namespace furrow::sass {

namespace {

Scheduling take_scheduling(Fields& fields) {
  Scheduling made;
  made.stall = static_cast<std::uint8_t>(fields.take(105, 4));
  fields.take(109, 1);  // whether another warp should have its turn
  made.held_for_result = static_cast<std::uint8_t>(fields.take(110, 3));
  made.held_for_operands = static_cast<std::uint8_t>(fields.take(113, 3));
  made.awaited = static_cast<std::uint8_t>(fields.take(116, 6));
  fields.take(122, 4);  // operands that are kept for the next instruction
  return made;
}

}  // namespace

Instruction decode_one(const Words& words, std::size_t index, unsigned architecture) {
  Fields fields(words);
  const auto number = static_cast<unsigned>(fields.take(0, 9));
  const auto form = static_cast<unsigned>(fields.take(9, 3));
  const Opcode* const opcode = find_opcode(number);
  if (opcode == nullptr) {
    throw UnknownInstruction("operation " + std::to_string(number) + " is in no table");
  }
  if ((opcode->forms >> form & 1) == 0) {
    throw UnknownInstruction("form " + std::to_string(form) + " of the operation is not known");
  }
  Instruction made;
  made.operation = opcode->operation;
  made.name = opcode->name;
  made.pipe = opcode->pipe;
  made.is_uniform = opcode->is_uniform;
  if (made.is_uniform) {
    made.destination = kUniformZero;
  }
  const DecodeContext context{.fields = fields,
                              .instruction = made,
                              .index = index,
                              .architecture = architecture,
                              .form = form};
  made.guard = take_predicate(context, 12, 15);
  opcode->decode(context, number);
  made.scheduling = take_scheduling(fields);
  fields.finish();
  return made;
}

std::vector<Instruction> decode(const CompiledKernel& kernel) {
  std::vector<Instruction> code;
  code.reserve(kernel.code.size());
  for (const Words& words : kernel.code) {
    try {
      code.push_back(decode_one(words, code.size(), kernel.architecture));
    } catch (const UnknownInstruction& error) {
      char bits[64];
      std::snprintf(bits, sizeof bits, "at 0x%zx, %016" PRIx64 " %016" PRIx64, 16 * code.size(),
                    words.low, words.high);
      const Opcode* const opcode = find_opcode(words.low & 0x1FF);
      throw UnknownInstruction(readable_name(kernel.name) + " for compute capability " +
                               std::to_string(kernel.architecture) + " " + bits + ", " +
                               (opcode == nullptr ? "unknown" : std::string(opcode->name)) + ": " +
                               error.what());
    }
  }
  return code;
}

}  // namespace furrow::sass
