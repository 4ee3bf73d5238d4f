// SPDX-License-Identifier: Apache-2.0
// Messages of the errors of the erasure code.
#include "host/erasure/erasure_coding.hpp"

namespace furrow {
namespace {

std::string lengths(const std::string& what, std::size_t expected, std::size_t actual) {
  return what + ": expected " + std::to_string(expected) + " bytes, actual " +
         std::to_string(actual);
}

}  // namespace

UnsupportedShardCount::UnsupportedShardCount(std::size_t originals, std::size_t recoveries)
    : ErasureCodingError(
          ErrorKind::kInvalidArgument,
          "erasure code: unsupported numbers of shards, " + std::to_string(originals) +
              " source and " + std::to_string(recoveries) + " parity",
          {.actual = std::to_string(originals) + " and " + std::to_string(recoveries)}),
      original_count(originals),
      recovery_count(recoveries) {}

InvalidShardSize::InvalidShardSize(std::size_t n_bytes)
    : ErasureCodingError(
          ErrorKind::kInvalidArgument,
          "erasure code: expected shards of an even, non-zero number of bytes, actual " +
              std::to_string(n_bytes),
          {.actual = std::to_string(n_bytes)}),
      shard_bytes(n_bytes) {}

DifferentShardSize::DifferentShardSize(std::size_t expected, std::size_t actual)
    : ErasureCodingError(ErrorKind::kInvalidArgument,
                         lengths("erasure code, shard of another length", expected, actual),
                         {.expected = std::to_string(expected), .actual = std::to_string(actual)}),
      shard_bytes(expected),
      got(actual) {}

NotEnoughShards::NotEnoughShards(std::size_t originals, std::size_t originals_received,
                                 std::size_t recoveries_received)
    : ErasureCodingError(ErrorKind::kUnavailable,
                         "erasure code: not enough shards, expected at least " +
                             std::to_string(originals) + ", actual " +
                             std::to_string(originals_received) + " source and " +
                             std::to_string(recoveries_received) + " parity",
                         {.expected = std::to_string(originals),
                          .actual = std::to_string(originals_received + recoveries_received)}),
      original_count(originals),
      original_received_count(originals_received),
      recovery_received_count(recoveries_received) {}

IgnoredSourceShard::IgnoredSourceShard(std::size_t shard)
    : ErasureCodingError(
          ErrorKind::kInvalidArgument,
          "erasure code: source shard " + std::to_string(shard) + " is neither present nor wanted"),
      index(shard) {}

WrongSourceShardByteLength::WrongSourceShardByteLength(std::size_t expected_bytes,
                                                       std::size_t actual_bytes)
    : ErasureCodingError(
          ErrorKind::kInvalidArgument,
          lengths("erasure code, buffer of a source shard", expected_bytes, actual_bytes),
          {.expected = std::to_string(expected_bytes), .actual = std::to_string(actual_bytes)}),
      expected(expected_bytes),
      actual(actual_bytes) {}

WrongParityShardByteLength::WrongParityShardByteLength(std::size_t expected_bytes,
                                                       std::size_t actual_bytes)
    : ErasureCodingError(
          ErrorKind::kInvalidArgument,
          lengths("erasure code, buffer of a parity shard", expected_bytes, actual_bytes),
          {.expected = std::to_string(expected_bytes), .actual = std::to_string(actual_bytes)}),
      expected(expected_bytes),
      actual(actual_bytes) {}

}  // namespace furrow
