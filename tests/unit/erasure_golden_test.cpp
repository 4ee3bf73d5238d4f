// Every case of tests/golden/erasure.json, in both SIMD modes.
#include <algorithm>
#include <fstream>
#include <functional>
#include <numeric>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "host/crypto/blake3.hpp"
#include "host/crypto/hex.hpp"
#include "host/erasure/erasure_coding.hpp"
#include "tests/support/golden_stream.hpp"

namespace furrow {
namespace {

using nlohmann::json;
using test::parse_seed;
using test::Splitmix;
using test::stream;

const json& golden() {
  static const json vectors = [] {
    std::ifstream file(FURROW_GOLDEN_DIR "/erasure.json");
    return json::parse(file);
  }();
  return vectors;
}

/// `count` shards back to back.
struct ShardArray {
  ShardArray(std::vector<std::uint8_t> contents, std::size_t length)
      : bytes(std::move(contents)), shard_bytes(length) {}
  ShardArray(std::size_t count, std::size_t length) : bytes(count * length), shard_bytes(length) {}

  [[nodiscard]] std::size_t count() const { return bytes.size() / shard_bytes; }
  [[nodiscard]] std::span<const std::uint8_t> shard(std::size_t i) const {
    return std::span(bytes).subspan(i * shard_bytes, shard_bytes);
  }
  [[nodiscard]] std::span<std::uint8_t> shard(std::size_t i) {
    return std::span(bytes).subspan(i * shard_bytes, shard_bytes);
  }
  [[nodiscard]] std::vector<std::span<const std::uint8_t>> shards() const {
    std::vector<std::span<const std::uint8_t>> result;
    for (std::size_t i = 0; i < count(); ++i) {
      result.push_back(shard(i));
    }
    return result;
  }
  [[nodiscard]] std::vector<std::span<std::uint8_t>> buffers() {
    std::vector<std::span<std::uint8_t>> result;
    for (std::size_t i = 0; i < count(); ++i) {
      result.push_back(shard(i));
    }
    return result;
  }
  [[nodiscard]] std::string hash() const { return to_hex(blake3(bytes).bytes); }
  [[nodiscard]] std::string first_64(std::size_t i) const {
    return to_hex(shard(i).first(std::min<std::size_t>(64, shard_bytes)));
  }

  std::vector<std::uint8_t> bytes;
  std::size_t shard_bytes;
};

ShardArray source_of(const json& entry) {
  const std::size_t length = entry.at("shard_len");
  const std::size_t count = entry.at("source_shards");
  if (!entry.contains("special")) {
    return {stream(parse_seed(entry.at("seed")), count * length), length};
  }
  EXPECT_EQ(entry.at("special"),
            "all source bytes zero except the very first byte of shard 0, which is 1");
  ShardArray source(count, length);
  source.bytes[0] = 1;
  return source;
}

std::string name_of(const json& entry, SimdMode mode) {
  return entry.at("source_shards").dump() + " + " + entry.at("parity_shards").dump() + " of " +
         entry.at("shard_len").dump() + " bytes, " +
         (entry.contains("seed") ? entry.at("seed") : entry.at("special")).dump() + ", " +
         simd_target_name(mode);
}

class ErasureGolden : public testing::TestWithParam<SimdMode> {};

INSTANTIATE_TEST_SUITE_P(Modes, ErasureGolden, testing::Values(SimdMode::kScalar, SimdMode::kBest),
                         [](const auto& parameter) {
                           return parameter.param == SimdMode::kScalar ? "Scalar" : "Simd";
                         });

TEST_P(ErasureGolden, Extend) {
  const ErasureCoding coding(GetParam());
  ASSERT_FALSE(golden().at("extend").empty());
  for (const json& entry : golden().at("extend")) {
    SCOPED_TRACE(name_of(entry, GetParam()));
    const ShardArray source = source_of(entry);
    if (entry.contains("source_blake3")) {
      ASSERT_EQ(source.hash(), entry.at("source_blake3"));
    }
    ShardArray parity(entry.at("parity_shards").get<std::size_t>(), source.shard_bytes);
    coding.extend(source.shards(), parity.buffers());
    EXPECT_EQ(parity.hash(), entry.at("parity_blake3"));
    EXPECT_EQ(parity.first_64(0), entry.at("first_parity_64"));
    EXPECT_EQ(parity.first_64(parity.count() - 1), entry.at("last_parity_64"));
  }
}

/// Ascending indices of the missing shards, source shards first.
std::vector<std::uint32_t> missing_of(const json& entry) {
  const std::uint32_t n_source = entry.at("source_shards");
  const std::uint32_t n_parity = entry.at("parity_shards");
  std::vector<std::uint32_t> indices(n_source + n_parity);
  std::iota(indices.begin(), indices.end(), 0U);
  if (entry.contains("missing")) {
    EXPECT_EQ(entry.at("missing"), "all source shards");
    indices.resize(n_source);
    return indices;
  }
  Splitmix random(parse_seed(entry.at("missing_seed")));
  for (std::size_t i = 0; i + 1 < indices.size(); ++i) {
    std::swap(indices[i], indices[i + random.next() % (indices.size() - i)]);
  }
  indices.resize(entry.at("missing_count"));
  std::ranges::sort(indices);
  if (!entry.at("missing_indices").is_null()) {
    EXPECT_EQ(entry.at("missing_indices"), indices);
  }
  std::vector<std::uint8_t> bytes;
  for (const std::uint32_t index : indices) {
    for (unsigned shift = 0; shift < 32; shift += 8) {
      bytes.push_back(static_cast<std::uint8_t>(index >> shift));
    }
  }
  EXPECT_EQ(to_hex(blake3(bytes).bytes), entry.at("missing_indices_u32le_blake3"));
  return indices;
}

TEST_P(ErasureGolden, Recover) {
  const ErasureCoding coding(GetParam());
  ASSERT_FALSE(golden().at("recover").empty());
  for (const json& entry : golden().at("recover")) {
    SCOPED_TRACE(name_of(entry, GetParam()));
    ShardArray source = source_of(entry);
    ShardArray parity(entry.at("parity_shards").get<std::size_t>(), source.shard_bytes);
    coding.extend(source.shards(), parity.buffers());
    if (entry.contains("parity_blake3")) {
      ASSERT_EQ(parity.hash(), entry.at("parity_blake3"));
    }
    const std::vector<std::uint8_t> whole_source = source.bytes;
    const std::vector<std::uint8_t> whole_parity = parity.bytes;

    std::vector<RecoveryShard> source_shards;
    std::vector<RecoveryShard> parity_shards;
    for (const auto& shard : source.shards()) {
      source_shards.push_back(RecoveryShard::present(shard));
    }
    for (const auto& shard : parity.shards()) {
      parity_shards.push_back(RecoveryShard::present(shard));
    }
    const bool ignores_parity = entry.value("missing_parity_mode", "recover") == "ignore";
    for (const std::uint32_t index : missing_of(entry)) {
      const bool is_source = index < source.count();
      const std::size_t i = is_source ? index : index - source.count();
      const std::span<std::uint8_t> buffer = is_source ? source.shard(i) : parity.shard(i);
      if (is_source || !ignores_parity) {
        std::ranges::fill(buffer, std::uint8_t{0xA5});
      }
      (is_source ? source_shards : parity_shards)[i] =
          is_source || !ignores_parity ? RecoveryShard::wanted(buffer) : RecoveryShard::ignored();
    }
    coding.recover(source_shards, parity_shards);
    EXPECT_TRUE(source.bytes == whole_source);
    EXPECT_TRUE(parity.bytes == whole_parity);
    EXPECT_EQ(source.hash(), entry.at("recovered_source_blake3"));
  }
}

/// The error in the notation of the vectors, "ok" if there is none.
std::string outcome(const std::function<void()>& operation) {
  const auto number = [](std::size_t n) { return std::to_string(n); };
  try {
    operation();
    return "ok";
  } catch (const UnsupportedShardCount& e) {
    return "DecoderError(UnsupportedShardCount { original_count: " + number(e.original_count) +
           ", recovery_count: " + number(e.recovery_count) + " })";
  } catch (const InvalidShardSize& e) {
    return "DecoderError(InvalidShardSize { shard_bytes: " + number(e.shard_bytes) + " })";
  } catch (const DifferentShardSize& e) {
    return "DecoderError(DifferentShardSize { shard_bytes: " + number(e.shard_bytes) +
           ", got: " + number(e.got) + " })";
  } catch (const NotEnoughShards& e) {
    return "DecoderError(NotEnoughShards { original_count: " + number(e.original_count) +
           ", original_received_count: " + number(e.original_received_count) +
           ", recovery_received_count: " + number(e.recovery_received_count) + " })";
  } catch (const IgnoredSourceShard& e) {
    return "IgnoredSourceShard { index: " + number(e.index) + " }";
  } catch (const WrongSourceShardByteLength& e) {
    return "WrongSourceShardByteLength { expected: " + number(e.expected) +
           ", actual: " + number(e.actual) + " }";
  } catch (const WrongParityShardByteLength& e) {
    return "WrongParityShardByteLength { expected: " + number(e.expected) +
           ", actual: " + number(e.actual) + " }";
  }
}

/// Either an array of lengths or words such as "65535 shards of 2 bytes".
std::vector<std::size_t> lengths_of(const json& value) {
  if (value.is_array()) {
    return value;
  }
  const std::string text = value;
  const std::string between = " shards of ";
  const std::size_t place = text.find(between);
  EXPECT_NE(place, std::string::npos) << text;
  return std::vector<std::size_t>(std::stoul(text),
                                  std::stoul(text.substr(place + between.size())));
}

using Buffers = std::vector<std::vector<std::uint8_t>>;

std::string extend_outcome(const ErasureCoding& coding, const json& entry) {
  Buffers source;
  Buffers parity;
  std::vector<std::span<const std::uint8_t>> source_shards;
  std::vector<std::span<std::uint8_t>> parity_shards;
  for (const std::size_t length : lengths_of(entry.at("source_lens"))) {
    source_shards.emplace_back(source.emplace_back(length));
  }
  for (const std::size_t length : lengths_of(entry.at("parity_lens"))) {
    parity_shards.emplace_back(parity.emplace_back(length));
  }
  return outcome([&] { coding.extend(source_shards, parity_shards); });
}

/// Shards such as "Present(64)", "MissingRecover(62)", "MissingIgnore".
std::vector<RecoveryShard> recovery_shards(const json& texts, Buffers& buffers) {
  std::vector<RecoveryShard> shards;
  for (const json& entry : texts) {
    const std::string text = entry;
    if (text == "MissingIgnore") {
      shards.push_back(RecoveryShard::ignored());
      continue;
    }
    const std::size_t bracket = text.find('(');
    auto& buffer = buffers.emplace_back(std::stoul(text.substr(bracket + 1)));
    const std::string state = text.substr(0, bracket);
    EXPECT_TRUE(state == "Present" || state == "MissingRecover") << text;
    shards.push_back(state == "Present" ? RecoveryShard::present(buffer)
                                        : RecoveryShard::wanted(buffer));
  }
  return shards;
}

std::string recover_outcome(const ErasureCoding& coding, const json& entry) {
  Buffers buffers;
  const std::vector<RecoveryShard> source = recovery_shards(entry.at("source"), buffers);
  const std::vector<RecoveryShard> parity = recovery_shards(entry.at("parity"), buffers);
  return outcome([&] { coding.recover(source, parity); });
}

TEST_P(ErasureGolden, Errors) {
  const ErasureCoding coding(GetParam());
  ASSERT_FALSE(golden().at("errors").empty());
  for (const json& entry : golden().at("errors")) {
    SCOPED_TRACE(entry.at("name").dump());
    const std::string operation = entry.at("op");
    ASSERT_TRUE(operation == "extend" || operation == "recover");
    // Section 7 of docs/spec/04 calls this a defect of the reference and says what is right.
    const std::string expected = entry.contains("reference_quirk")
                                     ? "IgnoredSourceShard { index: 0 }"
                                     : entry.at("result").get<std::string>();
    EXPECT_EQ(
        operation == "extend" ? extend_outcome(coding, entry) : recover_outcome(coding, entry),
        expected);
  }
}

}  // namespace
}  // namespace furrow
