// SPDX-License-Identifier: Apache-2.0
// The erasure code of a record, by network: GF(2^16) for Abundance
// (docs/spec/04-erasure-coding.md), the scalar field of BLS12-381 for Autonomys
// (docs/spec/09-autonomys.md, section 6).
#pragma once

#include "furrow/types.hpp"

#include "host/erasure/erasure_coding.hpp"
#include "host/erasure/fr_erasure_coding.hpp"

namespace furrow {

/// The 65536 extended chunks of a record, which are those of the s-buckets, where they stand among source
/// and parity chunks. Both must outlive it.
class ExtendedChunks {
 public:
  ExtendedChunks(Network network, const Record& source, const Record& parity)
      : halves_{&source, &parity} {
    // One bit of the s-bucket tells source from parity, the others are the number of the chunk.
    const bool alternate = traits_of(network).extended_chunks_alternate;
    half_bit_ = alternate ? 0 : 15;
    chunk_bit_ = alternate ? 1 : 0;
  }

  [[nodiscard]] const RecordChunk& operator[](SBucket s_bucket) const {
    const std::size_t s = s_bucket.value();
    return (*halves_[s >> half_bit_ & 1])[s >> chunk_bit_ & (kNumChunks - 1)];
  }

 private:
  const Record* halves_[2];
  unsigned half_bit_;
  unsigned chunk_bit_;
};
static_assert(kNumChunks == std::size_t{1} << 15);

/// Both codes. Thread-safe; each call uses working memory of its own.
class RecordErasure {
 public:
  explicit RecordErasure(SimdMode mode = SimdMode::kBest) : gf16_(mode), fr_(mode) {}

  /// The 32768 parity chunks of a record. False, and parity is undefined, when `go_on`, which is
  /// asked in the middle, ended it. Throws InvalidFr for Autonomys when a chunk is no number below
  /// the modulus.
  bool extend(Network network, const Record& source, Record& parity,
              const MayGoOn& go_on = {}) const {
    return network == Network::kAbundance ? gf16_.extend_record(source, parity, go_on)
                                          : fr_.extend_record(source, parity, go_on);
  }

  /// Recovers the 32768 source chunks from the chunks of the s-buckets whose bit is set in `present`;
  /// the other chunks of `extended` are not read. Throws ErasureCodingError, InvalidFr among them.
  void recover(Network network, const ExtendedRecord& extended, const FoundProofs& present,
               Record& source) const {
    if (network == Network::kAbundance) {
      gf16_.recover_record(extended, present, source);
    } else {
      fr_.recover_record(extended, present, source);
    }
  }

 private:
  ErasureCoding gf16_;
  FrErasureCoding fr_;
};

}  // namespace furrow
