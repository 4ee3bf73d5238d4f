// SPDX-License-Identifier: Apache-2.0
// An instruction of compute capability 7.5 to 9.0, decoded.
//
// The uniform datapath has the same operations on registers that a warp has once. Here UIADD3 is
// an IADD3 whose registers and predicates are uniform ones, and so on.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace furrow::sass {

// clang-format off
enum class Operation : std::uint8_t {
  // integers and logic
  kMov, kSel, kIadd3, kLea, kLop3, kPrmt, kShf, kImnmx, kViaddmnmx, kImad, kImadWide, kImadHi,
  kIsetp, kPlop3, kP2r, kR2p, kPopc, kFlo, kBrev, kI2f, kF2i, kRcp,
  // between lanes, special registers
  kVote, kShfl, kRedux, kR2ur, kS2r,
  // memory
  kLdc, kLdg, kStg, kLds, kSts, kAtoms, kAtomg,
  // control
  kBra, kBraDiv, kBraConv, kBssy, kBsync, kBreak, kClearBarrier, kCall, kRet, kWarpsync, kCollective, kBar, kExit,
  kNop,
};
// clang-format on

/// The unit that carries an instruction out: integers and logic; multiply-add; conversions and
/// counts, a quarter of the rate or less; memory and shuffles; the uniform datapath; control.
enum class Pipe : std::uint8_t { kAlu, kFma, kXu, kLsu, kUniform, kControl };
inline constexpr std::size_t kNumPipes = 6;
inline constexpr std::array<std::string_view, kNumPipes> kPipeNames = {"alu", "fma",     "xu",
                                                                       "lsu", "uniform", "control"};

/// Registers by number: those of lanes from 0 on, uniform ones behind them. The last of each kind
/// is always zero.
inline constexpr unsigned kZeroRegister = 255;
inline constexpr unsigned kFirstUniform = 256;
inline constexpr unsigned kUniformZero = kFirstUniform + 63;
inline constexpr unsigned kNumRegisters = kUniformZero + 1;

/// Predicates by number, in the same way. The last of each kind is always true.
inline constexpr unsigned kTrue = 7;
inline constexpr unsigned kFirstUniformPredicate = 8;
inline constexpr unsigned kUniformTrue = 15;
inline constexpr unsigned kNumPredicates = 16;

struct Operand {
  enum class Kind : std::uint8_t { kRegister, kImmediate, kConstant };
  Kind kind = Kind::kRegister;
  /// Minus, or not where the operation is one of bits (.X and logic).
  bool is_negated = false;
  /// Number of a register, an immediate, or a place in a bank of constants.
  std::uint32_t value = kZeroRegister;
  std::uint8_t bank = 0;  ///< 0: of the launch; 2: of the compiler
};

struct PredicateOperand {
  std::uint8_t number = kTrue;
  bool is_negated = false;
};

enum class Comparison : std::uint8_t {
  kNever,
  kLess,
  kEqual,
  kLessEqual,
  kGreater,
  kNotEqual,
  kGreaterEqual,
  kAlways
};
enum class Combination : std::uint8_t { kAnd, kOr, kXor };
enum class Atomic : std::uint8_t { kAdd, kMin, kMax, kInc, kDec, kAnd, kOr, kXor, kExchange };
enum class Reduction : std::uint8_t { kAnd, kOr, kXor, kSum, kMin, kMax };
enum class ShuffleMode : std::uint8_t { kIndex, kUp, kDown, kButterfly };

/// Address of an access: register * scale + uniform register + offset.
struct Address {
  std::uint16_t base = kZeroRegister;
  bool base_is_64 = false;
  std::uint8_t scale = 1;
  std::uint16_t uniform = kUniformZero;
  std::int32_t offset = 0;
};

/// What the compiler tells the scheduler with each instruction. A scoreboard counts what is under
/// way: held by an instruction, waited for by a later one.
struct Scheduling {
  static constexpr std::uint8_t kNoScoreboard = 7;
  std::uint8_t stall = 0;  ///< cycles until the warp may issue the next one
  std::uint8_t held_for_result = kNoScoreboard;
  std::uint8_t held_for_operands = kNoScoreboard;  ///< until they are read
  std::uint8_t awaited = 0;                        ///< a bit for each of the six scoreboards
};

struct Instruction {
  Operation operation = Operation::kNop;
  Pipe pipe = Pipe::kControl;
  std::string_view name;  ///< as disassemblers call it, without modifiers
  bool is_uniform = false;

  bool is_unanimous = false;  ///< BRA.U: taken when all lanes want to, otherwise by none

  PredicateOperand guard;
  std::uint16_t destination = kZeroRegister;
  Operand a, b, c;
  std::array<std::uint8_t, 2> predicates_out = {kTrue, kTrue};
  std::array<PredicateOperand, 3> predicates_in;

  bool is_extended = false;  ///< .X, .EX: continues an operation on the words below
  bool is_signed = false;
  bool is_high = false;      ///< .HI
  bool is_right = false;     ///< of shifts
  bool wraps = false;        ///< of shifts: the amount counts modulo the width
  bool is_64 = false;        ///< of shifts and conversions: a pair of registers
  bool gives_shift = false;  ///< FLO.SH: leading zeros instead of the place of the bit
  std::uint8_t shift = 0;    ///< of LEA
  std::array<std::uint8_t, 2> tables = {0, 0};  ///< truth tables of LOP3 and PLOP3
  Comparison comparison = Comparison::kNever;
  Combination combination = Combination::kAnd;
  Atomic atomic = Atomic::kAdd;
  ShuffleMode shuffle = ShuffleMode::kIndex;
  Reduction reduction = Reduction::kAnd;
  Address address;
  std::uint8_t bytes = 4;    ///< of an access, for each lane
  std::uint8_t barrier = 0;  ///< number of a register of BSSY and BSYNC
  std::uint8_t special = 0;  ///< number of a special register
  /// Number of the instruction that a branch leads to; of RET what is added to the register.
  std::uint32_t target = 0;
  Scheduling scheduling;
};

}  // namespace furrow::sass
