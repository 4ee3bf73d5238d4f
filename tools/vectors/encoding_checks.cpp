// SPDX-License-Identifier: Apache-2.0
#include "tools/vectors/encoding_checks.hpp"

#include "host/primitives/sector_id.hpp"
#include "host/sector/contents_map.hpp"

namespace furrow::vectors {

std::vector<std::uint16_t> s_buckets_of(const FoundProofs& bitmap) {
  std::vector<std::uint16_t> result;
  for_each_s_bucket(bitmap, [&](SBucket s) { result.push_back(s.value()); });
  return result;
}

void check_proofs_of(const nlohmann::json& expected, const ProofTable& table,
                     const VectorReport::Fail& fail) {
  const CaseChecker check(expected, fail);
  const std::vector<std::uint16_t> s_buckets = s_buckets_of(table.found_proofs());
  bool indexes_agree = table.num_proofs() == s_buckets.size();
  for (std::size_t i = 0; i < s_buckets.size(); ++i) {
    indexes_agree = indexes_agree && table.proof_index(SBucket(s_buckets[i])) == i;
  }
  check.is_true(indexes_agree, "proof_index disagrees with the bitmap");

  std::vector<std::uint8_t> proofs(table.num_proofs() * table.proof_size());
  const auto proof = [&](std::size_t index) {
    return std::span(proofs).subspan(index * table.proof_size(), table.proof_size());
  };
  std::vector<Hash> hashes(table.num_proofs());
  for (std::size_t i = 0; i < table.num_proofs(); ++i) {
    table.proof(i, proof(i));
  }
  table.proof_hashes(hashes);
  check.digest("proofs_blake3", proofs);
  check.digest("proof_hashes_blake3",
               {reinterpret_cast<const std::uint8_t*>(hashes.data()), hashes.size() * kHashSize});
  check_shown_proofs(expected, fail, s_buckets, [&](const CaseChecker& one, std::size_t index) {
    one.bytes("proof", proof(index));
    one.bytes("proof_hash", hashes[index].bytes);
  });
}

RecordPlace check_record_place(const nlohmann::json& expected, const CaseChecker& check) {
  SectorId sector_id;
  fill_stream(seed(expected, "sector_id_seed"), sector_id.bytes);
  check.bytes("sector_id", sector_id.bytes);
  const PieceOffset offset(static_cast<std::uint16_t>(number(expected, "piece_offset")));
  const PosSeed pos_seed = derive_evaluation_seed(sector_id, offset);
  check.bytes("pos_seed", pos_seed.bytes);
  return {offset, pos_seed};
}

void check_encoded_record(const Record& record, const CaseChecker& check) {
  check.digest("encoded_record_blake3", bytes_of(record));
  check.bytes("first_encoded_chunk", record[0].bytes);
  check.bytes("second_encoded_chunk", record[1].bytes);
  check.bytes("encoded_chunk_16384", record[16384].bytes);
  check.bytes("last_encoded_chunk", record[kNumChunks - 1].bytes);
}

}  // namespace furrow::vectors
