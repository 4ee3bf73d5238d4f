// SPDX-License-Identifier: Apache-2.0
#include "host/erasure/fr_erasure_coding.hpp"

#include <algorithm>
#include <bit>
#include <string>
#include <vector>

#include "host/base/hex.hpp"
#include "host/erasure/fr_arithmetic.hpp"
#include "host/erasure/fr_recovery.hpp"
#include "host/erasure/fr_scratch.hpp"

namespace furrow {
namespace {

/// Throws InvalidFr, which says that the chunk is the one of that index.
Fr load_checked(const RecordChunk& chunk, std::size_t index) {
  const Fr value = fr::load(chunk);
  if (!fr::is_canonical(value)) {
    throw InvalidFr(index, chunk);
  }
  return value;
}

std::string modulus_in_hex() {
  RecordChunk chunk;
  fr::store(fr::kModulus, chunk);
  return to_hex(chunk.bytes);
}

/// From source to parity chunks. False when `go_on` ended it.
bool extend_chunks(SimdMode mode, std::span<const RecordChunk> source,
                   std::span<RecordChunk> parity, const MayGoOn& go_on) {
  const FrArithmetic& arithmetic = fr_arithmetic(mode);
  const std::size_t n = source.size();
  FrScratch scratch(n);
  const std::span<Fr> values = scratch.take(n);
  for (std::size_t i = 0; i < n; ++i) {
    values[i] = load_checked(source[i], i);
  }
  arithmetic.to_coefficients(values, n);
  if (!may_go_on(go_on)) {
    return false;
  }
  arithmetic.to_values(values, n, fr_roots().shift_of(n));
  for (std::size_t i = 0; i < n; ++i) {
    fr::store(values[i], parity[i]);
  }
  return true;
}

/// The values of a code word that has some missing, and which.
class CodeWord {
 public:
  /// `is_present` tells of each shard whether it is there. Throws InvalidFr, NotEnoughShards.
  template <class IsPresent>
  CodeWord(std::span<const RecordChunk> shards, const IsPresent& is_present)
      : n_(shards.size() / 2),
        scratch_((2 + kFrRecoveryScratch) * n_),
        halves_{scratch_.take(n_), scratch_.take(n_)} {
    std::size_t n_missing[2] = {};
    for (std::size_t s = 0; s < shards.size(); ++s) {
      if (is_present(s)) {
        halves_[s % 2][s / 2] = load_checked(shards[s], s);
      } else {
        missing_.push_back(s);
        ++n_missing[s % 2];
      }
    }
    if (missing_.size() > n_) {
      throw NotEnoughShards(n_, n_ - n_missing[0], n_ - n_missing[1]);
    }
    // n shards determine the code word. Others are recovered as if they were missing, too.
    n_missing_ = missing_.size();
    for (std::size_t s = 0; missing_.size() < n_; ++s) {
      if (is_present(s)) {
        missing_.push_back(s);
      }
    }
  }

  [[nodiscard]] std::span<const std::size_t> missing() const {
    return std::span(missing_).first(n_missing_);
  }
  [[nodiscard]] const Fr& value(std::size_t s) const { return halves_[s % 2][s / 2]; }
  void recover(SimdMode mode, bool wants_parity) {
    recover_fr(fr_arithmetic(mode), halves_[0], halves_[1], missing_, wants_parity, scratch_);
  }

 private:
  std::size_t n_;
  FrScratch scratch_;
  std::span<Fr> halves_[2];  ///< sources and parity
  std::vector<std::size_t> missing_;
  std::size_t n_missing_ = 0;
};

bool is_source(std::size_t s) {
  return s % 2 == 0;
}

}  // namespace

InvalidFr::InvalidFr(std::size_t index, const RecordChunk& chunk)
    : ErasureCodingError(ErrorKind::kCorrupt,
                         "chunk " + std::to_string(index) + ": expected a number below " +
                             modulus_in_hex() + " (BLS12-381's scalar field), actual " +
                             to_hex(chunk.bytes),
                         {.expected = "below " + modulus_in_hex(), .actual = to_hex(chunk.bytes)}),
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
  if (!std::has_single_bit(most_shards) || most_shards > FrRoots::kSize) {
    throw InvalidArgument("erasure code over Fr: expected a power of two up to " +
                          std::to_string(FrRoots::kSize) + " for the shards, actual " +
                          std::to_string(most_shards));
  }
}

void FrErasureCoding::extend(std::span<const RecordChunk> source,
                             std::span<RecordChunk> parity) const {
  const std::size_t n = source.size();
  if (!std::has_single_bit(n) || n > most_shards_ / 2 || parity.size() != n) {
    throw UnsupportedShardCount(n, parity.size());
  }
  extend_chunks(mode_, source, parity, {});
}

bool FrErasureCoding::extend_record(const Record& source, Record& parity,
                                    const MayGoOn& go_on) const {
  return extend_chunks(mode_, source, parity, go_on);
}

void FrErasureCoding::recover(std::span<RecordChunk> shards,
                              std::span<const std::uint8_t> is_present) const {
  const std::size_t n_shards = shards.size();
  if (!std::has_single_bit(n_shards) || n_shards < 2 || n_shards > most_shards_ ||
      is_present.size() != n_shards) {
    throw UnsupportedShardCount(n_shards / 2, n_shards - n_shards / 2);
  }
  CodeWord word(shards, [&](std::size_t s) { return is_present[s] != 0; });
  if (word.missing().empty()) {
    return;
  }
  word.recover(mode_, !std::ranges::all_of(word.missing(), is_source));
  for (const std::size_t s : word.missing()) {
    fr::store(word.value(s), shards[s]);
  }
}

void FrErasureCoding::recover_record(const ExtendedRecord& extended, const FoundProofs& present,
                                     Record& source) const {
  CodeWord word(extended,
                [&](std::size_t s) { return (present.bytes[s / 8] >> (s % 8) & 1) != 0; });
  if (std::ranges::any_of(word.missing(), is_source)) {
    word.recover(mode_, false);
  }
  for (std::size_t i = 0; i < kNumChunks; ++i) {
    fr::store(word.value(2 * i), source[i]);
  }
}

}  // namespace furrow
