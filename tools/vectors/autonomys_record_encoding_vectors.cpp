// SPDX-License-Identifier: Apache-2.0
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "host/plotting/record_encoding.hpp"
#include "host/sector/contents_map.hpp"
#include "host/sector/plain_chunks.hpp"
#include "tools/vectors/autonomys_inputs.hpp"
#include "tools/vectors/encoding_checks.hpp"
#include "tools/vectors/integer_hasher.hpp"
#include "tools/vectors/vector_file.hpp"
#include "tools/vectors/vector_input.hpp"

namespace furrow::vectors {
namespace {

void check_bitmap(const FoundProofs& bitmap, const CaseChecker& check) {
  check.digest("record_chunks_used_blake3", bitmap.bytes);
  check.bytes("record_chunks_used_first_64_bytes", std::span(bitmap.bytes).first(64));
  const std::vector<std::uint16_t> masked = s_buckets_of(bitmap);
  std::size_t n_source = 0;
  for (const std::uint16_t s : masked) {
    n_source += s % 2 == 0 ? 1 : 0;
  }
  check.number("num_encoded", masked.size());
  check.number("num_encoded_source", n_source);
  check.number("num_encoded_parity", masked.size() - n_source);
  check.number("num_unencoded", kNumChunks - masked.size());
  check.number("first_encoded_s_bucket", masked.at(0));
  check.number("last_encoded_s_bucket", masked.back());

  const std::vector<std::uint16_t> in_plot =
      s_buckets_of(occupied_s_buckets(Network::kAutonomys, bitmap));
  IntegerHasher order;
  for (const std::uint16_t s : in_plot) {
    order.add(s, 2);
    order.add(std::uint8_t{has_s_bucket(bitmap, SBucket(s))}, 1);
  }
  check.bytes("chunks_in_plot_order_blake3", order.finish().bytes);
  check.number("last_s_bucket_in_plot", in_plot.back());
}

void check_case(const nlohmann::json& expected, const RecordErasure& erasure,
                RecordEncoding& encoding, const VectorReport::Fail& fail) {
  const CaseChecker check(expected, fail);
  const RecordPlace place = check_record_place(expected, check);
  const auto record = std::make_unique<Record>();
  const auto parity = std::make_unique<Record>();
  fill_fr_source(expected.at("kind").get<std::string>(), seed(expected, "record_seed"), *record);
  check.digest("record_blake3", bytes_of(*record));
  check.bytes("first_source_chunk", record->at(0).bytes);
  erasure.extend(Network::kAutonomys, *record, *parity);
  check.digest("parity_chunks_blake3", bytes_of(*parity));
  check.bytes("first_parity_chunk", parity->at(0).bytes);

  FoundProofs bitmap;
  encoding.encode(Network::kAutonomys, place.seed, place.offset, *record, bitmap);
  check_encoded_record(*record, check);
  check_bitmap(bitmap, check);
}

}  // namespace

void run_autonomys_record_encoding_vectors(const nlohmann::json& file, const VectorOptions& options,
                                           VectorReport& report) {
  const RecordErasure erasure(options.mode);
  std::map<std::string, std::unique_ptr<RecordEncoding>> by_table;
  std::size_t index = 0;
  for (const nlohmann::json& expected : file.at("cases")) {
    const std::string table = expected.at("table").get<std::string>();
    std::unique_ptr<RecordEncoding>& encoding = by_table[table];
    if (encoding == nullptr) {
      encoding = std::make_unique<RecordEncoding>(
          [table, mode = options.mode](Network) { return make_named_table(table, mode); },
          options.mode);
    }
    report.run_case(
        "record encoding, case " + std::to_string(index++) + ", " + table,
        [&](const VectorReport::Fail& fail) { check_case(expected, erasure, *encoding, fail); });
  }
}

}  // namespace furrow::vectors
