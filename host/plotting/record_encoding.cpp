// SPDX-License-Identifier: Apache-2.0
#include "host/plotting/record_encoding.hpp"

#include "host/sector/contents_map.hpp"

namespace furrow {

RecordEncoding::RecordEncoding(unsigned k, SimdMode mode)
    : proofs_(make_proof_table(k, mode)),
      erasure_(mode),
      parity_(std::make_unique<Record>()),
      masks_(kNumChunks) {}

EncodeOutcome RecordEncoding::encode(const PosSeed& seed, PieceOffset offset, Record& record,
                                     FoundProofs& found_proofs, const MayGoOn& go_on) {
  if (!proofs_->generate(seed, nullptr, go_on)) {
    return EncodeOutcome::kCancelled;
  }
  if (proofs_->num_proofs() < kNumChunks) {
    throw TooFewProofs(offset, proofs_->num_proofs());
  }
  if (!proofs_->proof_hashes(masks_, go_on) || !erasure_.extend_record(record, *parity_, go_on) ||
      !may_go_on(go_on)) {
    return EncodeOutcome::kCancelled;
  }
  found_proofs = proofs_->found_proofs();

  // In place: the k-th used s-bucket is never below k, so no source chunk is overwritten unread.
  std::size_t k = 0;
  for_each_s_bucket(found_proofs, [&](SBucket s_bucket) {
    const std::size_t s = s_bucket.value();
    const RecordChunk& chunk = s < kNumChunks ? record[s] : (*parity_)[s - kNumChunks];
    for (std::size_t i = 0; i < kChunkSize; ++i) {
      record[k].bytes[i] = chunk.bytes[i] ^ masks_[k].bytes[i];
    }
    ++k;
  });
  return EncodeOutcome::kComplete;
}

}  // namespace furrow
