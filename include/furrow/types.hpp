// SPDX-License-Identifier: Apache-2.0
// Value types for the quantities of the protocol (docs/spec/01-primitives.md, sections 3 and 4).
// Each is its own type, so that a piece offset cannot be passed where a piece index is wanted.
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>

#include "furrow/core/network.hpp"

namespace furrow {

/// An integer that means one thing only. `Tag` is never defined.
template <class Tag, class T>
class Index {
 public:
  using value_type = T;
  constexpr Index() = default;
  explicit constexpr Index(T value) : value_(value) {}
  [[nodiscard]] constexpr T value() const { return value_; }
  constexpr auto operator<=>(const Index&) const = default;  // NOLINT(modernize-use-nullptr)

 private:
  T value_ = 0;
};

/// Global number of a piece.
using PieceIndex = Index<struct PieceIndexTag, std::uint64_t>;
/// Place of a piece in its segment: piece index modulo 256.
using PiecePosition = Index<struct PiecePositionTag, std::uint8_t>;
/// Place of a piece in a sector.
using PieceOffset = Index<struct PieceOffsetTag, std::uint16_t>;
/// Place of a sector in a farm. 65535 is never used.
using SectorIndex = Index<struct SectorIndexTag, std::uint16_t>;
/// All 65536 values are valid.
using SBucket = Index<struct SBucketTag, std::uint16_t>;
/// Global number of a segment.
using SegmentIndex = Index<struct SegmentIndexTag, std::uint64_t>;
/// Number of a segment within its shard.
using LocalSegmentIndex = Index<struct LocalSegmentIndexTag, std::uint64_t>;
using SuperSegmentIndex = Index<struct SuperSegmentIndexTag, std::uint64_t>;
/// Place of a segment in its super segment.
using SegmentPosition = Index<struct SegmentPositionTag, std::uint32_t>;
/// 0 is the beacon chain.
using ShardIndex = Index<struct ShardIndexTag, std::uint32_t>;
using BlockNumber = Index<struct BlockNumberTag, std::uint64_t>;

constexpr SegmentIndex segment_index_of(PieceIndex piece) {
  return SegmentIndex(piece.value() / kNumPieces);
}
constexpr PiecePosition position_of(PieceIndex piece) {
  return PiecePosition(static_cast<std::uint8_t>(piece.value() % kNumPieces));
}
/// Pre: the segment's pieces are numbered below 2^64.
constexpr PieceIndex piece_index_at(SegmentIndex segment, PiecePosition position) {
  return PieceIndex(segment.value() * kNumPieces + position.value());
}

/// Number of segments in existence, at least 1. Held and serialised as the index of the last one,
/// so that no bit pattern is invalid (section 3.1).
class HistorySize {
 public:
  constexpr HistorySize() = default;
  /// From the stored form, which is the count minus one.
  static constexpr HistorySize from_stored(std::uint64_t stored) { return HistorySize(stored); }
  /// From the count of segments. Pre: count >= 1.
  static constexpr HistorySize from_count(std::uint64_t count) { return HistorySize(count - 1); }

  [[nodiscard]] constexpr std::uint64_t stored() const { return stored_; }
  /// Saturates at 2^64 - 1.
  [[nodiscard]] constexpr std::uint64_t count() const {
    return stored_ == kMax ? kMax : stored_ + 1;
  }
  /// Saturates at 2^64 - 1.
  [[nodiscard]] constexpr std::uint64_t in_pieces() const {
    return count() > kMax / kNumPieces ? kMax : count() * kNumPieces;
  }
  constexpr auto operator<=>(const HistorySize&) const = default;

  /// As the number that stands for it in the messages, metadata and files of a network
  /// (docs/spec/09-autonomys.md, section 2.1). Saturates like count().
  [[nodiscard]] constexpr std::uint64_t number(Network network) const {
    return traits_of(network).history_size_is_count ? count() : stored();
  }
  /// From such a number; none for 0 segments, which is none in a network that counts.
  [[nodiscard]] static constexpr std::optional<HistorySize> from_number(Network network,
                                                                        std::uint64_t number) {
    if (!traits_of(network).history_size_is_count) {
      return from_stored(number);
    }
    return number == 0 ? std::nullopt : std::optional(from_count(number));
  }

 private:
  static constexpr std::uint64_t kMax = std::numeric_limits<std::uint64_t>::max();
  explicit constexpr HistorySize(std::uint64_t stored) : stored_(stored) {}
  std::uint64_t stored_ = 0;
};

/// A byte string of fixed length that means one thing only. Alignment 1, no padding.
template <class Tag, std::size_t N>
struct FixedBytes {
  std::array<std::uint8_t, N> bytes{};

  static constexpr std::size_t kSize = N;
  [[nodiscard]] constexpr const std::uint8_t* data() const { return bytes.data(); }
  [[nodiscard]] constexpr std::uint8_t* data() { return bytes.data(); }
  [[nodiscard]] static constexpr std::size_t size() { return N; }
  [[nodiscard]] constexpr auto begin() const { return bytes.begin(); }
  [[nodiscard]] constexpr auto end() const { return bytes.end(); }
  [[nodiscard]] constexpr auto begin() { return bytes.begin(); }
  [[nodiscard]] constexpr auto end() { return bytes.end(); }
  constexpr auto operator<=>(const FixedBytes&) const = default;
};

/// A BLAKE3 digest, a Merkle node or a Merkle root.
using Hash = FixedBytes<struct HashTag, kHashSize>;
using SectorId = FixedBytes<struct SectorIdTag, kHashSize>;
/// Seed of the proof of space of one record.
using PosSeed = FixedBytes<struct PosSeedTag, kPosSeedSize>;
/// Key of a farmer: Ed25519 for Abundance, sr25519 for Autonomys.
using PublicKey = FixedBytes<struct PublicKeyTag, 32>;
using GlobalChallenge = FixedBytes<struct GlobalChallengeTag, kHashSize>;
using SectorSlotChallenge = FixedBytes<struct SectorSlotChallengeTag, kHashSize>;
/// Bit per s-bucket: bit s % 8 of byte s / 8 says whether s-bucket s has a proof.
using FoundProofs = FixedBytes<struct FoundProofsTag, kFoundProofsSize>;
/// 32 bytes of a record.
using RecordChunk = FixedBytes<struct RecordChunkTag, kChunkSize>;
/// 32768 chunks back to back, 1 MiB. Too large for the stack.
using Record = std::array<RecordChunk, kNumChunks>;
static_assert(sizeof(Record) == kRecordSize && alignof(Record) == 1);

/// The bytes of an object that consists of nothing else (alignment 1, no padding).
template <class T>
[[nodiscard]] std::span<const std::uint8_t> bytes_of(const T& object) {
  static_assert(alignof(T) == 1 && std::is_trivially_copyable_v<T>);
  return {reinterpret_cast<const std::uint8_t*>(&object), sizeof(T)};
}
template <class T>
[[nodiscard]] std::span<std::uint8_t> mutable_bytes_of(T& object) {
  static_assert(alignof(T) == 1 && std::is_trivially_copyable_v<T>);
  return {reinterpret_cast<std::uint8_t*>(&object), sizeof(T)};
}

/// Parameters that the node gives a farmer (section 8).
struct FarmerProtocolInfo {
  /// History at sector creation.
  HistorySize history_size;
  /// Protocol maximum, also when a sector holds fewer.
  std::uint16_t max_pieces_in_sector = 1000;
  /// How many last segments are recent.
  HistorySize recent_segments = HistorySize::from_count(5);
  /// Fraction numerator / denominator of a sector's pieces drawn from recent history.
  HistorySize recent_history_numerator = HistorySize::from_count(1);
  HistorySize recent_history_denominator = HistorySize::from_count(10);
  HistorySize min_sector_lifetime = HistorySize::from_count(4);
  bool operator==(const FarmerProtocolInfo&) const = default;
};

}  // namespace furrow
