// SPDX-License-Identifier: Apache-2.0
#include "tests/sass/decoder/opcodes.hpp"

namespace furrow::sass {
namespace {

using enum Operation;
using enum Pipe;

/// Arithmetic: the decoder of operands tells which it can have.
constexpr std::uint8_t kAnyForm = 0xFE;

template <class... Numbers>
constexpr std::uint8_t forms(Numbers... numbers) {
  return static_cast<std::uint8_t>(((1U << numbers) | ...));
}

// clang-format off
constexpr Opcode kOpcodes[] = {
  {0x002, kMov, "MOV", kAlu, false, kAnyForm, decode_arithmetic},
  {0x003, kP2r, "P2R", kAlu, false, forms(4), decode_arithmetic},
  {0x004, kR2p, "R2P", kAlu, false, forms(4), decode_arithmetic},
  {0x005, kS2r, "CS2R", kAlu, false, forms(4), decode_memory},
  {0x006, kVote, "VOTE", kAlu, false, forms(4), decode_memory},
  {0x007, kSel, "SEL", kAlu, false, kAnyForm, decode_arithmetic},
  {0x00C, kIsetp, "ISETP", kAlu, false, kAnyForm, decode_arithmetic},
  {0x010, kIadd3, "IADD3", kAlu, false, kAnyForm, decode_arithmetic},
  {0x011, kLea, "LEA", kAlu, false, kAnyForm, decode_arithmetic},
  {0x012, kLop3, "LOP3", kAlu, false, kAnyForm, decode_arithmetic},
  {0x016, kPrmt, "PRMT", kAlu, false, kAnyForm, decode_arithmetic},
  {0x017, kImnmx, "IMNMX", kAlu, false, kAnyForm, decode_arithmetic},
  {0x019, kShf, "SHF", kAlu, false, kAnyForm, decode_arithmetic},
  {0x01C, kPlop3, "PLOP3", kAlu, false, forms(4), decode_arithmetic},
  {0x024, kImad, "IMAD", kFma, false, kAnyForm, decode_arithmetic},
  {0x025, kImadWide, "IMAD.WIDE", kFma, false, kAnyForm, decode_arithmetic},
  {0x027, kImadHi, "IMAD.HI", kFma, false, kAnyForm, decode_arithmetic},
  {0x035, kMov, "HFMA2.MMA", kFma, false, forms(2), decode_arithmetic},
  {0x036, kIadd3, "VIADD", kAlu, false, kAnyForm, decode_arithmetic},
  {0x046, kViaddmnmx, "VIADDMNMX", kAlu, false, kAnyForm, decode_arithmetic},
  {0x048, kImnmx, "VIMNMX", kAlu, false, kAnyForm, decode_arithmetic},
  {0x082, kMov, "UMOV", kUniform, true, kAnyForm, decode_arithmetic},
  {0x086, kVote, "VOTEU", kUniform, true, forms(4), decode_memory},
  {0x087, kSel, "USEL", kUniform, true, kAnyForm, decode_arithmetic},
  {0x08C, kIsetp, "UISETP", kUniform, true, kAnyForm, decode_arithmetic},
  {0x090, kIadd3, "UIADD3", kUniform, true, kAnyForm, decode_arithmetic},
  {0x091, kLea, "ULEA", kUniform, true, kAnyForm, decode_arithmetic},
  {0x092, kLop3, "ULOP3", kUniform, true, kAnyForm, decode_arithmetic},
  {0x096, kPrmt, "UPRMT", kUniform, true, kAnyForm, decode_arithmetic},
  {0x099, kShf, "USHF", kUniform, true, kAnyForm, decode_arithmetic},
  {0x0A4, kImad, "UIMAD", kUniform, true, kAnyForm, decode_arithmetic},
  {0x0A5, kImadWide, "UIMAD.WIDE", kUniform, true, kAnyForm, decode_arithmetic},
  {0x0B9, kLdc, "ULDC", kUniform, true, forms(5), decode_memory},
  {0x0CA, kR2ur, "R2UR", kAlu, true, forms(1), decode_memory},
  {0x0BD, kFlo, "UFLO", kXu, true, kAnyForm, decode_arithmetic},
  {0x100, kFlo, "FLO", kXu, false, kAnyForm, decode_arithmetic},
  {0x101, kBrev, "BREV", kXu, false, kAnyForm, decode_arithmetic},
  {0x105, kF2i, "F2I", kXu, false, kAnyForm, decode_arithmetic},
  {0x106, kI2f, "I2F", kXu, false, kAnyForm, decode_arithmetic},
  {0x108, kRcp, "MUFU", kXu, false, kAnyForm, decode_arithmetic},
  {0x109, kPopc, "POPC", kXu, false, kAnyForm, decode_arithmetic},
  {0x111, kF2i, "F2I.64", kXu, false, kAnyForm, decode_arithmetic},
  {0x112, kI2f, "I2F.64", kXu, false, kAnyForm, decode_arithmetic},
  {0x118, kNop, "NOP", kControl, false, forms(4), decode_control},
  {0x119, kS2r, "S2R", kXu, false, forms(4), decode_memory},
  {0x11B, kCollective, "ENDCOLLECTIVE", kControl, false, forms(4), decode_control},
  {0x11D, kBar, "BAR", kControl, false, forms(5), decode_control},
  {0x141, kBsync, "BSYNC", kControl, false, forms(4), decode_control},
  {0x142, kBreak, "BREAK", kControl, false, forms(4), decode_control},
  {0x144, kCall, "CALL", kControl, false, forms(4), decode_control},
  {0x145, kBssy, "BSSY", kControl, false, forms(4), decode_control},
  {0x146, kNop, "YIELD", kControl, false, forms(4), decode_control},
  {0x147, kBra, "BRA", kControl, false, forms(4), decode_control},
  {0x148, kWarpsync, "WARPSYNC", kControl, false, forms(1, 4), decode_control},
  {0x14D, kExit, "EXIT", kControl, false, forms(4), decode_control},
  {0x150, kRet, "RET", kControl, false, forms(4), decode_control},
  {0x155, kClearBarrier, "BMOV", kControl, false, forms(1), decode_control},
  {0x181, kLdg, "LDG", kLsu, false, forms(1, 4), decode_memory},
  {0x182, kLdc, "LDC", kLsu, false, forms(5), decode_memory},
  {0x184, kLds, "LDS", kLsu, false, forms(4), decode_memory},
  {0x186, kStg, "STG", kLsu, false, forms(1, 4), decode_memory},
  {0x188, kSts, "STS", kLsu, false, forms(1, 4), decode_memory},
  {0x189, kShfl, "SHFL", kLsu, false, forms(1, 2, 4, 7), decode_memory},
  {0x18C, kAtoms, "ATOMS", kLsu, false, forms(1, 4), decode_memory},
  {0x18E, kAtomg, "RED", kLsu, false, forms(4), decode_memory},
  {0x1A8, kAtomg, "ATOMG", kLsu, false, forms(1, 4), decode_memory},
  {0x1C2, kR2ur, "R2UR", kAlu, true, forms(1), decode_memory},
  {0x1C3, kS2r, "S2UR", kXu, true, forms(4), decode_memory},
  {0x1C4, kRedux, "REDUX", kLsu, true, forms(1), decode_memory},
};
// clang-format on

}  // namespace

const Opcode* find_opcode(unsigned number) {
  for (const Opcode& row : kOpcodes) {
    if (row.number == number) {
      return &row;
    }
  }
  return nullptr;
}

}  // namespace furrow::sass
