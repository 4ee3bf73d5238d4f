// SPDX-License-Identifier: Apache-2.0
// Encoding of one record on the CPU (docs/spec/03-record-encoding-and-sector.md, section 2).
#pragma once

#include <memory>
#include <vector>

#include "furrow/records_encoder.hpp"
#include "furrow/types.hpp"

#include "host/erasure/erasure_coding.hpp"
#include "host/pos/proof_table.hpp"

namespace furrow {

/// Everything one worker needs to encode records one after another. Thread-compatible.
class RecordEncoding {
 public:
  /// `k` as for make_proof_table; the network's 20 except in tests.
  RecordEncoding(unsigned k, SimdMode mode);

  /// Replaces `record` by its encoded form and sets `found_proofs` to the s-buckets used.
  /// kCancelled when `go_on` ended it. Throws TooFewProofs, naming `offset`, when fewer than 32768
  /// proofs exist. Record and bitmap are as they were after either: they are written at the end,
  /// within less than a millisecond that nothing interrupts.
  EncodeOutcome encode(const PosSeed& seed, PieceOffset offset, Record& record,
                       FoundProofs& found_proofs, const MayGoOn& go_on = {});

 private:
  std::unique_ptr<ProofTable> proofs_;
  ErasureCoding erasure_;
  std::unique_ptr<Record> parity_;
  std::vector<Hash> masks_;
};

}  // namespace furrow
