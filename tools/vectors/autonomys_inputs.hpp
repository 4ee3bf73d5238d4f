// SPDX-License-Identifier: Apache-2.0
// Inputs that vector files of Autonomys have (tests/golden/autonomys/README.md): records, pieces, and a
// table with too few proofs.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "furrow/piece.hpp"
#include "furrow/types.hpp"

#include "host/pos/proof_table.hpp"

namespace furrow::vectors {

/// Fills `chunks` with numbers below the modulus. `kind` is `scalars` (full range), `safe` (31 bytes
/// each), `zero` or `rminus1`; the last two do not use `seed`. Throws MalformedData for another one.
void fill_fr_source(std::string_view kind, std::uint64_t seed, std::span<RecordChunk> chunks);

/// The piece of index `i`: record of `kind` from `first_record_seed` + i, commitment and witness from
/// `first_rest_seed` + i.
std::unique_ptr<AutonomysPiece> made_up_autonomys_piece(std::string_view kind,
                                                        std::uint64_t first_record_seed,
                                                        std::uint64_t first_rest_seed,
                                                        std::uint64_t i);

/// Makes the tables that a case names: `chia` for real ones, `sparse` for those with a proof for every
/// s-bucket whose hash with the seed begins with a byte below 100. Throws MalformedData for another
/// name.
std::unique_ptr<ProofTable> make_named_table(const std::string& name, SimdMode mode);

}  // namespace furrow::vectors
