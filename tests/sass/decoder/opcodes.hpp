// SPDX-License-Identifier: Apache-2.0
// Which number means which operation.
#pragma once

#include <string_view>

#include "tests/sass/decoder/decode_operands.hpp"

namespace furrow::sass {

struct Opcode {
  unsigned number = 0;  ///< bits 0 to 8
  Operation operation = Operation::kNop;
  std::string_view name;
  Pipe pipe = Pipe::kControl;
  bool is_uniform = false;
  std::uint8_t forms = 0;  ///< a bit for each value that bits 9 to 11 may have
  void (*decode)(const DecodeContext& context, unsigned opcode) = nullptr;
};

/// The row of a number, or null.
const Opcode* find_opcode(unsigned number);

}  // namespace furrow::sass
