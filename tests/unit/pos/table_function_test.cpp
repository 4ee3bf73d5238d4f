// SPDX-License-Identifier: Apache-2.0
// The table function and the entries of table 1 in vectors against the plain forms, and the
// keystream they are made from.
#include "host/pos/table_function.hpp"

#include <memory>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "host/crypto/chacha8.hpp"
#include "tests/support/simd_targets.hpp"

namespace furrow {
namespace {

constexpr unsigned kAllK[] = {15, 16, 17, 18, 20};

/// Parents of `table` with random contents: metadata of the right width, residues below 15113.
void fill_parents(unsigned k, unsigned table, std::mt19937_64& random,
                  std::array<std::uint32_t, 4 * EntryBatch::kPlaces>& entries) {
  constexpr unsigned kTimesK[8] = {0, 1, 2, 4, 4, 3, 2, 0};
  const unsigned bits = kTimesK[table] * k;
  for (std::size_t i = 0; i < EntryBatch::kPlaces; ++i) {
    const uint128 wide = static_cast<uint128>(random()) << 64 | random();
    std::uint32_t* entry = entries.data() + i * entry_words(table);
    write_entry(table, wide >> (128 - bits),
                static_cast<std::uint32_t>(random() % core::pos::kParamBC), entry);
    if (entry_words(table) == 4) {
      entry[kOriginWord] = static_cast<std::uint32_t>(random());
    }
  }
}

/// Only the first `count` children count: what stands behind them is left over.
void expect_equal_children(unsigned table, std::size_t count, const EntryBatch& expected,
                           const EntryBatch& actual) {
  for (std::size_t i = 0; i < count; ++i) {
    if (table == core::pos::kNumTables) {
      ASSERT_EQ(expected.y[i], actual.y[i]) << "child " << i << " of " << count;
      continue;
    }
    ASSERT_EQ(expected.buckets[i], actual.buckets[i]) << "child " << i << " of " << count;
    for (std::size_t w = 0; w < entry_words(table); ++w) {
      const std::size_t place = i * entry_words(table) + w;
      ASSERT_EQ(expected.children[place], actual.children[place])
          << "child " << i << " of " << count << ", word " << w;
    }
  }
}

TEST(TableFunction, VectorFormAgreesWithPlainForm) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  test::for_each_simd_target([&] {
    std::mt19937_64 random(seed);
    const auto plain = std::make_unique<EntryBatch>();
    const auto vector = std::make_unique<EntryBatch>();
    for (const unsigned k : kAllK) {
      const std::size_t n_buckets =
          ((std::size_t{1} << (k + core::pos::kParamExt)) - 1) / core::pos::kParamBC;
      for (unsigned table = 2; table <= core::pos::kNumTables; ++table) {
        for (const std::size_t count : {0UL, 1UL, 7UL, 8UL, 9UL, 24UL, 25UL, 236UL, 287UL, 288UL}) {
          SCOPED_TRACE("K " + std::to_string(k) + ", table " + std::to_string(table));
          const auto base = static_cast<std::uint32_t>(random() % n_buckets) * core::pos::kParamBC;
          fill_parents(k, table - 1, random, plain->left);
          fill_parents(k, table - 1, random, plain->right);
          vector->left = plain->left;
          vector->right = plain->right;
          scalar::table_function_many(k, table, base, count, *plain);
          table_function_many(SimdMode::kBest, k, table, base, count, *vector);
          expect_equal_children(table, count, *plain, *vector);
        }
      }
    }
  });
}

TEST(TableFunction, FirstEntriesAgreeWithPlainForm) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  test::for_each_simd_target([&] {
    std::mt19937_64 random(seed);
    const auto plain = std::make_unique<EntryBatch>();
    const auto vector = std::make_unique<EntryBatch>();
    for (const unsigned k : kAllK) {
      for (const std::size_t count : {32UL, 64UL, 256UL}) {
        std::vector<std::uint8_t> keystream(count * k / 8 + 8);
        for (std::uint8_t& byte : keystream) {
          byte = static_cast<std::uint8_t>(random());
        }
        const auto first_x =
            static_cast<std::uint32_t>(random() % ((1UL << k) / 256)) * std::uint32_t{256};
        scalar::table1_entries(k, keystream.data(), first_x, count, *plain);
        table1_entries(SimdMode::kBest, k, keystream.data(), first_x, count, *vector);
        SCOPED_TRACE("K " + std::to_string(k));
        expect_equal_children(1, count, *plain, *vector);
      }
    }
  });
}

TEST(ChaCha8, BlocksInVectorsAgreeWithSingleOnes) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  std::array<std::uint8_t, 32> key{};
  for (std::uint8_t& byte : key) {
    byte = static_cast<std::uint8_t>(random());
  }
  for (const std::size_t n : {0UL, 1UL, 7UL, 8UL, 15UL, 16UL, 17UL, 33UL}) {
    const auto first = static_cast<std::uint32_t>(random() % (0xFFFFFFFF - n));
    std::vector<std::uint8_t> expected(64 * n + 1);
    chacha8_blocks(SimdMode::kScalar, key, first, n, expected.data());
    test::for_each_simd_target([&] {
      std::vector<std::uint8_t> actual(64 * n + 1);
      chacha8_blocks(SimdMode::kBest, key, first, n, actual.data());
      EXPECT_EQ(actual, expected) << n << " blocks from " << first;
    });
  }
}

}  // namespace
}  // namespace furrow
