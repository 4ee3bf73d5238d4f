// SPDX-License-Identifier: Apache-2.0
// What the operations do, by the file that does it. `execution_of` chooses.
#pragma once

#include "tests/sass/machine/context.hpp"

namespace furrow::sass {

// execute_integer.cpp
void execute_iadd3(Context& context, const Linked& linked);
void execute_lea(Context& context, const Linked& linked);
void execute_imad(Context& context, const Linked& linked);
void execute_imad_wide(Context& context, const Linked& linked);
void execute_imad_high(Context& context, const Linked& linked);
void execute_minmax(Context& context, const Linked& linked);
void execute_add_minmax(Context& context, const Linked& linked);
void execute_isetp(Context& context, const Linked& linked);
void execute_i2f(Context& context, const Linked& linked);
void execute_f2i(Context& context, const Linked& linked);
void execute_reciprocal(Context& context, const Linked& linked);

// execute_bits.cpp
void execute_mov(Context& context, const Linked& linked);
void execute_sel(Context& context, const Linked& linked);
void execute_lop3(Context& context, const Linked& linked);
void execute_plop3(Context& context, const Linked& linked);
void execute_prmt(Context& context, const Linked& linked);
void execute_shf(Context& context, const Linked& linked);
void execute_shf_by_immediate(Context& context, const Linked& linked);
void execute_p2r(Context& context, const Linked& linked);
void execute_r2p(Context& context, const Linked& linked);
void execute_popc(Context& context, const Linked& linked);
void execute_flo(Context& context, const Linked& linked);
void execute_brev(Context& context, const Linked& linked);

// execute_warp.cpp
void execute_vote(Context& context, const Linked& linked);
void execute_shfl(Context& context, const Linked& linked);
void execute_redux(Context& context, const Linked& linked);
void execute_r2ur(Context& context, const Linked& linked);
void execute_s2r(Context& context, const Linked& linked);
void execute_ldc(Context& context, const Linked& linked);

// execute_global.cpp
void execute_ldg(Context& context, const Linked& linked);
void execute_stg(Context& context, const Linked& linked);
void execute_atomg(Context& context, const Linked& linked);

// execute_shared.cpp
void execute_lds(Context& context, const Linked& linked);
void execute_sts(Context& context, const Linked& linked);
void execute_atoms(Context& context, const Linked& linked);

// execute_control.cpp
void execute_bra(Context& context, const Linked& linked);
void execute_bra_by_mask(Context& context, const Linked& linked);
void execute_bssy(Context& context, const Linked& linked);
void execute_bsync(Context& context, const Linked& linked);
void execute_break(Context& context, const Linked& linked);
void execute_clear_barrier(Context& context, const Linked& linked);
void execute_call(Context& context, const Linked& linked);
void execute_ret(Context& context, const Linked& linked);
void execute_warpsync(Context& context, const Linked& linked);
void execute_collective(Context& context, const Linked& linked);
void execute_bar(Context& context, const Linked& linked);
void execute_exit(Context& context, const Linked& linked);
void execute_nop(Context& context, const Linked& linked);

/// The value of all active lanes, which must have the same.
std::uint32_t same_value(const Context& context, const Lanes& lanes, const char* what);

/// What an atomic operation leaves in memory.
std::uint64_t atomic_result(Context& context, const Instruction& instruction, std::uint64_t old,
                            std::uint64_t operand);

}  // namespace furrow::sass
