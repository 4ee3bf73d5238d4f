// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <numeric>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "host/crypto/blake3.hpp"
#include "host/plotting/encode_sector.hpp"
#include "host/plotting/record_encoding.hpp"
#include "host/primitives/sector_id.hpp"
#include "host/sector/sector_layout.hpp"
#include "host/sector/sector_reader.hpp"
#include "tools/vectors/autonomys_inputs.hpp"
#include "tools/vectors/sector_checks.hpp"
#include "tools/vectors/vector_file.hpp"
#include "tools/vectors/vector_input.hpp"

namespace furrow::vectors {
namespace {

/// Encodes with the tables that a case names, one record after another.
class NamedTableEncoder final : public RecordsEncoder {
 public:
  NamedTableEncoder(const std::string& table, SimdMode mode)
      : encoding_([table, mode](Network) { return make_named_table(table, mode); }, mode) {}

  EncodeOutcome encode(EncodingJob& job, std::stop_token /*stop*/) override {
    for (Claim claim(job, 1); !claim.empty(); claim = Claim(job, 1)) {
      const PieceOffset offset = claim.pending().front();
      encoding_.encode(job.network(), derive_evaluation_seed(job.sector_id(), offset), offset,
                       job.record(offset), job.found_proofs(offset));
      claim.done(offset);
    }
    return EncodeOutcome::kComplete;
  }
  [[nodiscard]] std::string name() const override { return "named tables"; }

 private:
  RecordEncoding encoding_;
};

/// The pieces of a case, made up by their indexes, and their hashes.
DownloadedSector make_sector(const nlohmann::json& expected, const SectorId& sector_id,
                             std::vector<Hash>& checksums) {
  const auto pieces = static_cast<std::uint16_t>(number(expected, "pieces_in_sector"));
  const std::string kinds = expected.at("record_kind").get<std::string>();
  FarmerProtocolInfo info;
  info.history_size = HistorySize::from_count(number(expected, "history_size"));
  DownloadedSector sector{sector_id,
                          SectorIndex(static_cast<std::uint16_t>(number(expected, "sector_index"))),
                          {},
                          RawSector(Network::kAutonomys, pieces),
                          info.history_size};
  for (std::uint16_t offset = 0; offset < pieces; ++offset) {
    const PieceIndex index = derive_piece_index(sector_id, PieceOffset(offset), info);
    sector.piece_indexes.push_back(index);
    const bool is_safe = kinds.starts_with("safe on even") && index.value() % 2 == 0;
    const auto piece =
        made_up_autonomys_piece(is_safe ? "safe" : "scalars", seed(expected, "first_record_seed"),
                                seed(expected, "first_commitment_witness_seed"), index.value());
    checksums.push_back(blake3(bytes_of(*piece)));
    sector.raw_sector.put(offset, *piece, checksums.back());
  }
  return sector;
}

void check_pieces(const nlohmann::json& expected, const DownloadedSector& sector,
                  const std::vector<Hash>& checksums, const CaseChecker& check) {
  for (std::size_t i = 0; i < checksums.size(); ++i) {
    const nlohmann::json index = {{"value", expected.at("piece_indexes").at(i)}};
    const std::string place = "[" + std::to_string(i) + "] differs";
    check.is_true(number(index, "value") == sector.piece_indexes[i].value(),
                  "piece_indexes" + place);
    check.is_true(
        fixed_bytes<Hash>(expected.at("piece_blake3").at(i), "piece_blake3") == checksums[i],
        "piece_blake3" + place);
    const nlohmann::json metadata = {{"value", expected.at("record_metadata").at(i)}};
    check.is_true(std::ranges::equal(hex(metadata, "value"), sector.raw_sector.metadata_at(i)),
                  "record_metadata" + place);
  }
}

/// Where an audit of the sector looks.
void check_audits(const nlohmann::json& expected, const SectorId& sector_id,
                  const SectorMetadata& metadata, const VectorReport::Fail& fail) {
  for (const nlohmann::json& audit : expected.at("audits")) {
    const CaseChecker check(audit, fail, "audit: ");
    GlobalChallenge challenge;
    fill_stream(seed(audit, "global_challenge_seed"), challenge.bytes);
    const std::size_t s_bucket =
        s_bucket_audit_index(derive_sector_slot_challenge(sector_id, challenge)).value();
    const auto begin = metadata.s_bucket_sizes.begin();
    const std::uint64_t chunks_before =
        std::accumulate(begin, begin + static_cast<std::ptrdiff_t>(s_bucket), std::uint64_t{0});
    check.number("s_bucket", s_bucket);
    check.number("chunks_in_s_bucket", metadata.s_bucket_sizes[s_bucket]);
    check.number("offset_in_sector",
                 record_chunks_offset(metadata.pieces_in_sector) + chunks_before * kChunkSize);
  }
}

void check_read_back(const SectorId& sector_id, const SectorMetadata& metadata,
                     std::span<const std::uint8_t> sector, const std::vector<Hash>& checksums,
                     const std::string& table, SimdMode mode, const CaseChecker& check) {
  const auto proofs = make_named_table(table, mode);
  const RecordErasure erasure(mode);
  const SectorReadAt read_at = [&](std::uint64_t offset, std::span<std::uint8_t> out) {
    std::ranges::copy(sector.subspan(offset, out.size()), out.begin());
  };
  for (std::uint16_t i = 0; i < metadata.pieces_in_sector; ++i) {
    const AutonomysPiecePtr piece = read_piece_of<AutonomysPiece>(
        PieceOffset(i), sector_id, metadata, read_at, *proofs, erasure);
    check.is_true(blake3(bytes_of(*piece)) == checksums[i],
                  "piece " + std::to_string(i) + " does not read back");
  }
}

void check_case(const nlohmann::json& expected, SimdMode mode, const VectorReport::Fail& fail) {
  const CaseChecker check(expected, fail);
  PublicKey public_key;
  fill_stream(seed(expected, "public_key_seed"), public_key.bytes);
  check.bytes("public_key", public_key.bytes);
  const Hash key_hash = public_key_hash(public_key);
  check.bytes("public_key_hash", key_hash.bytes);
  const SectorId sector_id =
      derive_sector_id(Network::kAutonomys, key_hash, Hash{},
                       SectorIndex(static_cast<std::uint16_t>(number(expected, "sector_index"))),
                       HistorySize::from_count(number(expected, "history_size")));
  check.bytes("sector_id", sector_id.bytes);

  std::vector<Hash> checksums;
  DownloadedSector downloaded = make_sector(expected, sector_id, checksums);
  check_pieces(expected, downloaded, checksums, check);
  const std::string table = expected.at("table").get<std::string>();
  NamedTableEncoder encoder(table, mode);
  const std::optional<EncodedSector> encoded = encode_sector(std::move(downloaded), encoder, {});
  std::vector<std::uint8_t> sector;
  lay_out_sector(*encoded, sector);
  const PlottedSector& plotted = encoded->plotted_sector;
  check_sector(expected, plotted.sector_metadata, sector, check);

  const std::vector<std::uint8_t> scale = plotted.encode();
  check.number("plotted_sector_len", scale.size());
  check.digest("plotted_sector_blake3", scale);
  check.is_true(PlottedSector::decode(Network::kAutonomys, scale, "plotted sector") == plotted,
                "plotted sector changes when it is decoded");
  check_audits(expected, sector_id, plotted.sector_metadata, fail);
  check_read_back(sector_id, plotted.sector_metadata, sector, checksums, table, mode, check);
}

}  // namespace

void run_autonomys_sector_vectors(const nlohmann::json& file, const VectorOptions& options,
                                  VectorReport& report) {
  std::size_t index = 0;
  for (const nlohmann::json& expected : file.at("cases")) {
    report.run_case("sector, case " + std::to_string(index++), [&](const VectorReport::Fail& fail) {
      check_case(expected, options.mode, fail);
    });
  }
}

}  // namespace furrow::vectors
