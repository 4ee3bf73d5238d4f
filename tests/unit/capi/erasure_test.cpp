// SPDX-License-Identifier: Apache-2.0
// furrow/c/erasure.h against the golden vectors, at odd addresses, and with calls that nobody
// should make.
#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "tests/unit/capi/capi_support.hpp"
#include "tests/unit/capi/golden_vectors.hpp"

namespace furrow {
namespace {

using nlohmann::json;
using test::expect_null_refused;
using test::expect_overlap_refused;
using test::expect_refused;
using test::OddBuffer;

/// What takes more than a moment to make up is left to the vectors of the engine.
constexpr std::size_t kMostBytes = std::size_t{1} << 20;

std::vector<std::uint8_t*> shards_in(std::uint8_t* bytes, std::size_t count, std::size_t size) {
  std::vector<std::uint8_t*> shards;
  for (std::size_t i = 0; i < count; ++i) {
    shards.push_back(bytes + i * size);
  }
  return shards;
}

TEST(CErasure, ExtendGivesTheGoldenParity) {
  std::size_t n_compared = 0;
  const json entries = test::golden("erasure").at("extend");
  for (const json& entry : entries) {
    const std::size_t k = entry.at("source_shards");
    const std::size_t m = entry.at("parity_shards");
    const std::size_t size = entry.at("shard_len");
    if (!entry.contains("seed") || k * size > kMostBytes) {
      continue;
    }
    OddBuffer source(test::seeded(entry.at("seed"), k * size));
    OddBuffer parity(m * size);
    const auto sources = shards_in(source.data(), k, size);
    const auto parities = shards_in(parity.data(), m, size);
    ASSERT_EQ(furrow_erasure_extend(sources.data(), k, parities.data(), m, size), FURROW_OK)
        << furrow_last_error();
    EXPECT_EQ(test::digest(parity.bytes()), entry.at("parity_blake3")) << k << " " << m;
    ++n_compared;
  }
  EXPECT_GE(n_compared, 15U);
}

/// The missing shards of an entry (tests/golden/README.md).
std::vector<bool> missing_of(const json& entry, std::size_t n) {
  std::vector<std::size_t> order(n);
  for (std::size_t i = 0; i < n; ++i) {
    order[i] = i;
  }
  vectors::Splitmix numbers(vectors::parse_seed(entry.at("missing_seed")));
  for (std::size_t i = 0; i + 1 < n; ++i) {
    std::swap(order[i], order[i + numbers.next() % (n - i)]);
  }
  std::vector<bool> missing(n);
  for (std::size_t i = 0; i < entry.at("missing_count").get<std::size_t>(); ++i) {
    missing[order[i]] = true;
  }
  return missing;
}

TEST(CErasure, RecoverGivesTheGoldenShardsBack) {
  std::size_t n_compared = 0;
  const json entries = test::golden("erasure").at("recover");
  for (const json& entry : entries) {
    const std::size_t k = entry.at("source_shards");
    const std::size_t m = entry.at("parity_shards");
    const std::size_t size = entry.at("shard_len");
    if (!entry.contains("missing_seed") || k > 1000) {
      continue;
    }
    OddBuffer all((k + m) * size);
    const std::vector<std::uint8_t> source = test::seeded(entry.at("seed"), k * size);
    std::ranges::copy(source, all.data());
    const auto shards = shards_in(all.data(), k + m, size);
    ASSERT_EQ(furrow_erasure_extend(shards.data(), k, shards.data() + k, m, size), FURROW_OK);
    const bool parity_is_wanted = entry.at("missing_parity_mode") == "recover";
    const std::vector<bool> missing = missing_of(entry, k + m);
    std::vector<std::uint8_t*> given = shards;
    std::vector<furrow_shard_state> states(k + m, FURROW_SHARD_PRESENT);
    for (std::size_t i = 0; i < k + m; ++i) {
      if (missing[i] && (i < k || parity_is_wanted)) {
        states[i] = FURROW_SHARD_WANTED;
        std::fill_n(shards[i], size, std::uint8_t{0xEE});
      } else if (missing[i]) {
        states[i] = FURROW_SHARD_IGNORED;
        given[i] = nullptr;
      }
    }
    ASSERT_EQ(furrow_erasure_recover(given.data(), states.data(), k, m, size), FURROW_OK)
        << furrow_last_error();
    EXPECT_EQ(test::digest(all.bytes().first(k * size)), entry.at("recovered_source_blake3"));
    EXPECT_EQ(test::digest(all.bytes().last(m * size)), entry.at("parity_blake3"));
    ++n_compared;
  }
  EXPECT_GE(n_compared, 70U);
}

TEST(CErasure, ParityOfARecordIsTheGoldenOne) {
  const json entry = test::golden("record_encoding").at("cases").at(0);
  OddBuffer record(test::seeded(entry.at("record_seed"), FURROW_RECORD_SIZE));
  OddBuffer parity(FURROW_RECORD_SIZE);
  ASSERT_EQ(furrow_erasure_extend_record(record.data(), parity.data()), FURROW_OK);
  EXPECT_EQ(test::digest(parity.bytes()), entry.at("parity_chunks_blake3"));
}

/// Two source and two parity shards of four bytes, and calls that have something wrong.
struct Small {
  OddBuffer bytes{16};
  std::vector<std::uint8_t*> source = shards_in(bytes.data(), 2, 4);
  std::vector<std::uint8_t*> parity = shards_in(bytes.data() + 8, 2, 4);
  std::vector<std::uint8_t*> all = shards_in(bytes.data(), 4, 4);
  std::vector<furrow_shard_state> states = {FURROW_SHARD_PRESENT, FURROW_SHARD_WANTED,
                                            FURROW_SHARD_PRESENT, FURROW_SHARD_WANTED};

  furrow_status extend(std::size_t k = 2, std::size_t m = 2, std::size_t size = 4) {
    return furrow_erasure_extend(source.data(), k, parity.data(), m, size);
  }
  furrow_status recover(std::size_t k = 2, std::size_t m = 2, std::size_t size = 4) {
    return furrow_erasure_recover(all.data(), states.data(), k, m, size);
  }
};

TEST(CErasure, NullIsNamed) {
  Small small;
  expect_null_refused(furrow_erasure_extend(nullptr, 2, small.parity.data(), 2, 4), "source");
  expect_null_refused(furrow_erasure_extend(small.source.data(), 2, nullptr, 2, 4), "parity");
  expect_null_refused(furrow_erasure_recover(nullptr, small.states.data(), 2, 2, 4), "shards");
  expect_null_refused(furrow_erasure_recover(small.all.data(), nullptr, 2, 2, 4), "states");
  expect_null_refused(furrow_erasure_extend_record(nullptr, small.bytes.data()), "record");
  expect_null_refused(furrow_erasure_extend_record(small.bytes.data(), nullptr), "parity");
  small.source[1] = nullptr;
  expect_null_refused(small.extend(), "source[1]");
  small.source[1] = small.bytes.data() + 4;
  small.parity[0] = nullptr;
  expect_null_refused(small.extend(), "parity[0]");
  for (const std::size_t i : {0U, 1U, 2U, 3U}) {
    std::uint8_t* const shard = std::exchange(small.all[i], nullptr);
    expect_null_refused(small.recover(), "shards[" + std::to_string(i) + "]");
    small.all[i] = shard;
  }
  EXPECT_TRUE(small.bytes.is_untouched());
}

/// Refused with the kind that says so.
void expect_shards_refused(furrow_status status) {
  EXPECT_EQ(status, FURROW_INVALID_ARGUMENT);
  EXPECT_EQ(test::last_error().kind, FURROW_ERROR_SHARDS) << furrow_last_error();
}

TEST(CErasure, CountsAndSizesThatNoCodeHasAreRefused) {
  Small small;
  using Counts = std::pair<std::size_t, std::size_t>;
  for (const auto& [k, m] : {Counts{0, 2}, Counts{2, 0}, Counts{65'537, 1}, Counts{1, 65'537},
                             Counts{SIZE_MAX, 1}, Counts{1, SIZE_MAX}, Counts{SIZE_MAX, 2}}) {
    expect_shards_refused(small.extend(k, m));
    expect_shards_refused(small.recover(k, m));
  }
  for (const std::size_t size : {0U, 1U, 3U}) {
    expect_shards_refused(small.extend(2, 2, size));
    expect_shards_refused(small.recover(2, 2, size));
  }
  expect_refused(small.extend(2, 2, SIZE_MAX - 1), "end of memory");
  expect_overlap_refused(small.recover(2, 2, 6));
  EXPECT_TRUE(small.bytes.is_untouched());
}

TEST(CErasure, OneTooManyOfTheLargestCodeIsRefused) {
  OddBuffer bytes(2 * 65'537);
  const auto shards = shards_in(bytes.data(), 65'537, 2);
  expect_shards_refused(furrow_erasure_extend(shards.data(), 65'536, shards.data() + 65'536, 1, 2));
  EXPECT_TRUE(bytes.is_untouched());
  EXPECT_EQ(furrow_erasure_extend(shards.data(), 65'535, shards.data() + 65'535, 1, 2), FURROW_OK)
      << furrow_last_error();
}

TEST(CErasure, StatesThatMakeNoSenseAreRefused) {
  Small small;
  const int wrong = 3;
  std::memcpy(&small.states[3], &wrong, sizeof(wrong));
  expect_refused(small.recover(), "states[3]");
  small.states[3] = FURROW_SHARD_WANTED;
  small.states[0] = FURROW_SHARD_IGNORED;
  expect_shards_refused(small.recover());
  small.states[0] = FURROW_SHARD_WANTED;
  EXPECT_EQ(small.recover(), FURROW_UNAVAILABLE) << "one is present, two are needed";
  EXPECT_EQ(test::last_error().kind, FURROW_ERROR_SHARDS);
  EXPECT_STREQ(test::last_error().expected, "2");
  EXPECT_STREQ(test::last_error().actual, "1");
  EXPECT_TRUE(small.bytes.is_untouched());
}

TEST(CErasure, BuffersThatOverlapAreRefused) {
  Small small;
  small.parity[1] = small.bytes.data() + 7;
  expect_overlap_refused(small.extend());
  EXPECT_NE(std::string(furrow_last_error()).find("source[1] and parity[1]"), std::string::npos)
      << furrow_last_error();
  small.parity[1] = small.parity[0];
  expect_overlap_refused(small.extend());
  small.all[3] = small.all[0];
  expect_overlap_refused(small.recover());
  small.all[3] = reinterpret_cast<std::uint8_t*>(small.all.data());
  expect_overlap_refused(small.recover());
  expect_overlap_refused(furrow_erasure_extend_record(small.bytes.data(), small.bytes.data()));
  EXPECT_TRUE(small.bytes.is_untouched());
  small.parity[1] = small.bytes.data() + 12;
  small.source[1] = small.source[0];
  EXPECT_EQ(small.extend(), FURROW_OK) << "what is only read may be given twice";
}

}  // namespace
}  // namespace furrow
