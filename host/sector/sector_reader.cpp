// SPDX-License-Identifier: Apache-2.0
#include "host/sector/sector_reader.hpp"

#include <algorithm>
#include <memory>
#include <vector>

#include "host/base/counted.hpp"
#include "host/base/hex.hpp"
#include "host/crypto/blake3.hpp"
#include "host/primitives/sector_id.hpp"
#include "host/sector/contents_map.hpp"
#include "host/sector/plain_chunks.hpp"
#include "host/sector/s_bucket_counts.hpp"
#include "host/sector/sector_layout.hpp"

namespace furrow {
namespace {

/// Chunks less than a page apart are read in one go, up to this many bytes.
constexpr std::uint64_t kMaxGap = 4096;
constexpr std::uint64_t kMaxRun = std::uint64_t{1} << 20;

/// A chunk of the record: its s-bucket and its place in the chunks region, in chunks.
struct ChunkPlace {
  SBucket s_bucket;
  std::uint64_t location;
};

void check_offset(PieceOffset offset, const SectorMetadata& metadata) {
  if (offset.value() >= metadata.pieces_in_sector) {
    throw InvalidArgument("piece offset " + std::to_string(offset.value()) + " in a sector of " +
                          counted(metadata.pieces_in_sector, "piece"));
  }
}

SectorContentsMap read_contents_map(const SectorReadAt& read_at, const SectorMetadata& metadata) {
  std::vector<std::uint8_t> bytes(contents_map_size(metadata.pieces_in_sector));
  read_at(0, bytes);
  try {
    return SectorContentsMap::parse(bytes, metadata.pieces_in_sector, metadata.network);
  } catch (const Error& error) {
    throw FailedToDecodeSectorContentsMap(error.what());
  }
}

/// Places of the chunks of one record, masked and plain, ascending: s-bucket offsets come from the metadata, the rank
/// within an s-bucket from the map.
std::vector<ChunkPlace> locate_chunks(const SectorContentsMap& map, const SectorMetadata& metadata,
                                      PieceOffset offset) {
  SBucketCounts before;
  for (std::size_t q = 0; q < offset.value(); ++q) {
    count_chunks(map.network(), map.bitmaps()[q], before);
  }
  const FoundProofs occupied = occupied_s_buckets(map.network(), map.bitmaps()[offset.value()]);
  std::vector<ChunkPlace> places;
  places.reserve(kNumChunks);
  std::uint64_t first_chunk = 0;
  for (std::size_t s = 0; s < kNumSBuckets; ++s) {
    const SBucket s_bucket(static_cast<std::uint16_t>(s));
    if (has_s_bucket(occupied, s_bucket)) {
      places.push_back({s_bucket, first_chunk + before.of(s)});
    }
    first_chunk += metadata.s_bucket_sizes[s];
  }
  const std::uint64_t region_chunks = std::uint64_t{metadata.pieces_in_sector} * kNumChunks;
  if (!places.empty() && places.back().location >= region_chunks) {
    throw FailedToReadChunk(
        places.back().location,
        "sector metadata places it behind the last of " + counted(region_chunks, "chunk"),
        ErrorKind::kCorrupt);
  }
  return places;
}

/// Reads the chunks in their order and hands the k-th one to `take`.
void read_chunks(std::span<const ChunkPlace> places, std::uint64_t region_offset,
                 const SectorReadAt& read_at, const auto& take) {
  std::vector<std::uint8_t> buffer;
  for (std::size_t first = 0; first < places.size();) {
    const std::uint64_t start = places[first].location * kChunkSize;
    std::size_t last = first;
    while (last + 1 < places.size() &&
           (places[last + 1].location - places[last].location) * kChunkSize <= kMaxGap &&
           (places[last + 1].location + 1) * kChunkSize - start <= kMaxRun) {
      ++last;
    }
    buffer.resize((places[last].location + 1) * kChunkSize - start);
    try {
      read_at(region_offset + start, buffer);
    } catch (const IoError& error) {
      throw FailedToReadChunk(places[first].location, error.what());
    }
    for (std::size_t k = first; k <= last; ++k) {
      take(k, std::span<const std::uint8_t, kChunkSize>(
                  buffer.data() + places[k].location * kChunkSize - start, kChunkSize));
    }
    first = last + 1;
  }
}

/// Masks of the s-buckets of a bitmap, in their order. Throws MissingPosProof.
std::vector<Hash> masks_of(const FoundProofs& bitmap, const ProofTable& proofs) {
  std::vector<Hash> used(proofs.num_proofs());
  proofs.proof_hashes(used);
  std::vector<Hash> masks;
  masks.reserve(kNumChunks);
  std::vector<std::uint8_t> proof(proofs.proof_size());
  std::size_t n_used = 0;
  for (std::size_t s = 0; s < kNumSBuckets; ++s) {
    const SBucket s_bucket(static_cast<std::uint16_t>(s));
    const bool is_used = has_s_bucket(proofs.found_proofs(), s_bucket);
    if (has_s_bucket(bitmap, s_bucket)) {
      if (is_used) {
        masks.push_back(used[n_used]);
      } else if (proofs.proof_of(s_bucket, proof)) {
        masks.push_back(blake3(proof));  // by another choice of proofs than ours
      } else {
        throw MissingPosProof(s_bucket);
      }
    }
    n_used += is_used ? 1 : 0;
  }
  return masks;
}

/// The chunks of a record without their masks, by s-bucket.
std::unique_ptr<ExtendedRecord> read_chunks_of(PieceOffset offset, const SectorId& sector_id,
                                               const SectorMetadata& metadata,
                                               const SectorContentsMap& map,
                                               const SectorReadAt& read_at, ProofTable& proofs) {
  const FoundProofs& bitmap = map.bitmaps()[offset.value()];
  const std::vector<ChunkPlace> places = locate_chunks(map, metadata, offset);
  proofs.generate(derive_evaluation_seed(sector_id, offset));
  const std::vector<Hash> masks = masks_of(bitmap, proofs);
  auto extended = std::make_unique<ExtendedRecord>();
  std::size_t n_masked = 0;
  read_chunks(places, record_chunks_offset(metadata.pieces_in_sector), read_at,
              [&](std::size_t k, std::span<const std::uint8_t, kChunkSize> stored) {
                RecordChunk& chunk = (*extended)[places[k].s_bucket.value()];
                std::ranges::copy(stored, chunk.bytes.begin());
                if (!has_s_bucket(bitmap, places[k].s_bucket)) {
                  return;  // a plain one
                }
                for (std::size_t i = 0; i < kChunkSize; ++i) {
                  chunk.bytes[i] ^= masks[n_masked].bytes[i];
                }
                ++n_masked;
              });
  return extended;
}

}  // namespace

FailedToDecodeSectorContentsMap::FailedToDecodeSectorContentsMap(const std::string& reason)
    : ReadingError(ErrorKind::kCorrupt, "failed to decode sector contents map: " + reason) {}

FailedToReadChunk::FailedToReadChunk(std::uint64_t chunk_location, const std::string& reason,
                                     ErrorKind kind)
    : ReadingError(
          kind,
          "failed to read chunk at location " + std::to_string(chunk_location) + ": " + reason,
          {.offset = chunk_location * kChunkSize}),
      chunk_location_(chunk_location) {}

MissingPosProof::MissingPosProof(SBucket s_bucket)
    : ReadingError(ErrorKind::kCorrupt,
                   "no proof of space for s-bucket " + std::to_string(s_bucket.value()) +
                       ", which the contents map marks as used",
                   {.expected = "a proof for s-bucket " + std::to_string(s_bucket.value())}),
      s_bucket_(s_bucket) {}

InvalidChunk::InvalidChunk(const InvalidFr& error)
    : ReadingError(ErrorKind::kCorrupt,
                   "chunk in s-bucket " + std::to_string(error.index()) + ": " + error.what(),
                   error.fields()),
      s_bucket_(static_cast<std::uint16_t>(error.index())) {}

FailedToErasureDecodeRecord::FailedToErasureDecodeRecord(PieceOffset offset,
                                                         const std::string& reason)
    : ReadingError(ErrorKind::kCorrupt,
                   "failed to erasure-decode the record at piece offset " +
                       std::to_string(offset.value()) + ": " + reason,
                   {.piece_offset = offset.value()}),
      offset_(offset) {}

PieceChecksumMismatch::PieceChecksumMismatch(PieceOffset offset, const Hash& expected,
                                             const Hash& actual)
    : ReadingError(ErrorKind::kCorrupt,
                   "piece at offset " + std::to_string(offset.value()) +
                       ": checksum mismatch, expected " + to_hex(expected.bytes) + ", actual " +
                       to_hex(actual.bytes),
                   {.piece_offset = offset.value(),
                    .expected = to_hex(expected.bytes),
                    .actual = to_hex(actual.bytes)}) {}

void read_encoded_record(PieceOffset offset, const SectorMetadata& metadata,
                         const SectorReadAt& read_at, Record& record, FoundProofs& found_proofs) {
  check_offset(offset, metadata);
  const SectorContentsMap map = read_contents_map(read_at, metadata);
  const std::vector<ChunkPlace> places = locate_chunks(map, metadata, offset);
  if (places.size() > kNumChunks) {
    throw FailedToDecodeSectorContentsMap("piece offset " + std::to_string(offset.value()) +
                                          ": expected " + std::to_string(kNumChunks) +
                                          " s-buckets, actual " + std::to_string(places.size()));
  }
  found_proofs = map.bitmaps()[offset.value()];
  record.fill({});
  ChunkPlaces encoded(found_proofs);
  read_chunks(places, record_chunks_offset(metadata.pieces_in_sector), read_at,
              [&](std::size_t k, std::span<const std::uint8_t, kChunkSize> stored) {
                std::ranges::copy(stored, record[encoded.next(places[k].s_bucket)].bytes.begin());
              });
}

template <class P>
std::shared_ptr<const P> read_piece_of(PieceOffset offset, const SectorId& sector_id,
                                       const SectorMetadata& metadata, const SectorReadAt& read_at,
                                       ProofTable& proofs, const RecordErasure& erasure) {
  check_offset(offset, metadata);
  if (metadata.network != kNetworkOf<P>) {
    throw InvalidArgument(
        std::string("reading a piece of ") + traits_of(kNetworkOf<P>).name +
            " out of a sector of " + traits_of(metadata.network).name,
        {.expected = traits_of(kNetworkOf<P>).name, .actual = traits_of(metadata.network).name});
  }
  const std::uint16_t pieces = metadata.pieces_in_sector;
  const SectorContentsMap map = read_contents_map(read_at, metadata);
  const FoundProofs& bitmap = map.bitmaps()[offset.value()];
  const auto extended = read_chunks_of(offset, sector_id, metadata, map, read_at, proofs);

  auto piece = std::make_unique_for_overwrite<P>();
  try {
    erasure.recover(kNetworkOf<P>, *extended, occupied_s_buckets(map.network(), bitmap),
                    piece->record);
  } catch (const InvalidFr& error) {
    throw InvalidChunk(error);
  } catch (const ErasureCodingError& error) {
    throw FailedToErasureDecodeRecord(offset, error.what());
  }

  decltype(record_metadata_of(*piece, Hash())) record_metadata;
  read_at(record_metadata_offset(pieces) + std::uint64_t{offset.value()} * sizeof(record_metadata),
          mutable_bytes_of(record_metadata));
  set_from_record_metadata(*piece, record_metadata);
  const Hash actual = blake3(bytes_of(*piece));
  if (actual != record_metadata.piece_checksum) {
    throw PieceChecksumMismatch(offset, record_metadata.piece_checksum, actual);
  }
  return piece;
}

template std::shared_ptr<const Piece> read_piece_of<Piece>(PieceOffset, const SectorId&,
                                                           const SectorMetadata&,
                                                           const SectorReadAt&, ProofTable&,
                                                           const RecordErasure&);
template std::shared_ptr<const AutonomysPiece> read_piece_of<AutonomysPiece>(
    PieceOffset, const SectorId&, const SectorMetadata&, const SectorReadAt&, ProofTable&,
    const RecordErasure&);

}  // namespace furrow
