// SPDX-License-Identifier: Apache-2.0
/** @file
 * Proofs of space (furrow/c/proofs.h). Part of furrow/furrow.hpp. */
#ifndef FURROW_CPP_PROOFS_HPP
#define FURROW_CPP_PROOFS_HPP

#include <optional>

#include "furrow/cpp/library.hpp"

namespace furrow {
inline namespace v0_1 {

/// Where the proofs of a seed are written; views that are empty are not wanted.
struct ProofOutputs {
  /// FURROW_FOUND_PROOFS_SIZE bytes: a bit for each s-bucket with a proof.
  MutableBytes found_proofs;
  /// FURROW_MAX_PROOFS * FURROW_HASH_SIZE bytes, by s-bucket.
  MutableBytes hashes;
  /// FURROW_MAX_PROOFS * FURROW_PROOF_SIZE bytes, by s-bucket.
  MutableBytes proofs;
};

/// Makes the proofs of a seed, on the calling thread.
/// @return how many there are; nothing when it was cancelled
[[nodiscard]] inline std::optional<std::size_t> make_proofs(const Library& library,
                                                            const Hash& seed,
                                                            const ProofOutputs& outputs,
                                                            const AbortFlag* abort = nullptr) {
  furrow_proofs_request c = detail::initialised(furrow_proofs_request_init);
  c.seed = seed.data();
  c.found_proofs = detail::wanted("found_proofs", outputs.found_proofs, FURROW_FOUND_PROOFS_SIZE);
  c.hashes = detail::wanted("hashes", outputs.hashes, FURROW_MAX_PROOFS * FURROW_HASH_SIZE);
  c.proofs = detail::wanted("proofs", outputs.proofs, FURROW_MAX_PROOFS * FURROW_PROOF_SIZE);
  c.abort_flag = detail::byte_of(abort);
  std::size_t count = 0;
  const Outcome outcome = detail::outcome_of(furrow_proofs_make(library.get(), &c, &count));
  return outcome == Outcome::kDone ? std::optional(count) : std::nullopt;
}

/// Whether a proof of FURROW_PROOF_SIZE bytes is one of this seed for this s-bucket.
[[nodiscard]] inline bool is_proof_valid(const Hash& seed, std::uint16_t s_bucket, Bytes proof) {
  detail::check_size("proof", proof.size(), FURROW_PROOF_SIZE);
  int is_valid = 0;
  detail::check(furrow_proof_verify(seed.data(), s_bucket, proof.data(), &is_valid));
  return is_valid != 0;
}

/// Seed of the proofs of a record.
[[nodiscard]] inline Hash proof_seed(const Hash& sector_id, std::size_t piece_offset) {
  Hash seed{};
  detail::check(furrow_proof_seed(sector_id.data(), piece_offset, seed.data()));
  return seed;
}

}  // namespace v0_1
}  // namespace furrow

#endif
