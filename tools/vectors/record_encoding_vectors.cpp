// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "host/plotting/record_encoding.hpp"
#include "host/primitives/sector_id.hpp"
#include "host/sector/contents_map.hpp"
#include "tools/vectors/vector_file.hpp"
#include "tools/vectors/vector_input.hpp"

namespace furrow::vectors {
namespace {

/// Encodes a record with the proofs of a seed.
using EncodeFromSeed = std::function<void(const PosSeed&, Record&, FoundProofs&)>;

void fill_record(const nlohmann::json& expected, Record& record) {
  const std::span<std::uint8_t> bytes = {reinterpret_cast<std::uint8_t*>(&record), sizeof(record)};
  if (!expected.contains("special") || expected.at("special").is_null()) {
    fill_stream(seed(expected, "record_seed"), bytes);
    return;
  }
  const std::string special = expected.at("special").get<std::string>();
  if (special == "record is all zero bytes") {
    std::fill(bytes.begin(), bytes.end(), std::uint8_t{0});
  } else if (special == "record is all 0xff bytes") {
    std::fill(bytes.begin(), bytes.end(), std::uint8_t{0xFF});
  } else {
    throw MalformedData("unknown description of the record: '" + special + "'");
  }
}

void check_used(const FoundProofs& used, const CaseChecker& check) {
  std::size_t n_source = 0;
  std::vector<std::uint16_t> s_buckets;
  for_each_s_bucket(used, [&](SBucket s) {
    n_source += s.value() < kNumChunks ? 1 : 0;
    s_buckets.push_back(s.value());
  });
  check.digest("record_chunks_used_blake3", used.bytes);
  check.bytes("record_chunks_used_first_64_bytes", std::span(used.bytes).first(64));
  check.number("num_used", s_buckets.size());
  check.number("num_used_source", n_source);
  check.number("num_used_parity", s_buckets.size() - n_source);
  check.number("first_used_s_bucket", s_buckets.at(0));
  check.number("last_used_s_bucket", s_buckets.back());
}

void check_case(const nlohmann::json& expected, const ErasureCoding& erasure,
                const EncodeFromSeed& encode, const VectorReport::Fail& fail) {
  const CaseChecker check(expected, fail);
  SectorId sector_id;
  fill_stream(seed(expected, "sector_id_seed"), sector_id.bytes);
  check.bytes("sector_id", sector_id.bytes);
  const PieceOffset offset(static_cast<std::uint16_t>(number(expected, "piece_offset")));
  const PosSeed pos_seed = derive_evaluation_seed(sector_id, offset);
  check.bytes("pos_seed", pos_seed.bytes);

  const auto record = std::make_unique<Record>();
  const auto parity = std::make_unique<Record>();
  fill_record(expected, *record);
  check.digest("record_blake3", bytes_of(*record));
  erasure.extend_record(*record, *parity);
  check.digest("parity_chunks_blake3", bytes_of(*parity));

  FoundProofs used;
  encode(pos_seed, *record, used);
  check.digest("encoded_record_blake3", bytes_of(*record));
  check.bytes("first_encoded_chunk", record->at(0).bytes);
  check.bytes("second_encoded_chunk", record->at(1).bytes);
  check.bytes("encoded_chunk_16384", record->at(16384).bytes);
  check.bytes("last_encoded_chunk", record->at(kNumChunks - 1).bytes);
  check_used(used, check);
}

}  // namespace

void run_record_encoding_vectors(const nlohmann::json& file, const VectorOptions& options,
                                 VectorReport& report) {
  const ErasureCoding erasure(options.mode);
  std::optional<RecordEncoding> cpu;
  EncodeFromSeed encode;
  if (options.cuda != nullptr) {
    encode = [&](const PosSeed& pos_seed, Record& record, FoundProofs& used) {
      options.cuda->encode_from_seed(pos_seed, record, used);
    };
  } else {
    cpu.emplace(kPosK, options.mode);
    encode = [&](const PosSeed& pos_seed, Record& record, FoundProofs& used) {
      cpu->encode(Network::kAbundance, pos_seed, PieceOffset(0), record, used);
    };
  }
  std::size_t index = 0;
  for (const nlohmann::json& expected : file.at("cases")) {
    report.run_case(
        "record encoding, case " + std::to_string(index++),
        [&](const VectorReport::Fail& fail) { check_case(expected, erasure, encode, fail); });
  }
}

}  // namespace furrow::vectors
