// SPDX-License-Identifier: Apache-2.0
// The networks of the family, and the one table of what differs between them in numbers and names
// (docs/spec/09-autonomys.md, section 1). What differs in rules is chosen by this value, once for
// each record or higher up, in the room that the rule belongs to; docs/design.md names the rooms.
#pragma once

#include "furrow/core/params.hpp"

namespace furrow {

/// A network is a value: both are served by one process. Nothing here is written to a disk or sent.
enum class Network : std::uint8_t {
  kAbundance,
  kAutonomys,
};

/// Every network, in the order in which texts name them.
inline constexpr Network kNetworks[] = {Network::kAbundance, Network::kAutonomys};

/// What a network says in numbers and names.
struct NetworkTraits {
  /// As users write it.
  const char* name;
  /// First token of every subject in a cluster.
  const char* subject_prefix;
  /// A history size as a number is the count of segments, never 0. Otherwise it is that less one.
  bool history_size_is_count;
  /// A piece: so many bytes before the record, so many behind it.
  std::size_t bytes_before_record;
  std::size_t bytes_behind_record;
  /// Whether extended chunk s is source s / 2 or parity s / 2, by the lowest bit of s. Otherwise
  /// all sources come before all parity chunks.
  bool extended_chunks_alternate;
  /// Whether s-buckets without a proof fill up a record that has fewer than 32768 proofs, with
  /// unmasked chunks. Otherwise such a record cannot be encoded.
  bool plain_chunks_fill_up;

  constexpr std::size_t piece_size() const {
    return bytes_before_record + kRecordSize + bytes_behind_record;
  }
  /// What a sector keeps of a piece beside its record: all that is no record, and a checksum.
  constexpr std::size_t record_metadata_size() const {
    return bytes_before_record + bytes_behind_record + kHashSize;
  }
};

/// 48 bytes are a compressed point of G1 of BLS12-381.
inline constexpr std::size_t kG1PointSize = 48;

inline constexpr NetworkTraits kAbundanceTraits = {
    .name = "abundance",
    .subject_prefix = "ab",
    .history_size_is_count = false,
    .bytes_before_record = kPieceHeaderSize,
    .bytes_behind_record = 0,
    .extended_chunks_alternate = false,
    .plain_chunks_fill_up = false,
};

inline constexpr NetworkTraits kAutonomysTraits = {
    .name = "autonomys",
    .subject_prefix = "subspace",
    .history_size_is_count = true,
    .bytes_before_record = 0,
    .bytes_behind_record = 2 * kG1PointSize,  // record commitment, record witness
    .extended_chunks_alternate = true,
    .plain_chunks_fill_up = true,
};

static_assert(kAbundanceTraits.piece_size() == kPieceSize);
static_assert(kAbundanceTraits.record_metadata_size() == kRecordMetadataSize);
static_assert(kAutonomysTraits.piece_size() == 1'048'672);
static_assert(kAutonomysTraits.record_metadata_size() == 128);

constexpr const NetworkTraits& traits_of(Network network) {
  return network == Network::kAbundance ? kAbundanceTraits : kAutonomysTraits;
}

}  // namespace furrow
