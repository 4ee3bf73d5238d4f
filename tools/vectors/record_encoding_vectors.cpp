// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "host/plotting/record_encoding.hpp"
#include "tools/vectors/encoding_checks.hpp"
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
  const std::vector<std::uint16_t> s_buckets = s_buckets_of(used);
  const auto n_source = static_cast<std::size_t>(
      std::ranges::count_if(s_buckets, [](std::uint16_t s) { return s < kNumChunks; }));
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
  const PosSeed pos_seed = check_record_place(expected, check).seed;
  const auto record = std::make_unique<Record>();
  const auto parity = std::make_unique<Record>();
  fill_record(expected, *record);
  check.digest("record_blake3", bytes_of(*record));
  erasure.extend_record(*record, *parity);
  check.digest("parity_chunks_blake3", bytes_of(*parity));

  FoundProofs used;
  encode(pos_seed, *record, used);
  check_encoded_record(*record, check);
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
