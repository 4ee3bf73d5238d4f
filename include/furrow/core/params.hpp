// SPDX-License-Identifier: Apache-2.0
// Sizes fixed by the protocol (docs/spec/01-primitives.md, section 2).
#pragma once

#include "furrow/core/config.hpp"

namespace furrow {

inline constexpr std::size_t kHashSize = 32;
/// One record chunk: one BLAKE3 output, masked by XOR with one proof hash.
inline constexpr std::size_t kChunkSize = 32;
inline constexpr std::size_t kNumChunks = std::size_t{1} << 15;
inline constexpr std::size_t kRecordSize = kChunkSize * kNumChunks;
/// Two s-buckets per source chunk, because the coding rate is 1/2.
inline constexpr std::size_t kNumSBuckets = 2 * kNumChunks;
/// One bit per s-bucket, least significant bit first.
inline constexpr std::size_t kFoundProofsSize = kNumSBuckets / 8;
inline constexpr std::size_t kNumRawRecords = 128;
inline constexpr std::size_t kNumPieces = 2 * kNumRawRecords;
inline constexpr std::size_t kRecordProofHashes = 8;
inline constexpr std::size_t kSegmentProofHashes = 20;
inline constexpr std::size_t kPieceHeaderSize = 984;
inline constexpr std::size_t kPieceSize = kPieceHeaderSize + kRecordSize;
/// Piece header and piece checksum, as they stand in a sector.
inline constexpr std::size_t kRecordMetadataSize = kPieceHeaderSize + kHashSize;
/// Raw history in one segment: 128 source records.
inline constexpr std::size_t kSegmentSize = kNumRawRecords * kRecordSize;
/// Proof-of-space parameter of the network.
inline constexpr unsigned kPosK = 20;
inline constexpr std::size_t kPosSeedSize = 32;
/// Most segments that one super segment can hold (docs/spec/05, section 2).
inline constexpr std::uint32_t kMaxSegmentsInSuperSegment = (std::uint32_t{1} << 20) - 1;

}  // namespace furrow
