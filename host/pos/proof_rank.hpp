// SPDX-License-Identifier: Apache-2.0
// Ranks of table entries (docs/spec/09-autonomys.md, sections 5.2 and 5.7).
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "furrow/core/pos.hpp"
#include "furrow/types.hpp"

namespace furrow {

/// The tree of an entry of table 7 in pre-order: its y, then the left subtree, then the right one; an
/// entry of table 1 is its y and its x. The order of these sequences is the order of the ranks:
/// entries are ranked by y, then by the rank of the left parent, then by that of the right one, and
/// those of table 1 by y, then by x. Equal for the same entry only.
using ProofRank = std::array<std::uint32_t, 3 * core::pos::kProofEntries - 1>;

/// The rank of the entry of which a proof of 8 K bytes is the tree. Takes some 10 microseconds.
/// Throws InvalidArgument for an unsupported K. Pre: the proof is one of `seed`.
ProofRank proof_rank(unsigned k, const PosSeed& seed, std::span<const std::uint8_t> proof);

}  // namespace furrow
