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
  DownloadedSector sector{sector_id, sector_index, {}, RawSector(pieces), history_size};
  const auto piece = std::make_unique<Piece>();
  for (std::uint16_t i = 0; i < pieces; ++i) {
    sector.piece_indexes.push_back(derive_piece_index(sector_id, PieceOffset(i), info));
    fill_stream(seed(expected, "first_record_seed") + i,
                {reinterpret_cast<std::uint8_t*>(&piece->record), kRecordSize});
    fill_stream(seed(expected, "first_header_seed") + i, mutable_bytes_of(piece->header));
    sector.raw_sector.all_records()[i] = piece->record;
    sector.raw_sector.metadata[i] = {piece->header, blake3(bytes_of(*piece))};
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

void check_inputs(const nlohmann::json& expected, const DownloadedSector& sector,
                  const CaseChecker& check) {
  for (std::size_t i = 0; i < sector.piece_indexes.size(); ++i) {
    const RecordMetadata& metadata = sector.raw_sector.metadata[i];
    check_list(expected, "records_blake3", i, blake3(bytes_of(sector.raw_sector.all_records()[i])),
               check);
    check_list(expected, "record_metadata_blake3", i, blake3(bytes_of(metadata)), check);
    check_list(expected, "piece_checksums", i, metadata.piece_checksum, check);
    const nlohmann::json index = {{"value", expected.at("piece_indexes").at(i)}};
    check.is_true(number(index, "value") == sector.piece_indexes[i].value(),
                  "piece_indexes[" + std::to_string(i) + "] differs");
  }
}

void check_regions(const nlohmann::json& expected, std::uint16_t pieces,
                   std::span<const std::uint8_t> sector, const CaseChecker& check) {
  const auto region = [&](std::uint64_t offset, std::uint64_t size) {
    return sector.subspan(offset, size);
  };
  check.number("sector_len", sector.size());
  check.digest("sector_blake3", sector);
  check.number("contents_map_offset", 0);
  check.number("contents_map_len", contents_map_size(pieces));
  check.digest("contents_map_blake3", region(0, contents_map_size(pieces)));
  check.bytes("contents_map_checksum", region(contents_map_size(pieces) - kHashSize, kHashSize));
  check.number("record_chunks_offset", record_chunks_offset(pieces));
  check.number("record_chunks_len", pieces * kRecordSize);
  check.digest("record_chunks_blake3", region(record_chunks_offset(pieces), pieces * kRecordSize));
  check.number("record_metadata_offset", record_metadata_offset(pieces));
  check.number("record_metadata_len", pieces * kRecordMetadataSize);
  check.digest("record_metadata_region_blake3",
               region(record_metadata_offset(pieces), pieces * kRecordMetadataSize));
  check.bytes("sector_checksum", sector.last(kHashSize));
  for (const nlohmann::json& at : expected.at("bytes_at")) {
    const std::uint64_t offset = number(at, "offset");
    const std::vector<std::uint8_t> bytes = hex(at, "bytes");
    const bool same = offset + bytes.size() <= sector.size() &&
                      std::equal(bytes.begin(), bytes.end(),
                                 sector.begin() + static_cast<std::ptrdiff_t>(offset));
    check.is_true(same, "bytes_at " + std::to_string(offset) + " differ");
  }
}

void check_metadata(const nlohmann::json& expected, const SectorMetadata& metadata,
                    const CaseChecker& check) {
  std::vector<std::uint8_t> sizes;
  std::uint64_t sum = 0;
  for (const std::uint16_t size : metadata.s_bucket_sizes) {
    sizes.push_back(static_cast<std::uint8_t>(size));
    sizes.push_back(static_cast<std::uint8_t>(size >> 8));
    sum += size;
  }
  check.digest("s_bucket_sizes_u16le_blake3", sizes);
  check.number("s_bucket_sizes_sum", sum);
  const auto first = expected.at("s_bucket_sizes_first_16").get<std::vector<std::uint16_t>>();
  check.is_true(std::equal(first.begin(), first.end(), metadata.s_bucket_sizes.begin()),
                "s_bucket_sizes_first_16 differ");
  const std::vector<std::uint8_t> encoded = metadata.encode();
  check.number("sector_metadata_len", encoded.size());
  check.digest("sector_metadata_blake3", encoded);
  check.bytes("sector_metadata_first_64", std::span(encoded).first(64));
  check.bytes("sector_metadata_last_64", std::span(encoded).last(64));
  check.is_true(SectorMetadata::decode(encoded, "sector metadata") == metadata,
                "sector metadata changes when it is decoded");
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
      fixed_bytes_at<Hash>(expected, "public_key_hash"),
      fixed_bytes_at<Hash>(expected, "shard_commitments_root"), sector_index, history_size);
  check.bytes("sector_id", sector_id.bytes);

  DownloadedSector downloaded = make_sector(expected, sector_id, sector_index, history_size);
  check_inputs(expected, downloaded, check);
  const std::vector<RecordMetadata> inputs = downloaded.raw_sector.metadata;
  const std::optional<EncodedSector> encoded = encode_sector(std::move(downloaded), encoder, {});
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    check_list(expected, "encoded_records_blake3", i,
               blake3(bytes_of(encoded->raw_sector.all_records()[i])), check);
  }
  std::vector<std::uint8_t> sector;
  lay_out_sector(*encoded, sector);
  const SectorMetadata& metadata = encoded->plotted_sector.sector_metadata;
  check_regions(expected, metadata.pieces_in_sector, sector, check);
  check_metadata(expected, metadata, check);

  const auto proofs = make_proof_table(kPosK, options.mode);
  const ErasureCoding erasure(options.mode);
  for (std::uint16_t i = 0; i < metadata.pieces_in_sector; ++i) {
    const PiecePtr piece = read_piece(
        PieceOffset(i), sector_id, metadata,
        [&](std::uint64_t offset, std::span<std::uint8_t> out) {
          std::copy_n(sector.begin() + static_cast<std::ptrdiff_t>(offset), out.size(),
                      out.begin());
        },
        *proofs, erasure);
    check.is_true(blake3(bytes_of(*piece)) == inputs[i].piece_checksum,
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
