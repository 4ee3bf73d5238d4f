// SPDX-License-Identifier: Apache-2.0
// The stages of plotting one sector: download, encode, write into a buffer
// (docs/spec/03-record-encoding-and-sector.md, section 6). plot_pipeline.hpp puts them together.
#pragma once

#include <algorithm>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "furrow/piece.hpp"
#include "furrow/piece_getter.hpp"
#include "furrow/records_encoder.hpp"
#include "furrow/types.hpp"

#include "host/base/memory_block.hpp"
#include "host/base/observer.hpp"
#include "host/base/permits.hpp"
#include "host/sector/contents_map.hpp"
#include "host/sector/sector_metadata.hpp"

namespace furrow {

/// Base of the errors of section 6.6. None is fatal for the farm.
class PlottingError : public Error {
 public:
  using Error::Error;
};

/// The encoder failed, with whatever exception.
class RecordsEncoderError : public PlottingError {
 public:
  explicit RecordsEncoderError(const std::string& reason, ErrorFields fields = {});
};

/// The output buffer is neither empty nor as long as the sector.
class BadSectorOutputSize : public PlottingError {
 public:
  BadSectorOutputSize(std::uint64_t provided, std::uint64_t expected);
};

/// A piece is not to be had, nor can it be rebuilt.
class PieceRecoveryFailed : public PlottingError {
 public:
  PieceRecoveryFailed(PieceIndex piece_index, ErrorKind kind, const std::string& reason);
};

/// The batch request failed, or left pieces unanswered.
class FailedToRetrievePieces : public PlottingError {
 public:
  explicit FailedToRetrievePieces(const std::string& reason,
                                  ErrorKind kind = ErrorKind::kUnavailable);
};

/// Where a sector is, and of what: everything that decides its contents.
struct SectorPlan {
  Hash public_key_hash;
  Hash shard_commitments_root;
  SectorIndex sector_index;
  FarmerProtocolInfo protocol_info;
  std::uint16_t pieces_in_sector = 0;
};

/// Records and record metadata of a sector, by piece offset. Move-only.
class RawSector {
 public:
  /// Without room.
  RawSector() = default;
  /// What the records hold is unspecified. They lie in plain memory: encoders copy from there into
  /// staging memory of their own, so pinned memory would gain nothing.
  explicit RawSector(std::uint16_t pieces_in_sector)
      : metadata(pieces_in_sector),
        block_(make_page_block(std::max<std::size_t>(1, pieces_in_sector * sizeof(Record)))) {}
  RawSector(RawSector&&) = default;
  RawSector& operator=(RawSector&&) = default;
  RawSector(const RawSector&) = delete;
  RawSector& operator=(const RawSector&) = delete;
  ~RawSector() = default;

  [[nodiscard]] std::span<Record> all_records() {
    return {reinterpret_cast<Record*>(block_.get()), metadata.size()};  // bytes without alignment
  }
  [[nodiscard]] std::span<const Record> all_records() const {
    return {reinterpret_cast<const Record*>(block_.get()), metadata.size()};
  }

  std::vector<RecordMetadata> metadata;

 private:
  MemoryBlock block_;
};

struct DownloadedSector {
  SectorId sector_id;
  std::vector<PieceIndex> piece_indexes;
  RawSector raw_sector;
  HistorySize history_size;
};

/// What plotting a sector leaves behind besides its bytes (section 4.2).
struct PlottedSector {
  SectorId sector_id;
  SectorIndex sector_index;
  SectorMetadata sector_metadata;
  std::vector<PieceIndex> piece_indexes;
};

struct EncodedSector {
  PlottedSector plotted_sector;
  RawSector raw_sector;  ///< records are the encoded ones
  SectorContentsMap contents_map;
};

struct DownloadOptions {
  /// Gets every piece that can be had, and rebuilds what it can (RecoveringPieceGetter): there is
  /// no second attempt.
  PieceGetter& piece_getter;
  /// When set, the download takes one first, and gives it back when no more than `tail` pieces are
  /// unanswered: the sources then serve one sector after another and do not run dry in between.
  Permits* turns = nullptr;
  std::size_t tail = 8;
};

/// Downloads the pieces of a sector into `memory`, which has room for them. Each distinct piece is
/// requested once and copied to every offset that wants it. None only when a stop was requested.
/// Throws FailedToRetrievePieces, for whatever the getter throws and for pieces left unanswered,
/// and PieceRecoveryFailed for the first one that it could not get.
std::optional<DownloadedSector> download_sector(const SectorPlan& plan,
                                                const DownloadOptions& options,
                                                const std::stop_token& stop, RawSector memory);
std::optional<DownloadedSector> download_sector(const SectorPlan& plan,
                                                const DownloadOptions& options,
                                                const std::stop_token& stop);

/// Encodes a downloaded sector; none when a stop was requested. `on_record_done` is told of each
/// record, from any thread, possibly several at once. Throws RecordsEncoderError, and WrongEncoding
/// when a device gave wrong bytes: the sector then has to be downloaded again.
std::optional<EncodedSector> encode_sector(DownloadedSector downloaded, SectorIndex sector_index,
                                           RecordsEncoder& encoder, std::stop_token stop,
                                           const Observer<>& on_record_done = {});

/// Writes the sector's bytes to `output`, which must be empty (it is then sized) or have the right
/// size already; throws BadSectorOutputSize otherwise. With an `encoder`, that one lays the sector
/// out if it has a way to.
void write_sector(const EncodedSector& encoded, std::vector<std::uint8_t>& output,
                  RecordsEncoder* encoder = nullptr);

}  // namespace furrow
