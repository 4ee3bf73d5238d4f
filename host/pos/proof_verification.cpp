// SPDX-License-Identifier: Apache-2.0
// Verification of one proof (docs/spec/02-proof-of-space.md, section 10; docs/spec/09-autonomys.md,
// section 5.5). Adjacency of buckets is not checked: the networks accept proofs whose residues fit, so
// they are accepted here too.
#include <array>

#include "furrow/core/table_rules.hpp"

#include "host/pos/proof_entry.hpp"
#include "host/pos/proof_table.hpp"
#include "host/pos/supported_k.hpp"

namespace furrow {
namespace {

/// y of the entry of table 7 that the proof is the tree of; none when two parents do not match.
template <unsigned K>
std::optional<std::uint32_t> last_y(const PosSeed& seed, std::span<const std::uint8_t> proof) {
  const EntriesOfSeed<K> of_seed(seed);
  std::array<ProofEntry, core::pos::kProofEntries> entries{};
  for (std::size_t i = 0; i < entries.size(); ++i) {
    entries[i] = of_seed.first(of_seed.x_of(proof, i));
  }
  std::size_t count = entries.size();
  for (unsigned table = 2; table <= core::pos::kNumTables; ++table, count /= 2) {
    for (std::size_t i = 0; i < count; i += 2) {
      const ProofEntry& left = entries[i];
      const ProofEntry& right = entries[i + 1];
      if (!core::pos::residues_match(core::pos::bucket_of(left.y) % 2,
                                     core::pos::residue_of(left.y),
                                     core::pos::residue_of(right.y))) {
        return std::nullopt;
      }
      entries[i / 2] = of_seed.combine(table, left, right);
    }
  }
  return entries[0].y;
}

}  // namespace

bool is_proof_valid(Network network, unsigned k, const PosSeed& seed, std::uint32_t challenge,
                    std::span<const std::uint8_t> proof) {
  return with_supported_k(k, [&]<unsigned K>() {
    if (proof.size() != core::pos::Params<K>::kProofSize) {
      return false;
    }
    const std::optional<std::uint32_t> y = last_y<K>(seed, proof);
    return y.has_value() && core::pos::with_rules_of(network, [&]<class Rules>() {
             return Rules::answers(K, *y, challenge);
           });
  });
}

}  // namespace furrow
