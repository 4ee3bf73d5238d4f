// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <functional>
#include <string>
#include <vector>

#include "host/erasure/fr_erasure_coding.hpp"
#include "tools/vectors/autonomys_inputs.hpp"
#include "tools/vectors/integer_hasher.hpp"
#include "tools/vectors/vector_file.hpp"
#include "tools/vectors/vector_input.hpp"

namespace furrow::vectors {
namespace {

using Chunks = std::vector<RecordChunk>;

std::span<const std::uint8_t> bytes_of_all(const Chunks& chunks) {
  return {reinterpret_cast<const std::uint8_t*>(chunks.data()), chunks.size() * kChunkSize};
}

RecordChunk small_number(std::size_t value) {
  RecordChunk chunk;
  for (std::size_t i = 0; i < sizeof(value); ++i) {
    chunk.bytes[kChunkSize - 1 - i] = static_cast<std::uint8_t>(value >> (8 * i));
  }
  return chunk;
}

Chunks make_source(const nlohmann::json& expected, std::size_t n) {
  Chunks source(n);
  if (expected.contains("kind")) {
    fill_fr_source(expected.at("kind").get<std::string>(), seed(expected, "seed"), source);
    return source;
  }
  const std::string special = expected.at("special").get<std::string>();
  if (special == "all one") {
    std::ranges::fill(source, small_number(1));
  } else if (special == "1 then zeroes") {
    source.front() = small_number(1);
  } else if (special == "zeroes then 1 at the end") {
    source.back() = small_number(1);
  } else if (special == "all r-1") {
    fill_fr_source("rminus1", 0, source);
  } else if (special == "0, 1, 2, ...") {
    for (std::size_t i = 0; i < n; ++i) {
      source[i] = small_number(i);
    }
  } else if (special != "all zero") {
    throw MalformedData("unknown description of the source: '" + special + "'");
  }
  return source;
}

Chunks parity_of(const FrErasureCoding& erasure, const Chunks& source) {
  Chunks parity(source.size());
  erasure.extend(source, parity);
  return parity;
}

void check_list(const nlohmann::json& expected, const char* field, const Chunks& chunks,
                const CaseChecker& check) {
  if (!expected.contains(field)) {
    return;
  }
  const nlohmann::json& list = expected.at(field);
  bool is_equal = list.size() == chunks.size();
  for (std::size_t i = 0; is_equal && i < chunks.size(); ++i) {
    is_equal = fixed_bytes<RecordChunk>(list[i], field) == chunks[i];
  }
  check.is_true(is_equal, std::string(field) + " differs");
}

void check_extend(const nlohmann::json& expected, SimdMode mode, const VectorReport::Fail& fail) {
  const FrErasureCoding erasure(mode, std::size_t{1} << number(expected, "scale"));
  const Chunks source = make_source(expected, number(expected, "source_shards"));
  const Chunks parity = parity_of(erasure, source);
  const CaseChecker check(expected, fail);
  check.digest("source_blake3", bytes_of_all(source));
  check.digest("parity_blake3", bytes_of_all(parity));
  check.bytes("first_parity", parity.front().bytes);
  check.bytes("last_parity", parity.back().bytes);
  if (expected.contains("first_source")) {
    check.bytes("first_source", source.front().bytes);
  }
  check_list(expected, "source", source, check);
  check_list(expected, "parity", parity, check);
}

std::vector<std::uint32_t> missing_shards(const nlohmann::json& expected, std::size_t n_shards) {
  if (expected.at("missing").is_null()) {
    return drawn_indexes(seed(expected, "missing_seed"), n_shards,
                         number(expected, "missing_count"));
  }
  const std::string words = expected.at("missing").get<std::string>();
  if (words != "all source shards (even indices)") {
    throw MalformedData("unknown description of the missing shards: '" + words + "'");
  }
  std::vector<std::uint32_t> sources;
  for (std::uint32_t s = 0; s < n_shards; s += 2) {
    sources.push_back(s);
  }
  return sources;
}

void check_recover(const nlohmann::json& expected, SimdMode mode, const VectorReport::Fail& fail) {
  const FrErasureCoding erasure(mode);
  const std::size_t n_shards = number(expected, "total_shards");
  const Chunks source = make_source(expected, n_shards / 2);
  const Chunks parity = parity_of(erasure, source);
  Chunks shards;
  for (std::size_t i = 0; i < source.size(); ++i) {
    shards.push_back(source[i]);
    shards.push_back(parity[i]);
  }
  const CaseChecker check(expected, fail);
  check.digest("source_blake3", bytes_of_all(source));
  check.digest("parity_blake3", bytes_of_all(parity));
  check.digest("interleaved_blake3", bytes_of_all(shards));

  const std::vector<std::uint32_t> missing = missing_shards(expected, n_shards);
  check.number("missing_count", missing.size());
  IntegerHasher hasher;
  std::vector<std::uint8_t> is_present(n_shards, 1);
  Chunks damaged = shards;
  for (const std::uint32_t index : missing) {
    hasher.add(index, 4);
    is_present[index] = 0;
    damaged[index].bytes.fill(0xEE);  // no number of the field: nobody may look
  }
  check.bytes("missing_indices_u32le_blake3", hasher.finish().bytes);
  if (const nlohmann::json& listed = expected.at("missing_indices"); !listed.is_null()) {
    check.is_true(listed.get<std::vector<std::uint32_t>>() == missing, "missing_indices differ");
  }
  erasure.recover(damaged, is_present);
  check.digest("interleaved_blake3", bytes_of_all(damaged));
}

/// The reference's words for what an operation ends with. Where it panics because nothing is missing,
/// nothing is to be done (specification, section 6.5).
bool fits(const std::string& result, const std::function<void()>& operation) {
  try {
    operation();
    return result == "ok" || result == "panic";
  } catch (const UnsupportedShardCount&) {
    return result.starts_with("error: A non-zero list") ||
           result.find("power-of-two") != std::string::npos ||
           result.find("power of two") != std::string::npos ||
           result.find("max width") != std::string::npos ||
           result.find("max_width") != std::string::npos;
  } catch (const NotEnoughShards&) {
    return result.find("too many shards are missing") != std::string::npos;
  }
}

void check_error(const nlohmann::json& expected, SimdMode mode, const VectorReport::Fail& fail) {
  const std::string op = expected.at("op").get<std::string>();
  if (op == "scalar") {
    for (const nlohmann::json& one : expected.at("cases")) {
      const auto chunk = fixed_bytes_at<RecordChunk>(one, "bytes");
      CaseChecker(one, fail, one.at("what").get<std::string>() + ": ")
          .boolean("valid_scalar", is_fr(chunk));
    }
    return;
  }
  const FrErasureCoding erasure(mode, std::size_t{1} << number(expected, "scale"));
  const std::string result = expected.at("result").get<std::string>();
  const auto run = [&] {
    if (op == "extend") {
      Chunks parity(number(expected, "source_shards"));
      erasure.extend(Chunks(parity.size()), parity);
    } else {
      Chunks shards(number(expected, "total_shards"));
      std::vector<std::uint8_t> is_present(shards.size(), 1);
      std::fill_n(is_present.begin(), number(expected, "missing_count"), std::uint8_t{0});
      erasure.recover(shards, is_present);
    }
  };
  CaseChecker(expected, fail).is_true(fits(result, run), "does not end with '" + result + "'");
}

}  // namespace

void run_autonomys_erasure_vectors(const nlohmann::json& file, const VectorOptions& options,
                                   VectorReport& report) {
  using Check = void (*)(const nlohmann::json&, SimdMode, const VectorReport::Fail&);
  const std::pair<const char*, Check> lists[] = {
      {"extend", check_extend}, {"recover", check_recover}, {"errors", check_error}};
  for (const auto& [list, check] : lists) {
    std::size_t index = 0;
    for (const nlohmann::json& expected : file.at(list)) {
      report.run_case(
          "erasure coding, " + std::string(list) + " " + std::to_string(index++),
          [&, run = check](const VectorReport::Fail& fail) { run(expected, options.mode, fail); });
    }
  }
}

}  // namespace furrow::vectors
