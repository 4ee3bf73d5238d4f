// SPDX-License-Identifier: Apache-2.0
#include "host/node/sector_check.hpp"

#include <algorithm>
#include <iterator>
#include <numeric>
#include <random>
#include <span>
#include <utility>
#include <vector>

#include "furrow/core/bits.hpp"

#include "host/archive/piece_validation.hpp"
#include "host/base/hex.hpp"
#include "host/farm/scrub_contents.hpp"
#include "host/plotting/single_record.hpp"
#include "host/plotting/verified_encoder.hpp"
#include "host/primitives/sector_id.hpp"
#include "host/sector/sector_layout.hpp"
#include "host/sector/sector_reader.hpp"

namespace furrow::node {
namespace {

void expect(SectorIndex sector, const std::string& what, const std::string& expected,
            const std::string& actual) {
  if (expected != actual) {
    throw WrongSector(sector, what + ": expected " + expected + ", actual " + actual);
  }
}

void check_identity(const SectorPlan& plan, const PlottedSector& plotted) {
  const SectorIndex index = plan.sector_index;
  const HistorySize history_size = plan.protocol_info.history_size;
  const SectorMetadata& metadata = plotted.sector_metadata;
  const SectorId sector_id = derive_sector_id(plan.network, plan.public_key_hash,
                                              plan.shard_commitments_root, index, history_size);
  expect(index, "sector index", std::to_string(index.value()),
         std::to_string(plotted.sector_index.value()));
  expect(index, "sector index of its metadata", std::to_string(index.value()),
         std::to_string(metadata.sector_index.value()));
  expect(index, "sector id", to_hex(sector_id.bytes), to_hex(plotted.sector_id.bytes));
  expect(index, "history size", std::to_string(history_size.count()),
         std::to_string(metadata.history_size.count()));
  expect(index, "pieces in sector", std::to_string(plan.pieces_in_sector),
         std::to_string(metadata.pieces_in_sector));
  expect(index, "piece indexes", std::to_string(plan.pieces_in_sector),
         std::to_string(plotted.piece_indexes.size()));
  for (std::uint16_t offset = 0; offset < plan.pieces_in_sector; ++offset) {
    expect(index, "piece index at offset " + std::to_string(offset),
           std::to_string(
               derive_piece_index(sector_id, PieceOffset(offset), plan.protocol_info).value()),
           std::to_string(plotted.piece_indexes[offset].value()));
  }
}

SectorReadAt reader_of(const std::vector<std::uint8_t>& bytes) {
  return [&bytes](std::uint64_t offset, std::span<std::uint8_t> out) {
    std::ranges::copy(std::span(bytes).subspan(offset, out.size()), out.begin());
  };
}

void check_bytes(const ReceivedSector& sector) {
  const SectorMetadata& metadata = sector.plotted_sector.sector_metadata;
  expect(metadata.sector_index, "bytes",
         std::to_string(sector_size(metadata.network, metadata.pieces_in_sector)),
         std::to_string(sector.bytes.size()));
  ScrubReport report;
  check_sector_contents(metadata, reader_of(sector.bytes), report);
  // A record with too few chunks, which scrub only remarks on, cannot be read back: nobody wants that new.
  const auto& findings = report.broken.empty() ? report.notes : report.broken;
  if (!findings.empty()) {
    throw WrongSector(metadata.sector_index,
                      findings.front().thing + ": " + findings.front().reason);
  }
}

}  // namespace

WrongSector::WrongSector(SectorIndex sector_index, const std::string& what)
    : Error(ErrorKind::kCorrupt,
            "not sector " + std::to_string(sector_index.value()) + " as it was asked for: " + what,
            {.sector_index = sector_index.value()}) {}

SectorCheck::SectorCheck(SuperSegmentHeaders& headers, const SectorCheckOptions& options)
    : headers_(headers),
      options_(options),
      encode_(make_single_record_encoder(options.mode, options.k)),
      erasure_(options.mode) {}

void SectorCheck::check(const SectorPlan& plan, const ReceivedSector& sector,
                        const std::stop_token& stop) {
  check_identity(plan, sector.plotted_sector);
  check_bytes(sector);
  std::vector<std::uint16_t> offsets(plan.pieces_in_sector);
  std::iota(offsets.begin(), offsets.end(), std::uint16_t{0});
  std::vector<std::uint16_t> sample;
  std::mt19937_64 random(options_.seed ^ core::load_le64(sector.plotted_sector.sector_id.data()));
  std::ranges::sample(offsets, std::back_inserter(sample),
                      static_cast<std::ptrdiff_t>(options_.records), random);
  const Lock lock(mutex_);
  for (const std::uint16_t offset : sample) {
    check_record(PieceOffset(offset), sector, stop);
  }
}

void SectorCheck::check_record(PieceOffset offset, const ReceivedSector& sector,
                               const std::stop_token& stop) {
  const PlottedSector& plotted = sector.plotted_sector;
  const SectorMetadata& metadata = plotted.sector_metadata;
  const auto fail = [&](const std::string& reason) {
    throw WrongSector(plotted.sector_index,
                      "piece offset " + std::to_string(offset.value()) + ": " + reason);
  };
  const SectorReadAt read_at = reader_of(sector.bytes);
  if (proofs_ == nullptr) {
    proofs_ = make_proof_table(metadata.network, options_.k);
  }
  std::unique_ptr<Piece> piece;
  try {
    piece = std::make_unique<Piece>(
        *read_piece(offset, plotted.sector_id, metadata, read_at, *proofs_, erasure_));
    const PieceIndex index = plotted.piece_indexes[offset.value()];
    const SuperSegmentHeaders::Answer answer =
        headers_.find(SuperSegmentIndex(piece->header.super_segment_index.value()), stop);
    if (answer.known == SuperSegmentHeaders::Known::kHeader) {
      verify_piece(options_.mode, *piece, index, answer.header);
    } else if (answer.known == SuperSegmentHeaders::Known::kUnknown) {
      fail("its super segment is none that the controller knows");
    } else {
      ++unverified_;
    }
  } catch (const ReadingError& error) {
    fail(error.what());
  } catch (const InvalidPiece& error) {
    fail(error.what());
  }
  const auto stored = std::make_unique<Record>();
  FoundProofs stored_bitmap;
  read_encoded_record(offset, metadata, read_at, *stored, stored_bitmap);
  FoundProofs bitmap;
  static_cast<void>(
      encode_(metadata.network, plotted.sector_id, offset, piece->record, bitmap, {}));
  const std::string what = record_difference(piece->record, bitmap, *stored, stored_bitmap);
  if (!what.empty()) {
    fail("as we encode it, " + what);
  }
}

}  // namespace furrow::node
