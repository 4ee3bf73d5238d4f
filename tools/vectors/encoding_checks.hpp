// SPDX-License-Identifier: Apache-2.0
// What the vector files of each network say of proofs and encoded records in the same words.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "furrow/types.hpp"

#include "host/pos/proof_table.hpp"
#include "nlohmann/json.hpp"
#include "tools/vectors/vector_input.hpp"
#include "tools/vectors/vector_report.hpp"

namespace furrow::vectors {

/// S-buckets with a bit, ascending.
[[nodiscard]] std::vector<std::uint16_t> s_buckets_of(const FoundProofs& bitmap);

/// Calls `check_one(checker, index)` for the three proofs that a case of a file shows.
template <class CheckOne>
void check_shown_proofs(const nlohmann::json& expected, const VectorReport::Fail& fail,
                        std::span<const std::uint16_t> s_buckets, const CheckOne& check_one) {
  for (const char* which : {"first", "second", "last"}) {
    const nlohmann::json& proof = expected.at(which);
    const std::size_t index = number(proof, "proof_index");
    const CaseChecker one(proof, fail, std::string(which) + ".");
    if (index >= s_buckets.size()) {
      one.is_true(false, "proof_index is beyond the proofs found");
      continue;
    }
    one.number("s_bucket", s_buckets[index]);
    check_one(one, index);
  }
}

/// All used proofs of a table, their hashes, and those that the case shows; and that each is the proof
/// of its s-bucket.
void check_proofs_of(const nlohmann::json& expected, const ProofTable& table,
                     const VectorReport::Fail& fail);

/// The sector id and piece offset of a case, and the seed that follows from them.
struct RecordPlace {
  PieceOffset offset;
  PosSeed seed;
};
[[nodiscard]] RecordPlace check_record_place(const nlohmann::json& expected,
                                             const CaseChecker& check);

/// Digest of an encoded record, and the chunks that the case shows.
void check_encoded_record(const Record& record, const CaseChecker& check);

}  // namespace furrow::vectors
