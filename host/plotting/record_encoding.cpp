// SPDX-License-Identifier: Apache-2.0
#include "host/plotting/record_encoding.hpp"

#include <utility>

#include "host/sector/contents_map.hpp"
#include "host/sector/plain_chunks.hpp"

namespace furrow {

RecordEncoding::RecordEncoding(unsigned k, SimdMode mode)
    : RecordEncoding([k, mode](Network network) { return make_proof_table(network, k, mode); },
                     mode) {
  tables_of(network_);  // so that an unsupported K is refused here
}

RecordEncoding::RecordEncoding(MakeProofTable make_table, SimdMode mode)
    : make_table_(std::move(make_table)),
      erasure_(mode),
      parity_(std::make_unique<Record>()),
      masks_(kNumChunks) {}

ProofTable& RecordEncoding::tables_of(Network network) {
  if (proofs_ == nullptr || network != network_) {
    proofs_ = nullptr;  // before there are others: they take much memory
    proofs_ = make_table_(network);
    network_ = network;
  }
  return *proofs_;
}

EncodeOutcome RecordEncoding::encode(Network network, const PosSeed& seed, PieceOffset offset,
                                     Record& record, FoundProofs& found_proofs,
                                     const MayGoOn& go_on) {
  ProofTable& proofs = tables_of(network);
  try {
    if (!proofs.generate(seed, nullptr, go_on)) {
      return EncodeOutcome::kCancelled;
    }
    if (proofs.num_proofs() < kNumChunks && !traits_of(network).plain_chunks_fill_up) {
      throw TooFewProofs(offset, proofs.num_proofs());
    }
    if (!proofs.proof_hashes(std::span(masks_).first(proofs.num_proofs()), go_on) ||
        !erasure_.extend(network, record, *parity_, go_on) || !may_go_on(go_on)) {
      return EncodeOutcome::kCancelled;
    }
  } catch (const InvalidFr& error) {
    throw UnencodableRecord(offset, error.kind(), error.what(), error.fields());
  } catch (const TableOverflow& error) {
    throw UnencodableRecord(offset, error.kind(), error.what(), error.fields());
  }
  found_proofs = proofs.found_proofs();
  mask(network, record);
  return EncodeOutcome::kComplete;
}

void RecordEncoding::mask(Network network, Record& record) {
  const FoundProofs& found = proofs_->found_proofs();
  const Record* source = &record;
  if (traits_of(network).extended_chunks_alternate) {
    if (source_ == nullptr) {
      source_ = std::make_unique<Record>();
    }
    *source_ = record;
    source = source_.get();
  }  // in place otherwise: the k-th used s-bucket is never below k, so none is overwritten unread
  const ExtendedChunks extended(network, *source, *parity_);
  std::size_t k = 0;
  for_each_s_bucket(found, [&](SBucket s_bucket) {
    const RecordChunk& chunk = extended[s_bucket];
    for (std::size_t i = 0; i < kChunkSize; ++i) {
      record[k].bytes[i] = chunk.bytes[i] ^ masks_[k].bytes[i];
    }
    ++k;
  });
  if (!has_plain_chunks(network, found)) {
    return;
  }
  for_each_s_bucket(occupied_s_buckets(network, found), [&](SBucket s_bucket) {
    if (!has_s_bucket(found, s_bucket)) {
      record[k++] = extended[s_bucket];
    }
  });
}

}  // namespace furrow
