// SPDX-License-Identifier: Apache-2.0
// Shards go through the transforms in tiles: the same columns of all shards, as many as fit the
// second-level cache. Columns are independent, so tiles are too.
#include "host/erasure/erasure_coding.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

#include "host/erasure/additive_fft.hpp"
#include "host/erasure/locator.hpp"
#include "host/erasure/shard_rows.hpp"
#include "host/erasure/workspace.hpp"

namespace furrow {
namespace {

using core::gf16::Element;
using core::gf16::kModulus;
using core::gf16::kOrder;

using Source = std::span<const std::span<const std::uint8_t>>;
using Parity = std::span<const std::span<std::uint8_t>>;
using Shards = std::span<const RecoveryShard>;
using State = RecoveryShard::State;

constexpr std::size_t kTileBytes = std::size_t{256} << 10;

unsigned log2_of(std::size_t power_of_two) {
  return static_cast<unsigned>(std::countr_zero(power_of_two));
}

/// Bytes of each shard that go into one tile of `n_rows` rows.
std::size_t tile_width(std::size_t n_rows, std::size_t shard_bytes) {
  const std::size_t blocks = std::max<std::size_t>(1, kTileBytes / n_rows / kShardBlockBytes);
  return std::min(blocks * kShardBlockBytes, shard_bytes);
}

// Checks, in the order of section 7.

void check_counts(std::size_t k, std::size_t m) {
  if (k < 1 || m < 1 || k >= kOrder || m >= kOrder || std::bit_ceil(m) + k > kOrder) {
    throw UnsupportedShardCount(k, m);
  }
}

void check_shard_bytes(std::size_t shard_bytes) {
  if (shard_bytes == 0 || shard_bytes % 2 != 0) {
    throw InvalidShardSize(shard_bytes);
  }
}

std::size_t length_of(const RecoveryShard& shard) {
  return shard.state == State::kPresent ? shard.bytes.size() : shard.output.size();
}

std::size_t first_length(Shards shards) {
  const auto found = std::ranges::find_if(
      shards, [](const RecoveryShard& shard) { return shard.state != State::kIgnored; });
  return found == shards.end() ? 0 : length_of(*found);
}

void check_present_length(const RecoveryShard& shard, std::size_t shard_bytes) {
  if (shard.state == State::kPresent && shard.bytes.size() != shard_bytes) {
    throw DifferentShardSize(shard_bytes, shard.bytes.size());
  }
}

std::size_t count_present(Shards shards) {
  return static_cast<std::size_t>(
      std::ranges::count(shards, State::kPresent, &RecoveryShard::state));
}

template <class WrongLength>
void check_wanted_lengths(Shards shards, std::size_t shard_bytes) {
  for (const RecoveryShard& shard : shards) {
    if (shard.state == State::kWanted && shard.output.size() != shard_bytes) {
      throw WrongLength(shard_bytes, shard.output.size());
    }
  }
}

/// Returns the common length of the shards.
std::size_t check_recover(Shards source, Shards parity) {
  check_counts(source.size(), parity.size());
  std::size_t shard_bytes = first_length(source);
  if (shard_bytes == 0) {
    shard_bytes = first_length(parity);
  }
  check_shard_bytes(shard_bytes);
  for (std::size_t i = 0; i < source.size(); ++i) {
    if (source[i].state == State::kIgnored) {
      throw IgnoredSourceShard(i);
    }
    check_present_length(source[i], shard_bytes);
  }
  for (const RecoveryShard& shard : parity) {
    check_present_length(shard, shard_bytes);
  }
  const std::size_t n_source = count_present(source);
  const std::size_t n_parity = count_present(parity);
  if (n_source + n_parity < source.size()) {
    throw NotEnoughShards(source.size(), n_source, n_parity);
  }
  check_wanted_lengths<WrongSourceShardByteLength>(source, shard_bytes);
  check_wanted_lengths<WrongParityShardByteLength>(parity, shard_bytes);
  return shard_bytes;
}

std::size_t check_extend(Source source, Parity parity) {
  const std::size_t shard_bytes = source.empty() ? 0 : source[0].size();
  check_counts(source.size(), parity.size());
  check_shard_bytes(shard_bytes);
  for (const auto& shard : source) {
    if (shard.size() != shard_bytes) {
      throw DifferentShardSize(shard_bytes, shard.size());
    }
  }
  for (const auto& shard : parity) {
    if (shard.size() != shard_bytes) {
      throw WrongParityShardByteLength(shard_bytes, shard.size());
    }
  }
  return shard_bytes;
}

// Encoding, section 5.

/// Coefficients of the group of sources that starts at `source[0]`, whose first point is `delta`.
void transform_group(SimdMode mode, const FftRows& rows, Source source, std::size_t offset,
                     std::size_t n_bytes, std::size_t delta) {
  for (std::size_t i = 0; i < source.size(); ++i) {
    load_row(rows.row(i), source[i].data() + offset, n_bytes);
  }
  std::memset(rows.row(source.size()), 0, (rows.count() - source.size()) * rows.row_bytes);
  additive_ifft(mode, rows, static_cast<std::uint32_t>(delta), source.size());
}

void add_rows(const FftRows& to, const FftRows& from) {
  const std::size_t n_bytes = to.count() * to.row_bytes;
  for (std::size_t i = 0; i < n_bytes; ++i) {
    to.data[i] ^= from.data[i];
  }
}

/// Computes the parity shards that are not empty.
void encode(SimdMode mode, Source source, Parity parity, std::size_t shard_bytes) {
  const std::size_t n = std::bit_ceil(parity.size());
  const bool has_groups = source.size() > n;
  const std::size_t width = tile_width(has_groups ? 2 * n : n, shard_bytes);
  ErasureWorkspace& workspace = ErasureWorkspace::of_this_thread();
  const std::size_t tile_bytes = n * row_bytes_of(width);
  std::uint8_t* const sum_memory = workspace.rows(tile_bytes);
  std::uint8_t* const group_memory = has_groups ? workspace.group_rows(tile_bytes) : nullptr;
  for (std::size_t offset = 0; offset < shard_bytes; offset += width) {
    const std::size_t n_bytes = std::min(width, shard_bytes - offset);
    const FftRows sum{sum_memory, row_bytes_of(n_bytes), log2_of(n)};
    const FftRows group{group_memory, sum.row_bytes, sum.log_rows};
    for (std::size_t start = 0; start < source.size(); start += n) {
      const Source part = source.subspan(start, std::min(n, source.size() - start));
      transform_group(mode, start == 0 ? sum : group, part, offset, n_bytes, start + n);
      if (start != 0) {
        add_rows(sum, group);
      }
    }
    additive_fft(mode, sum, 0, {0, parity.size()});
    for (std::size_t j = 0; j < parity.size(); ++j) {
      if (!parity[j].empty()) {
        store_row(parity[j].data() + offset, sum.row(j), n_bytes);
      }
    }
  }
}

// Decoding, section 6. Parity shard j has position j, source shard i has position n + i.

/// Factors for each position: `scale` for the known values, `reveal` for the erased ones, 0 for the
/// others.
struct DecoderFactors {
  std::span<const Element> scale;
  std::span<const Element> reveal;
};

/// `erased` has a power of two of positions; those from `n_used` on are not erased and hold zero.
DecoderFactors decoder_factors(ErasureWorkspace& workspace, std::span<const std::uint8_t> erased,
                               std::size_t n_used) {
  const std::size_t size = erased.size();
  const Gf16Tables& tables = gf16_tables();
  const std::span<Element> scale = workspace.logarithms(size);
  const std::span<Element> reveal = workspace.reveal(size);
  locator_logarithms(erased, workspace.integers(size), scale);
  // Erased positions come at random, so masks instead of branches.
  for (std::size_t i = 0; i < size; ++i) {
    const Element logarithm = scale[i];
    const int erased_mask = -static_cast<int>(erased[i]);
    scale[i] = static_cast<Element>(tables.exp[logarithm] & ~erased_mask);
    reveal[i] = static_cast<Element>(tables.exp[kModulus - logarithm] & erased_mask);
  }
  std::fill(scale.begin() + static_cast<std::ptrdiff_t>(n_used), scale.end(), Element{0});
  return {scale, reveal};
}

/// From scaled values to values that are to be revealed, steps 4 to 6.
void decode_rows(SimdMode mode, const FftRows& rows, std::size_t n_used, RowRange wanted) {
  additive_ifft(mode, rows, 0, n_used);
  formal_derivative(mode, rows);
  additive_fft(mode, rows, 0, wanted);
}

/// Positions of the first and behind the last missing source.
RowRange missing_sources(Shards source, std::size_t n) {
  std::size_t first = source.size();
  std::size_t last = 0;
  for (std::size_t i = 0; i < source.size(); ++i) {
    if (source[i].state == State::kWanted) {
      first = std::min(first, i);
      last = i + 1;
    }
  }
  return {n + first, n + last};
}

/// Fills the wanted source shards. Pre: there are some, and enough shards are present.
void decode_sources(SimdMode mode, Shards source, Shards parity, std::size_t shard_bytes) {
  const std::size_t n = std::bit_ceil(parity.size());
  const std::size_t n_used = n + source.size();
  const std::size_t size = std::bit_ceil(n_used);
  ErasureWorkspace& workspace = ErasureWorkspace::of_this_thread();
  const std::span<std::uint8_t> erased = workspace.erased(size);
  std::ranges::fill(erased, std::uint8_t{0});
  for (std::size_t i = 0; i < n_used; ++i) {
    const bool is_known = i < n ? i < parity.size() && parity[i].state == State::kPresent
                                : source[i - n].state == State::kPresent;
    erased[i] = is_known ? 0 : 1;
  }
  const DecoderFactors factors = decoder_factors(workspace, erased, n_used);
  const RowRange missing = missing_sources(source, n);
  const std::size_t width = tile_width(size, shard_bytes);
  std::uint8_t* const memory = workspace.rows(size * row_bytes_of(width));
  for (std::size_t offset = 0; offset < shard_bytes; offset += width) {
    const std::size_t n_bytes = std::min(width, shard_bytes - offset);
    const FftRows rows{memory, row_bytes_of(n_bytes), log2_of(size)};
    for (std::size_t i = 0; i < n_used; ++i) {
      if (erased[i] == 0) {
        const RecoveryShard& shard = i < n ? parity[i] : source[i - n];
        load_row(rows.row(i), shard.bytes.data() + offset, n_bytes);
      }
    }
    multiply_rows(mode, rows.data, rows.data, rows.row_bytes, factors.scale);
    decode_rows(mode, rows, n_used, missing);
    multiply_rows(mode, rows.row(missing.first), rows.row(missing.first), rows.row_bytes,
                  factors.reveal.subspan(missing.first, missing.last - missing.first));
    for (std::size_t i = missing.first; i < missing.last; ++i) {
      const RecoveryShard& shard = source[i - n];
      if (shard.state == State::kWanted) {
        store_row(shard.output.data() + offset, rows.row(i), n_bytes);
      }
    }
  }
}

/// Wanted parity from the sources, all of which are there by now.
void encode_wanted(SimdMode mode, Shards source, Shards parity, std::size_t shard_bytes) {
  ErasureWorkspace& workspace = ErasureWorkspace::of_this_thread();
  const auto complete = workspace.source_shards(source.size());
  std::ranges::transform(source, complete.begin(), [](const RecoveryShard& shard) {
    return shard.state == State::kPresent ? shard.bytes : shard.output;
  });
  const auto wanted = workspace.parity_shards(parity.size());
  std::ranges::transform(parity, wanted.begin(), [](const RecoveryShard& shard) {
    return shard.state == State::kWanted ? shard.output : std::span<std::uint8_t>();
  });
  encode(mode, complete, wanted, shard_bytes);
}

bool has_wanted(Shards shards) {
  return std::ranges::find(shards, State::kWanted, &RecoveryShard::state) != shards.end();
}

bool has_bucket(const FoundProofs& present, std::size_t s_bucket) {
  return (present.bytes[s_bucket / 8] >> (s_bucket % 8) & 1) != 0;
}

std::size_t count_bits(std::span<const std::uint8_t> bytes) {
  std::size_t count = 0;
  for (const std::uint8_t byte : bytes) {
    count += static_cast<std::size_t>(std::popcount(byte));
  }
  return count;
}

}  // namespace

ErasureCoding::ErasureCoding(SimdMode mode) : mode_(mode) {}

void ErasureCoding::extend(std::span<const std::span<const std::uint8_t>> source,
                           std::span<const std::span<std::uint8_t>> parity) const {
  encode(mode_, source, parity, check_extend(source, parity));
}

void ErasureCoding::recover(std::span<const RecoveryShard> source,
                            std::span<const RecoveryShard> parity) const {
  const std::size_t shard_bytes = check_recover(source, parity);
  if (has_wanted(source)) {
    decode_sources(mode_, source, parity, shard_bytes);
  }
  if (has_wanted(parity)) {
    encode_wanted(mode_, source, parity, shard_bytes);
  }
}

bool ErasureCoding::extend_record(const Record& source, Record& parity,
                                  const MayGoOn& go_on) const {
  parity = source;
  const FftRows rows{mutable_bytes_of(parity).data(), kChunkSize, log2_of(kNumChunks)};
  additive_ifft(mode_, rows, kNumChunks, kNumChunks);
  if (!may_go_on(go_on)) {
    return false;
  }
  additive_fft(mode_, rows, 0, {0, kNumChunks});
  return true;
}

void ErasureCoding::recover_record(const ExtendedRecord& extended, const FoundProofs& present,
                                   Record& source) const {
  const std::size_t n_source = count_bits(std::span(present.bytes).first(kFoundProofsSize / 2));
  const std::size_t n_parity = count_bits(std::span(present.bytes).last(kFoundProofsSize / 2));
  if (n_source + n_parity < kNumChunks) {
    throw NotEnoughShards(kNumChunks, n_source, n_parity);
  }
  if (n_source < kNumChunks) {
    ErasureWorkspace& workspace = ErasureWorkspace::of_this_thread();
    const std::span<std::uint8_t> erased = workspace.erased(kNumSBuckets);
    for (std::size_t i = 0; i < kNumSBuckets; ++i) {
      erased[i] = has_bucket(present, i ^ kNumChunks) ? 0 : 1;
    }
    const DecoderFactors factors = decoder_factors(workspace, erased, kNumSBuckets);
    const FftRows rows{workspace.rows(kNumSBuckets * kChunkSize), kChunkSize,
                       log2_of(kNumSBuckets)};
    multiply_rows(mode_, rows.row(0), extended[kNumChunks].data(), kChunkSize,
                  factors.scale.first(kNumChunks));
    multiply_rows(mode_, rows.row(kNumChunks), extended[0].data(), kChunkSize,
                  factors.scale.last(kNumChunks));
    decode_rows(mode_, rows, kNumSBuckets, {kNumChunks, kNumSBuckets});
    multiply_rows(mode_, mutable_bytes_of(source).data(), rows.row(kNumChunks), kChunkSize,
                  factors.reveal.last(kNumChunks));
  }
  for (std::size_t i = 0; i < kNumChunks; ++i) {
    if (has_bucket(present, i)) {
      source[i] = extended[i];
    }
  }
}

}  // namespace furrow
