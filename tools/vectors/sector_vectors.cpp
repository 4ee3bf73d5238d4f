// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <optional>
#include <string>

#include "host/crypto/blake3.hpp"
#include "host/plotting/cpu_records_encoder.hpp"
#include "host/plotting/encode_sector.hpp"
#include "host/primitives/sector_id.hpp"
#include "host/sector/sector_layout.hpp"
#include "host/sector/sector_reader.hpp"
#include "tools/vectors/sector_checks.hpp"
#include "tools/vectors/vector_file.hpp"
#include "tools/vectors/vector_input.hpp"

namespace furrow::vectors {
namespace {

/// Pieces of the case: records and headers are streams.
DownloadedSector make_sector(const nlohmann::json& expected, const SectorId& sector_id,
                             SectorIndex sector_index, HistorySize history_size) {
  const auto pieces = static_cast<std::uint16_t>(number(expected, "pieces_in_sector"));
  FarmerProtocolInfo info;
  info.history_size = history_size;
  DownloadedSector sector{
      sector_id, sector_index, {}, RawSector(Network::kAbundance, pieces), history_size};
  const auto piece = std::make_unique<Piece>();
  for (std::uint16_t i = 0; i < pieces; ++i) {
    sector.piece_indexes.push_back(derive_piece_index(sector_id, PieceOffset(i), info));
    fill_stream(seed(expected, "first_record_seed") + i,
                {reinterpret_cast<std::uint8_t*>(&piece->record), kRecordSize});
    fill_stream(seed(expected, "first_header_seed") + i, mutable_bytes_of(piece->header));
    sector.raw_sector.put(i, *piece, blake3(bytes_of(*piece)));
  }
  return sector;
}

void check_list(const nlohmann::json& expected, const char* field, std::size_t index,
                const Hash& actual, const CaseChecker& check) {
  const auto wanted = fixed_bytes<Hash>(expected.at(field).at(index), field);
  check.is_true(wanted == actual, std::string(field) + "[" + std::to_string(index) +
                                      "]: expected " + to_hex(wanted.bytes) + ", actual " +
                                      to_hex(actual.bytes));
}

/// The checksum of the piece ends its record metadata.
Hash checksum_of(std::span<const std::uint8_t> record_metadata) {
  Hash checksum;
  std::ranges::copy(record_metadata.last(kHashSize), checksum.begin());
  return checksum;
}

void check_inputs(const nlohmann::json& expected, const DownloadedSector& sector,
                  const CaseChecker& check) {
  for (std::size_t i = 0; i < sector.piece_indexes.size(); ++i) {
    const std::span<const std::uint8_t> metadata = sector.raw_sector.metadata_at(i);
    check_list(expected, "records_blake3", i, blake3(bytes_of(sector.raw_sector.all_records()[i])),
               check);
    check_list(expected, "record_metadata_blake3", i, blake3(metadata), check);
    check_list(expected, "piece_checksums", i, checksum_of(metadata), check);
    const nlohmann::json index = {{"value", expected.at("piece_indexes").at(i)}};
    check.is_true(number(index, "value") == sector.piece_indexes[i].value(),
                  "piece_indexes[" + std::to_string(i) + "] differs");
  }
}

void check_case(const nlohmann::json& expected, const VectorOptions& options,
                RecordsEncoder& encoder, const VectorReport::Fail& fail) {
  const CaseChecker check(expected, fail);
  const auto keys = stream(seed(expected, "key_seed"), 2 * kHashSize);
  check.bytes("public_key_hash", std::span(keys).first(kHashSize));
  check.bytes("shard_commitments_root", std::span(keys).last(kHashSize));
  const SectorIndex sector_index(static_cast<std::uint16_t>(number(expected, "sector_index")));
  const HistorySize history_size = HistorySize::from_count(number(expected, "history_size"));
  const SectorId sector_id = derive_sector_id(
      Network::kAbundance, fixed_bytes_at<Hash>(expected, "public_key_hash"),
      fixed_bytes_at<Hash>(expected, "shard_commitments_root"), sector_index, history_size);
  check.bytes("sector_id", sector_id.bytes);

  DownloadedSector downloaded = make_sector(expected, sector_id, sector_index, history_size);
  check_inputs(expected, downloaded, check);
  std::vector<Hash> checksums;
  for (std::size_t i = 0; i < downloaded.piece_indexes.size(); ++i) {
    checksums.push_back(checksum_of(downloaded.raw_sector.metadata_at(i)));
  }
  const std::optional<EncodedSector> encoded = encode_sector(std::move(downloaded), encoder, {});
  for (std::size_t i = 0; i < checksums.size(); ++i) {
    check_list(expected, "encoded_records_blake3", i,
               blake3(bytes_of(encoded->raw_sector.all_records()[i])), check);
  }
  std::vector<std::uint8_t> sector;
  lay_out_sector(*encoded, sector);
  const SectorMetadata& metadata = encoded->plotted_sector.sector_metadata;
  check_sector(expected, metadata, sector, check);

  const auto proofs = make_proof_table(Network::kAbundance, kPosK, options.mode);
  const RecordErasure erasure(options.mode);
  for (std::uint16_t i = 0; i < metadata.pieces_in_sector; ++i) {
    const PiecePtr piece = read_piece(
        PieceOffset(i), sector_id, metadata,
        [&](std::uint64_t offset, std::span<std::uint8_t> out) {
          std::copy_n(sector.begin() + static_cast<std::ptrdiff_t>(offset), out.size(),
                      out.begin());
        },
        *proofs, erasure);
    check.is_true(blake3(bytes_of(*piece)) == checksums[i],
                  "piece " + std::to_string(i) + " does not read back");
  }
}

}  // namespace

void run_sector_vectors(const nlohmann::json& file, const VectorOptions& options,
                        VectorReport& report) {
  std::optional<CpuRecordsEncoder> cpu;
  if (options.cuda == nullptr) {
    cpu.emplace(CpuRecordsEncoder::Options{.threads = options.threads, .mode = options.mode});
  }
  RecordsEncoder& encoder = cpu.has_value() ? static_cast<RecordsEncoder&>(*cpu) : *options.cuda;
  std::size_t index = 0;
  for (const nlohmann::json& expected : file.at("cases")) {
    report.run_case("sector, case " + std::to_string(index++), [&](const VectorReport::Fail& fail) {
      check_case(expected, options, encoder, fail);
    });
  }
}

}  // namespace furrow::vectors
