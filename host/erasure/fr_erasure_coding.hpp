// SPDX-License-Identifier: Apache-2.0
// Erasure code of rate 1/2 over Fr (docs/spec/09-autonomys.md, section 6): n source chunks are the
// values of a polynomial at the even powers of the root of unity of order 2 n, the parity chunks those
// at the odd ones. Shards in natural order alternate: source 0, parity 0, source 1, and so on.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "furrow/may_go_on.hpp"
#include "furrow/types.hpp"

#include "host/base/simd_mode.hpp"
#include "host/erasure/erasure_coding.hpp"

namespace furrow {

/// A chunk that is no number below the modulus of the field (section 3.1).
class InvalidFr : public ErasureCodingError {
 public:
  /// `index` is the place of the chunk among those that were given.
  InvalidFr(std::size_t index, const RecordChunk& chunk);
  [[nodiscard]] std::size_t index() const noexcept { return index_; }

 private:
  std::size_t index_;
};

/// Whether a chunk is a number below the modulus, big-endian.
[[nodiscard]] bool is_fr(const RecordChunk& chunk);
/// Place of the first chunk that is none.
[[nodiscard]] std::optional<std::size_t> first_invalid_fr(std::span<const RecordChunk> chunks);

/// Encoder and decoder. Thread-safe; each call uses working memory of its own.
class FrErasureCoding {
 public:
  /// `most_shards`, a power of two up to 65536, bounds the shards of a code word.
  explicit FrErasureCoding(SimdMode mode = SimdMode::kBest, std::size_t most_shards = kNumSBuckets);

  /// Computes the parity chunks of n source chunks. Throws UnsupportedShardCount when n is no power of
  /// two or more than half of what is possible, or parity has another number; InvalidFr for the first
  /// source that is none, before anything is computed.
  void extend(std::span<const RecordChunk> source, std::span<RecordChunk> parity) const;

  /// Fills the shards, alternating, whose element of `is_present` is 0 from the others, of which it is
  /// not 0. With none missing nothing is done. Throws UnsupportedShardCount when their number is no
  /// power of two, more than possible or another than that of `is_present`; NotEnoughShards when more
  /// than half are missing; InvalidFr for the first present shard that is none.
  void recover(std::span<RecordChunk> shards, std::span<const std::uint8_t> is_present) const;

  /// The 32768 parity chunks of a record. Throws InvalidFr. False, and parity is undefined, when
  /// `go_on`, which is asked in the middle, ended it.
  bool extend_record(const Record& source, Record& parity, const MayGoOn& go_on = {}) const;

  /// Recovers the 32768 source chunks from the chunks of the s-buckets whose bit is set in `present`;
  /// the other chunks of `extended` are not read. `source` gets all source chunks, also the present
  /// ones. Throws NotEnoughShards below 32768 present chunks; InvalidFr, whose index is the s-bucket.
  void recover_record(const ExtendedRecord& extended, const FoundProofs& present,
                      Record& source) const;

 private:
  SimdMode mode_;
  std::size_t most_shards_;
};

}  // namespace furrow
