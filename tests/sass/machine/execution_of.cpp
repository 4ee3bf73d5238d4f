// SPDX-License-Identifier: Apache-2.0
#include "tests/sass/machine/execute.hpp"

namespace furrow::sass {

Execute execution_of(const Instruction& instruction) {
  switch (instruction.operation) {
    case Operation::kMov:
      return execute_mov;
    case Operation::kSel:
      return execute_sel;
    case Operation::kIadd3:
      return execute_iadd3;
    case Operation::kLea:
      return execute_lea;
    case Operation::kLop3:
      return execute_lop3;
    case Operation::kPrmt:
      return execute_prmt;
    case Operation::kShf: {
      const bool is_simple = !instruction.is_64 && !instruction.is_signed &&
                             instruction.b.kind == Operand::Kind::kImmediate &&
                             instruction.b.value >= 1 && instruction.b.value <= 31;
      return is_simple ? execute_shf_by_immediate : execute_shf;
    }
    case Operation::kImnmx:
      return execute_minmax;
    case Operation::kViaddmnmx:
      return execute_add_minmax;
    case Operation::kImad:
      return execute_imad;
    case Operation::kImadWide:
      return execute_imad_wide;
    case Operation::kImadHi:
      return execute_imad_high;
    case Operation::kIsetp:
      return execute_isetp;
    case Operation::kPlop3:
      return execute_plop3;
    case Operation::kP2r:
      return execute_p2r;
    case Operation::kR2p:
      return execute_r2p;
    case Operation::kPopc:
      return execute_popc;
    case Operation::kFlo:
      return execute_flo;
    case Operation::kBrev:
      return execute_brev;
    case Operation::kI2f:
      return execute_i2f;
    case Operation::kF2i:
      return execute_f2i;
    case Operation::kRcp:
      return execute_reciprocal;
    case Operation::kVote:
      return execute_vote;
    case Operation::kShfl:
      return execute_shfl;
    case Operation::kRedux:
      return execute_redux;
    case Operation::kR2ur:
      return execute_r2ur;
    case Operation::kS2r:
      return execute_s2r;
    case Operation::kLdc:
      return execute_ldc;
    case Operation::kLdg:
      return execute_ldg;
    case Operation::kStg:
      return execute_stg;
    case Operation::kLds:
      return execute_lds;
    case Operation::kSts:
      return execute_sts;
    case Operation::kAtoms:
      return execute_atoms;
    case Operation::kAtomg:
      return execute_atomg;
    case Operation::kBra:
      return execute_bra;
    case Operation::kBraDiv:
    case Operation::kBraConv:
      return execute_bra_by_mask;
    case Operation::kBssy:
      return execute_bssy;
    case Operation::kBsync:
      return execute_bsync;
    case Operation::kBreak:
      return execute_break;
    case Operation::kClearBarrier:
      return execute_clear_barrier;
    case Operation::kCall:
      return execute_call;
    case Operation::kRet:
      return execute_ret;
    case Operation::kWarpsync:
      return execute_warpsync;
    case Operation::kCollective:
      return execute_collective;
    case Operation::kBar:
      return execute_bar;
    case Operation::kExit:
      return execute_exit;
    case Operation::kNop:
      return execute_nop;
  }
  return nullptr;
}

}  // namespace furrow::sass
