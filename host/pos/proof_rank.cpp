// SPDX-License-Identifier: Apache-2.0
#include "host/pos/proof_rank.hpp"

#include "host/pos/proof_entry.hpp"
#include "host/pos/supported_k.hpp"

namespace furrow {
namespace {

/// Writes trees one after another.
template <unsigned K>
class TreeWriter {
 public:
  TreeWriter(const PosSeed& seed, std::span<const std::uint8_t> proof, std::uint32_t* out)
      : of_seed_(seed), proof_(proof), out_(out) {}

  /// The tree of an entry of `table` that begins with the next value of the proof.
  ProofEntry write(unsigned table) {
    std::uint32_t* const y = out_++;
    ProofEntry entry;
    if (table == 1) {
      const std::uint32_t x = of_seed_.x_of(proof_, next_++);
      entry = of_seed_.first(x);
      *out_++ = x;
    } else {
      const ProofEntry left = write(table - 1);
      const ProofEntry right = write(table - 1);
      entry = of_seed_.combine(table, left, right);
    }
    *y = entry.y;
    return entry;
  }

 private:
  EntriesOfSeed<K> of_seed_;
  std::span<const std::uint8_t> proof_;
  std::size_t next_ = 0;
  std::uint32_t* out_;
};

}  // namespace

ProofRank proof_rank(unsigned k, const PosSeed& seed, std::span<const std::uint8_t> proof) {
  return with_supported_k(k, [&]<unsigned K>() {
    ProofRank rank{};
    TreeWriter<K>(seed, proof, rank.data()).write(core::pos::kNumTables);
    return rank;
  });
}

}  // namespace furrow
