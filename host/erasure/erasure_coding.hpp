// SPDX-License-Identifier: Apache-2.0
// Reed-Solomon code over GF(2^16) (docs/spec/04-erasure-coding.md): always the high-rate form, for
// any number and length of shards that section 3 allows.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>

#include "furrow/errors.hpp"
#include "furrow/may_go_on.hpp"
#include "furrow/types.hpp"

#include "host/base/simd_mode.hpp"

namespace furrow {

/// Base of the errors of section 7.
class ErasureCodingError : public Error {
 public:
  using Error::Error;
};

/// One shard handed to ErasureCoding::recover.
struct RecoveryShard {
  enum class State { kPresent, kWanted, kIgnored };

  State state = State::kIgnored;
  std::span<const std::uint8_t> bytes;  ///< contents, when present
  std::span<std::uint8_t> output;       ///< buffer to fill, when wanted

  static RecoveryShard present(std::span<const std::uint8_t> bytes) {
    return {State::kPresent, bytes, {}};
  }
  static RecoveryShard wanted(std::span<std::uint8_t> output) {
    return {State::kWanted, {}, output};
  }
  static RecoveryShard ignored() { return {}; }
};

/// Chunks of one record in s-bucket order: 32768 source chunks, then 32768 parity chunks. 2 MiB.
using ExtendedRecord = std::array<RecordChunk, kNumSBuckets>;

/// Encoder and decoder. Thread-safe; each call uses working memory of its own.
class ErasureCoding {
 public:
  explicit ErasureCoding(SimdMode mode = SimdMode::kBest);

  /// Computes the parity shards of the source shards. Checks in the order of section 7 and throws
  /// the first failing one as UnsupportedShardCount, InvalidShardSize, DifferentShardSize or
  /// WrongParityShardByteLength; outputs are then undefined.
  void extend(std::span<const std::span<const std::uint8_t>> source,
              std::span<const std::span<std::uint8_t>> parity) const;

  /// Fills the wanted shards from the present ones. Sources may not be ignored. Throws as section 7
  /// orders it: UnsupportedShardCount, InvalidShardSize, IgnoredSourceShard, DifferentShardSize,
  /// NotEnoughShards, WrongSourceShardByteLength, WrongParityShardByteLength.
  void recover(std::span<const RecoveryShard> source, std::span<const RecoveryShard> parity) const;

  /// The 32768 parity chunks of a record; the same bytes as extend() gives for its chunks. False,
  /// and parity is undefined, when `go_on`, which is asked in the middle, ended it.
  bool extend_record(const Record& source, Record& parity, const MayGoOn& go_on = {}) const;

  /// Recovers the 32768 source chunks from the chunks of the s-buckets whose bit is set in
  /// `present`; the other chunks of `extended` are not read. `source` gets all source chunks, also
  /// the present ones. Throws NotEnoughShards below 32768 present chunks.
  void recover_record(const ExtendedRecord& extended, const FoundProofs& present,
                      Record& source) const;

 private:
  SimdMode mode_;
};

/// k or m is zero, too large, or n + k exceeds 65536 (section 3).
class UnsupportedShardCount : public ErasureCodingError {
 public:
  UnsupportedShardCount(std::size_t original_count, std::size_t recovery_count);
  std::size_t original_count, recovery_count;
};

/// Length zero or odd.
class InvalidShardSize : public ErasureCodingError {
 public:
  explicit InvalidShardSize(std::size_t shard_bytes);
  std::size_t shard_bytes;
};

/// A present shard has another length than the first one.
class DifferentShardSize : public ErasureCodingError {
 public:
  DifferentShardSize(std::size_t shard_bytes, std::size_t got);
  std::size_t shard_bytes, got;
};

/// Fewer shards are present than there are sources.
class NotEnoughShards : public ErasureCodingError {
 public:
  NotEnoughShards(std::size_t original_count, std::size_t original_received_count,
                  std::size_t recovery_received_count);
  std::size_t original_count, original_received_count, recovery_received_count;
};

/// A source shard is neither present nor wanted.
class IgnoredSourceShard : public ErasureCodingError {
 public:
  explicit IgnoredSourceShard(std::size_t index);
  std::size_t index;
};

/// A wanted source shard has a buffer of another length.
class WrongSourceShardByteLength : public ErasureCodingError {
 public:
  WrongSourceShardByteLength(std::size_t expected, std::size_t actual);
  std::size_t expected, actual;
};

/// A parity shard has a buffer of another length.
class WrongParityShardByteLength : public ErasureCodingError {
 public:
  WrongParityShardByteLength(std::size_t expected, std::size_t actual);
  std::size_t expected, actual;
};

}  // namespace furrow
