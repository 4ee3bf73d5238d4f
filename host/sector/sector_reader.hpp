// SPDX-License-Identifier: Apache-2.0
// A piece back out of a sector (docs/spec/03-record-encoding-and-sector.md, section 5;
// docs/spec/09-autonomys.md, section 9).
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>

#include "furrow/errors.hpp"
#include "furrow/piece.hpp"

#include "host/erasure/record_erasure.hpp"
#include "host/pos/proof_table.hpp"
#include "host/sector/sector_metadata.hpp"

namespace furrow {

/// Reads out.size() bytes at `offset` from the start of the sector; throws IoError.
using SectorReadAt = std::function<void(std::uint64_t offset, std::span<std::uint8_t> out)>;

/// Base of the errors of reading a piece. An IoError in the contents map or the record metadata
/// comes out as it is and is fatal for the farm; the errors below are not.
class ReadingError : public Error {
 public:
  using Error::Error;
};

/// The contents map has a wrong length or checksum; `what()` says which.
class FailedToDecodeSectorContentsMap : public ReadingError {
 public:
  explicit FailedToDecodeSectorContentsMap(const std::string& reason);
};

/// A chunk could not be read; its kind is kCorrupt when the sector metadata place it where no chunk
/// is.
class FailedToReadChunk : public ReadingError {
 public:
  FailedToReadChunk(std::uint64_t chunk_location, const std::string& reason,
                    ErrorKind kind = ErrorKind::kIo);
  /// Place of the chunk in the chunks region, in chunks.
  [[nodiscard]] std::uint64_t chunk_location() const noexcept { return chunk_location_; }

 private:
  std::uint64_t chunk_location_;
};

/// The contents map has an s-bucket for which the seed of the record has no proof.
class MissingPosProof : public ReadingError {
 public:
  explicit MissingPosProof(SBucket s_bucket);
  [[nodiscard]] SBucket s_bucket() const noexcept { return s_bucket_; }

 private:
  SBucket s_bucket_;
};

/// A chunk, its mask taken off, is no element of the field that the erasure code of the network works
/// in.
class InvalidChunk : public ReadingError {
 public:
  explicit InvalidChunk(const InvalidFr& error);
  [[nodiscard]] SBucket s_bucket() const noexcept { return s_bucket_; }

 private:
  SBucket s_bucket_;
};

/// The decoder refused, practically because there are not enough chunks.
class FailedToErasureDecodeRecord : public ReadingError {
 public:
  FailedToErasureDecodeRecord(PieceOffset offset, const std::string& reason);
  [[nodiscard]] PieceOffset piece_offset() const noexcept { return offset_; }

 private:
  PieceOffset offset_;
};

/// The recovered piece does not have the checksum of its record metadata.
class PieceChecksumMismatch : public ReadingError {
 public:
  PieceChecksumMismatch(PieceOffset offset, const Hash& expected, const Hash& actual);
};

// `WrongRecordSizeAfterDecoding` and `SBucketOutOfRange` of the specification have no counterpart:
// the types Record and SBucket admit no other size and no other value.

/// Reads the record at `offset` as it is stored, encoded, in the order in which an encoder gives its
/// chunks, and its bitmap out of the contents map. Where there is no chunk, the record is zero. Throws InvalidArgument when offset >= pieces in sector,
/// FailedToDecodeSectorContentsMap and FailedToReadChunk.
void read_encoded_record(PieceOffset offset, const SectorMetadata& metadata,
                         const SectorReadAt& read_at, Record& record, FoundProofs& found_proofs);

/// Reads, unmasks and recovers the piece at `offset`, and verifies its checksum. P is the piece of the
/// network of the metadata, and `proofs` is of that network; they are used as working memory and left
/// with the tables of this piece. Thread-safe for distinct `proofs`. Throws InvalidArgument when
/// offset >= pieces in sector or the sector is of another network, and the errors above.
template <class P>
std::shared_ptr<const P> read_piece_of(PieceOffset offset, const SectorId& sector_id,
                                       const SectorMetadata& metadata, const SectorReadAt& read_at,
                                       ProofTable& proofs, const RecordErasure& erasure);
extern template std::shared_ptr<const Piece> read_piece_of<Piece>(PieceOffset, const SectorId&,
                                                                  const SectorMetadata&,
                                                                  const SectorReadAt&, ProofTable&,
                                                                  const RecordErasure&);
extern template std::shared_ptr<const AutonomysPiece> read_piece_of<AutonomysPiece>(
    PieceOffset, const SectorId&, const SectorMetadata&, const SectorReadAt&, ProofTable&,
    const RecordErasure&);

/// The same for Abundance.
inline PiecePtr read_piece(PieceOffset offset, const SectorId& sector_id,
                           const SectorMetadata& metadata, const SectorReadAt& read_at,
                           ProofTable& proofs, const RecordErasure& erasure) {
  return read_piece_of<Piece>(offset, sector_id, metadata, read_at, proofs, erasure);
}

}  // namespace furrow
