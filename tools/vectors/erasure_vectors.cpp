// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <numeric>
#include <string>

#include "host/erasure/erasure_coding.hpp"
#include "tools/vectors/vector_file.hpp"
#include "tools/vectors/vector_input.hpp"

namespace furrow::vectors {
namespace {

/// Shards of equal length, back to back in one buffer.
struct Shards {
  Shards(std::size_t shard_count, std::size_t shard_length)
      : count(shard_count), length(shard_length), bytes(shard_count * shard_length) {}
  [[nodiscard]] std::span<std::uint8_t> shard(std::size_t i) {
    return std::span(bytes).subspan(i * length, length);
  }
  [[nodiscard]] std::vector<std::span<std::uint8_t>> all() {
    std::vector<std::span<std::uint8_t>> result;
    for (std::size_t i = 0; i < count; ++i) {
      result.push_back(shard(i));
    }
    return result;
  }

  std::size_t count;
  std::size_t length;
  std::vector<std::uint8_t> bytes;
};

Shards make_source(const nlohmann::json& expected) {
  Shards source(number(expected, "source_shards"), number(expected, "shard_len"));
  if (expected.contains("seed")) {
    fill_stream(seed(expected, "seed"), source.bytes);
    return source;
  }
  const std::string special = expected.at("special").get<std::string>();
  if (special != "all source bytes zero except the very first byte of shard 0, which is 1") {
    throw MalformedData("unknown description of the source: '" + special + "'");
  }
  source.bytes.at(0) = 1;
  return source;
}

void extend(const ErasureCoding& erasure, Shards& source, Shards& parity) {
  const std::vector<std::span<std::uint8_t>> outputs = parity.all();
  std::vector<std::span<const std::uint8_t>> inputs;
  for (const std::span<std::uint8_t> shard : source.all()) {
    inputs.emplace_back(shard);
  }
  erasure.extend(inputs, outputs);
}

void check_extend(const nlohmann::json& expected, const ErasureCoding& erasure,
                  const VectorReport::Fail& fail) {
  Shards source = make_source(expected);
  Shards parity(number(expected, "parity_shards"), source.length);
  extend(erasure, source, parity);
  const CaseChecker check(expected, fail);
  if (expected.contains("source_blake3")) {
    check.digest("source_blake3", source.bytes);
  }
  check.digest("parity_blake3", parity.bytes);
  const std::size_t shown = std::min<std::size_t>(64, parity.length);
  check.bytes("first_parity_64", parity.shard(0).first(shown));
  check.bytes("last_parity_64", parity.shard(parity.count - 1).first(shown));
}

/// The missing shards, numbered with the sources first.
std::vector<std::uint32_t> missing_shards(const nlohmann::json& expected, std::size_t n_source,
                                          std::size_t n_parity) {
  if (expected.contains("missing")) {
    const std::string words = expected.at("missing").get<std::string>();
    if (words != "all source shards") {
      throw MalformedData("unknown description of the missing shards: '" + words + "'");
    }
    std::vector<std::uint32_t> sources(n_source);
    std::iota(sources.begin(), sources.end(), 0U);
    return sources;
  }
  return drawn_indexes(seed(expected, "missing_seed"), n_source + n_parity,
                       number(expected, "missing_count"));
}

void check_missing(const nlohmann::json& expected, const std::vector<std::uint32_t>& missing,
                   const CaseChecker& check) {
  std::vector<std::uint8_t> bytes;
  for (const std::uint32_t index : missing) {
    for (unsigned i = 0; i < 4; ++i) {
      bytes.push_back(static_cast<std::uint8_t>(index >> (8 * i)));
    }
  }
  if (expected.contains("missing_indices_u32le_blake3")) {
    check.digest("missing_indices_u32le_blake3", bytes);
  }
  if (expected.contains("missing_indices") && !expected.at("missing_indices").is_null()) {
    check.is_true(expected.at("missing_indices").get<std::vector<std::uint32_t>>() == missing,
                  "missing_indices differ");
  }
}

void check_recover(const nlohmann::json& expected, const ErasureCoding& erasure,
                   const VectorReport::Fail& fail) {
  Shards source = make_source(expected);
  Shards parity(number(expected, "parity_shards"), source.length);
  extend(erasure, source, parity);
  const std::vector<std::uint32_t> missing = missing_shards(expected, source.count, parity.count);
  const CaseChecker check(expected, fail);
  check_missing(expected, missing, check);

  const bool recover_parity = expected.value("missing_parity_mode", "ignore") == "recover";
  Shards got_source = source;
  Shards got_parity = parity;
  std::vector<RecoveryShard> source_shards;
  std::vector<RecoveryShard> parity_shards;
  for (std::size_t i = 0; i < source.count; ++i) {
    source_shards.push_back(RecoveryShard::present(source.shard(i)));
  }
  for (std::size_t i = 0; i < parity.count; ++i) {
    parity_shards.push_back(RecoveryShard::present(parity.shard(i)));
  }
  for (const std::uint32_t index : missing) {
    if (index < source.count) {
      const std::span<std::uint8_t> output = got_source.shard(index);
      std::fill(output.begin(), output.end(), std::uint8_t{0xEE});
      source_shards[index] = RecoveryShard::wanted(output);
    } else if (recover_parity) {
      const std::span<std::uint8_t> output = got_parity.shard(index - source.count);
      std::fill(output.begin(), output.end(), std::uint8_t{0xEE});
      parity_shards[index - source.count] = RecoveryShard::wanted(output);
    } else {
      parity_shards[index - source.count] = RecoveryShard::ignored();
    }
  }
  erasure.recover(source_shards, parity_shards);
  check.digest("recovered_source_blake3", got_source.bytes);
  check.digest("parity_blake3", got_parity.bytes);
}

/// Lengths given as a list, or in words: "32769 shards of 2 bytes".
std::vector<std::size_t> shard_lengths(const nlohmann::json& lengths) {
  if (lengths.is_array()) {
    return lengths.get<std::vector<std::size_t>>();
  }
  const std::string text = lengths.get<std::string>();
  std::size_t count = 0;
  std::size_t length = 0;
  if (!scan_all(text, "%7zu shards of %7zu bytes%n", &count, &length)) {
    throw MalformedData("unknown description of shard lengths: '" + text + "'");
  }
  return std::vector<std::size_t>(count, length);
}

/// A shard written as Present(64), MissingRecover(64) or MissingIgnore, over a buffer of zeros.
RecoveryShard shard_of_words(const std::string& text, std::vector<std::uint8_t>& buffer) {
  if (text == "MissingIgnore") {
    return RecoveryShard::ignored();
  }
  std::size_t length = 0;
  if (scan_all(text, "Present(%7zu)%n", &length)) {
    buffer.assign(length, 0);
    return RecoveryShard::present(buffer);
  }
  if (scan_all(text, "MissingRecover(%7zu)%n", &length)) {
    buffer.assign(length, 0);
    return RecoveryShard::wanted(buffer);
  }
  throw MalformedData("unknown description of a shard: '" + text + "'");
}

std::vector<RecoveryShard> shards_of_words(const nlohmann::json& list,
                                           std::vector<std::vector<std::uint8_t>>& buffers) {
  buffers.resize(list.size());
  std::vector<RecoveryShard> shards;
  for (std::size_t i = 0; i < list.size(); ++i) {
    shards.push_back(shard_of_words(list[i].get<std::string>(), buffers[i]));
  }
  return shards;
}

/// The error in the words of the file, "ok" when there was none.
std::string result_text(const std::function<void()>& operation) {
  const auto text = [](auto value) { return std::to_string(value); };
  try {
    operation();
    return "ok";
  } catch (const UnsupportedShardCount& e) {
    return "DecoderError(UnsupportedShardCount { original_count: " + text(e.original_count) +
           ", recovery_count: " + text(e.recovery_count) + " })";
  } catch (const InvalidShardSize& e) {
    return "DecoderError(InvalidShardSize { shard_bytes: " + text(e.shard_bytes) + " })";
  } catch (const DifferentShardSize& e) {
    return "DecoderError(DifferentShardSize { shard_bytes: " + text(e.shard_bytes) +
           ", got: " + text(e.got) + " })";
  } catch (const NotEnoughShards& e) {
    return "DecoderError(NotEnoughShards { original_count: " + text(e.original_count) +
           ", original_received_count: " + text(e.original_received_count) +
           ", recovery_received_count: " + text(e.recovery_received_count) + " })";
  } catch (const IgnoredSourceShard& e) {
    return "IgnoredSourceShard { index: " + text(e.index) + " }";
  } catch (const WrongSourceShardByteLength& e) {
    return "WrongSourceShardByteLength { expected: " + text(e.expected) +
           ", actual: " + text(e.actual) + " }";
  } catch (const WrongParityShardByteLength& e) {
    return "WrongParityShardByteLength { expected: " + text(e.expected) +
           ", actual: " + text(e.actual) + " }";
  }
}

std::string extend_result(const nlohmann::json& expected, const ErasureCoding& erasure) {
  std::vector<std::vector<std::uint8_t>> source;
  std::vector<std::vector<std::uint8_t>> parity;
  for (const std::size_t length : shard_lengths(expected.at("source_lens"))) {
    source.emplace_back(length);
  }
  for (const std::size_t length : shard_lengths(expected.at("parity_lens"))) {
    parity.emplace_back(length);
  }
  const std::vector<std::span<const std::uint8_t>> inputs(source.begin(), source.end());
  const std::vector<std::span<std::uint8_t>> outputs(parity.begin(), parity.end());
  return result_text([&] { erasure.extend(inputs, outputs); });
}

std::string recover_result(const nlohmann::json& expected, const ErasureCoding& erasure) {
  std::vector<std::vector<std::uint8_t>> source_buffers;
  std::vector<std::vector<std::uint8_t>> parity_buffers;
  const std::vector<RecoveryShard> source = shards_of_words(expected.at("source"), source_buffers);
  const std::vector<RecoveryShard> parity = shards_of_words(expected.at("parity"), parity_buffers);
  return result_text([&] { erasure.recover(source, parity); });
}

/// What the specification asks for where the file marks the reference's result as a quirk: ignored
/// sources are refused, the lowest one is named.
std::string quirk_result(const nlohmann::json& expected) {
  const nlohmann::json& source = expected.at("source");
  const auto ignored = std::find(source.begin(), source.end(), "MissingIgnore");
  if (ignored == source.end()) {
    throw MalformedData("unknown quirk: no source shard is ignored");
  }
  return "IgnoredSourceShard { index: " + std::to_string(ignored - source.begin()) + " }";
}

void check_error(const nlohmann::json& expected, const ErasureCoding& erasure,
                 const VectorReport::Fail& fail) {
  const bool is_extend = expected.at("op") == "extend";
  const std::string actual =
      is_extend ? extend_result(expected, erasure) : recover_result(expected, erasure);
  if (expected.contains("reference_quirk")) {
    const std::string wanted = quirk_result(expected);
    CaseChecker(expected, fail)
        .is_true(actual == wanted, "expected " + wanted + ", actual " + actual);
  } else {
    CaseChecker(expected, fail).text("result", actual);
  }
}

}  // namespace

void run_erasure_vectors(const nlohmann::json& file, const VectorOptions& options,
                         VectorReport& report) {
  const ErasureCoding erasure(options.mode);
  using Check = void (*)(const nlohmann::json&, const ErasureCoding&, const VectorReport::Fail&);
  const std::pair<const char*, Check> lists[] = {
      {"extend", check_extend}, {"recover", check_recover}, {"errors", check_error}};
  for (const auto& [list, check] : lists) {
    if (!file.contains(list)) {
      continue;
    }
    std::size_t index = 0;
    for (const nlohmann::json& expected : file.at(list)) {
      std::string name = "erasure coding, " + std::string(list) + " " + std::to_string(index++);
      name += expected.contains("name") ? " (" + expected.at("name").get<std::string>() + ")" : "";
      report.run_case(
          name, [&, run = check](const VectorReport::Fail& fail) { run(expected, erasure, fail); });
    }
  }
}

}  // namespace furrow::vectors
