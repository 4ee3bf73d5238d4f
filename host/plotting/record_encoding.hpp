// SPDX-License-Identifier: Apache-2.0
// Encoding of one record on the CPU (docs/spec/03-record-encoding-and-sector.md, section 2;
// docs/spec/09-autonomys.md, section 7).
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "furrow/records_encoder.hpp"
#include "furrow/types.hpp"

#include "host/erasure/record_erasure.hpp"
#include "host/pos/proof_table.hpp"

namespace furrow {

/// Everything one worker needs to encode records one after another. It has the tables of one network,
/// and makes others when a record of another one comes. Thread-compatible.
class RecordEncoding {
 public:
  using MakeProofTable = std::function<std::unique_ptr<ProofTable>(Network)>;

  /// `k` as for make_proof_table; the networks' 20 except in tests.
  RecordEncoding(unsigned k, SimdMode mode);
  /// With tables from elsewhere, for tests.
  RecordEncoding(MakeProofTable make_table, SimdMode mode);

  /// Replaces `record` by its encoded form and sets `found_proofs` to the s-buckets used.
  /// kCancelled when `go_on` ended it. Throws TooFewProofs, naming `offset`, when fewer than 32768
  /// proofs exist and the network does not fill up, UnencodableRecord when a chunk is none of the
  /// network's, or a table too full. Record and bitmap are as they were after any of these: they are
  /// written at the end, within less than a millisecond that nothing interrupts.
  EncodeOutcome encode(Network network, const PosSeed& seed, PieceOffset offset, Record& record,
                       FoundProofs& found_proofs, const MayGoOn& go_on = {});

 private:
  ProofTable& tables_of(Network network);
  void mask(Network network, Record& record);

  MakeProofTable make_table_;
  Network network_ = Network::kAbundance;
  std::unique_ptr<ProofTable> proofs_;  // of network_
  RecordErasure erasure_;
  std::unique_ptr<Record> source_;  // a copy, where a record is not masked in place
  std::unique_ptr<Record> parity_;
  std::vector<Hash> masks_;
};

}  // namespace furrow
