// SPDX-License-Identifier: Apache-2.0
#include "host/erasure/fr_erasure_coding.hpp"

#include <algorithm>
#include <bit>
#include <string>
#include <vector>

#include "host/base/hex.hpp"
#include "host/erasure/fr_recovery.hpp"
#include "host/erasure/fr_transform.hpp"

namespace furrow {
namespace {

/// Those of a record, which everybody needs.
const std::vector<Fr>& shift_factors_of_record() {
  static const std::vector<Fr> factors = fr_shift_factors(kNumChunks);
  return factors;
}

/// Throws InvalidFr.
void load_all(std::span<const RecordChunk> chunks, std::span<Fr> values) {
  for (std::size_t i = 0; i < chunks.size(); ++i) {
    values[i] = fr::load(chunks[i]);
    if (!fr::is_canonical(values[i])) {
      throw InvalidFr(i, chunks[i]);
    }
  }
}

void store_all(std::span<const Fr> values, std::span<RecordChunk> chunks) {
  for (std::size_t i = 0; i < chunks.size(); ++i) {
    fr::store(values[i], chunks[i]);
  }
}

/// From source values to parity values. False when `go_on` ended it.
bool extend_values(std::span<Fr> values, std::span<const Fr> shift_factors, const MayGoOn& go_on) {
  fr_transform_to_reversed(FrDirection::kInverse, values);
  if (!may_go_on(go_on)) {
    return false;
  }
  for (std::size_t j = 0; j < values.size(); ++j) {
    values[j] = fr::multiply(values[j], shift_factors[j]);
  }
  fr_transform_from_reversed(FrDirection::kForward, values);
  return true;
}

std::vector<Fr>& values_of_this_thread(std::size_t n) {
  thread_local std::vector<Fr> values;
  values.resize(n);
  return values;
}

}  // namespace

InvalidFr::InvalidFr(std::size_t index, const RecordChunk& chunk)
    : ErasureCodingError(ErrorKind::kCorrupt,
                         "chunk " + std::to_string(index) +
                             ": expected a number below the modulus of BLS12-381's scalar field, "
                             "actual " +
                             to_hex(chunk.bytes),
                         {.actual = to_hex(chunk.bytes)}),
      index_(index) {}

bool is_fr(const RecordChunk& chunk) {
  return fr::is_canonical(fr::load(chunk));
}

std::optional<std::size_t> first_invalid_fr(std::span<const RecordChunk> chunks) {
  const auto found = std::ranges::find_if_not(chunks, is_fr);
  return found == chunks.end() ? std::nullopt
                               : std::optional(static_cast<std::size_t>(found - chunks.begin()));
}

FrErasureCoding::FrErasureCoding(SimdMode mode, std::size_t most_shards)
    : mode_(mode), most_shards_(most_shards) {
  if (!std::has_single_bit(most_shards) || most_shards > FrRoots::kMaxLength) {
    throw InvalidArgument("erasure code over Fr: expected a power of two up to " +
                          std::to_string(FrRoots::kMaxLength) + " for the shards, actual " +
                          std::to_string(most_shards));
  }
}

void FrErasureCoding::extend(std::span<const RecordChunk> source,
                             std::span<RecordChunk> parity) const {
  const std::size_t n = source.size();
  if (!std::has_single_bit(n) || n > most_shards_ / 2 || parity.size() != n) {
    throw UnsupportedShardCount(n, parity.size());
  }
  std::vector<Fr>& values = values_of_this_thread(n);
  load_all(source, values);
  extend_values(values, fr_shift_factors(n), {});
  store_all(values, parity);
}

bool FrErasureCoding::extend_record(const Record& source, Record& parity,
                                    const MayGoOn& go_on) const {
  std::vector<Fr>& values = values_of_this_thread(kNumChunks);
  load_all(source, values);
  if (!extend_values(values, shift_factors_of_record(), go_on)) {
    return false;
  }
  store_all(values, parity);
  return true;
}

void FrErasureCoding::recover(std::span<RecordChunk> shards,
                              std::span<const std::uint8_t> is_present) const {
  const std::size_t n = shards.size();
  if (!std::has_single_bit(n) || n < 2 || n > most_shards_ || is_present.size() != n) {
    throw UnsupportedShardCount(n / 2, n - n / 2);
  }
  std::vector<std::size_t> missing;
  std::vector<Fr>& values = values_of_this_thread(n);
  for (std::size_t s = 0; s < n; ++s) {
    if (is_present[s] == 0) {
      missing.push_back(s);
      continue;
    }
    values[s] = fr::load(shards[s]);
    if (!fr::is_canonical(values[s])) {
      throw InvalidFr(s, shards[s]);
    }
  }
  if (missing.size() > n / 2) {
    const auto is_even = [](std::size_t s) { return s % 2 == 0; };
    const auto sources_missing = static_cast<std::size_t>(std::ranges::count_if(missing, is_even));
    throw NotEnoughShards(n / 2, n / 2 - sources_missing,
                          n / 2 - (missing.size() - sources_missing));
  }
  if (missing.empty()) {
    return;
  }
  recover_fr_values(values, missing, missing);
  for (const std::size_t s : missing) {
    fr::store(values[s], shards[s]);
  }
}

void FrErasureCoding::recover_record(const ExtendedRecord& extended, const FoundProofs& present,
                                     Record& source) const {
  std::vector<std::size_t> missing;
  std::vector<std::size_t> wanted;  // the sources among them
  std::vector<Fr>& values = values_of_this_thread(kNumSBuckets);
  for (std::size_t s = 0; s < kNumSBuckets; ++s) {
    if ((present.bytes[s / 8] >> (s % 8) & 1) == 0) {
      missing.push_back(s);
      if (s % 2 == 0) {
        wanted.push_back(s);
      }
      continue;
    }
    values[s] = fr::load(extended[s]);
    if (!fr::is_canonical(values[s])) {
      throw InvalidFr(s, extended[s]);
    }
  }
  if (missing.size() > kNumChunks) {
    throw NotEnoughShards(kNumChunks, kNumChunks - wanted.size(),
                          kNumChunks - (missing.size() - wanted.size()));
  }
  if (!wanted.empty()) {
    recover_fr_values(values, missing, wanted);
  }
  for (std::size_t i = 0; i < kNumChunks; ++i) {
    fr::store(values[2 * i], source[i]);
  }
}

}  // namespace furrow
