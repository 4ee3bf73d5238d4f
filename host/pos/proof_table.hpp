// SPDX-License-Identifier: Apache-2.0
// Proof of space of one seed (docs/spec/02-proof-of-space.md; docs/spec/09-autonomys.md, section 5):
// which s-buckets have a proof, and the proofs and their hashes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "furrow/core/network.hpp"
#include "furrow/errors.hpp"
#include "furrow/may_go_on.hpp"
#include "furrow/types.hpp"

#include "host/base/simd_mode.hpp"

namespace furrow {

/// Positions of the two parents of an entry, dense numbering, in the table before.
struct ParentPositions {
  std::uint32_t left;
  std::uint32_t right;
  bool operator==(const ParentPositions&) const = default;
};

/// Sees every table while it is made, for debugging and for the vectors.
class TableObserver {
 public:
  TableObserver() = default;
  TableObserver(const TableObserver&) = delete;
  TableObserver& operator=(const TableObserver&) = delete;
  virtual ~TableObserver() = default;

  /// Entries of `table` (1 to 7) made by one call, in position order. For tables 2 to 7 there is
  /// one call for each pair of buckets of the table before: `matches_found` counts the matches
  /// found when the search stopped, of which Abundance keeps 288 at most. For table 1, `parents` is
  /// empty.
  virtual void on_entries(unsigned table, std::size_t matches_found,
                          std::span<const std::uint32_t> y, std::span<const uint128> metadata,
                          std::span<const ParentPositions> parents) = 0;
};

/// More entries in a table of a record than there is room for, where the rules leave out none
/// (docs/spec/09-autonomys.md, section 5.1: once in 10^11 records). The record cannot be encoded.
class TableOverflow : public Error {
 public:
  /// `what` of `table` has more entries than there is `room`.
  TableOverflow(unsigned table, const std::string& what, std::size_t room);
};

/// Memory of one ProofTable for K = 20 together with what else a thread has that encodes with it:
/// erasure coding, parity and masks. Measured by a test, rounded up. What every other place says
/// of this memory is said with this number.
constexpr std::size_t proof_table_bytes(Network network) {
  return std::size_t{network == Network::kAbundance ? 84U : 146U} << 20;
}

/// Tables of one seed, and room for those of the next: memory is kept between seeds.
/// Thread-compatible.
class ProofTable {
 public:
  ProofTable() = default;
  ProofTable(const ProofTable&) = delete;
  ProofTable& operator=(const ProofTable&) = delete;
  virtual ~ProofTable() = default;

  /// Makes the tables of `seed`; everything below then speaks of this seed. False when `go_on`
  /// ended it half-way: nothing below means anything then. Throws TableOverflow, likewise.
  virtual bool generate(const PosSeed& seed, TableObserver* observer = nullptr,
                        const MayGoOn& go_on = {}) = 0;

  /// S-buckets with a proof, the first 32768 of them at most.
  [[nodiscard]] virtual const FoundProofs& found_proofs() const = 0;
  /// Set bits of found_proofs().
  [[nodiscard]] virtual std::size_t num_proofs() const = 0;
  /// Bytes of one proof: 8 K.
  [[nodiscard]] virtual std::size_t proof_size() const = 0;
  /// Proof number `index`, in the order of the s-buckets, to `out` of proof_size() bytes.
  /// Pre: index < num_proofs().
  virtual void proof(std::size_t index, std::span<std::uint8_t> out) const = 0;
  /// Hashes of all proofs in the order of the s-buckets. Pre: out.size() == num_proofs(). False
  /// when `go_on` ended it half-way.
  virtual bool proof_hashes(std::span<Hash> out, const MayGoOn& go_on = {}) const = 0;
  /// The proof of an s-bucket to `out` of proof_size() bytes, for Autonomys also of one that is not in
  /// found_proofs() because enough come before it. False when it has none.
  virtual bool proof_of(SBucket s_bucket, std::span<std::uint8_t> out) const = 0;
  /// For each of the 65536 s-buckets the positions in table 6 of its match, (0, 0) for none.
  /// Pre: the seed was made with an observer.
  [[nodiscard]] virtual std::span<const ParentPositions> proof_targets() const = 0;

  /// Index of the proof of an s-bucket; none when it has no proof.
  [[nodiscard]] std::optional<std::size_t> proof_index(SBucket s_bucket) const;
};

/// Tables for the given K: 15 to 18 or 20. The networks use 20; smaller ones are for tests.
/// Throws InvalidArgument for another K.
std::unique_ptr<ProofTable> make_proof_table(Network network, unsigned k = kPosK,
                                             SimdMode mode = SimdMode::kBest);

/// Whether `proof` is a proof of space of `seed` for a challenge, of which s-buckets are the first
/// 65536 (section 10). Proofs of another length than 8 K bytes are invalid. Throws InvalidArgument for
/// an unsupported K.
bool is_proof_valid(Network network, unsigned k, const PosSeed& seed, std::uint32_t challenge,
                    std::span<const std::uint8_t> proof);
inline bool is_proof_valid(Network network, unsigned k, const PosSeed& seed, SBucket s_bucket,
                           std::span<const std::uint8_t> proof) {
  return is_proof_valid(network, k, seed, std::uint32_t{s_bucket.value()}, proof);
}

}  // namespace furrow
