// SPDX-License-Identifier: Apache-2.0
// The code over Fr: known answers of docs/spec/09-autonomys.md, section 16, the reference, recovery of
// whatever may be missing, and errors.
#include <algorithm>
#include <memory>
#include <numeric>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "host/base/hex.hpp"
#include "host/crypto/blake3.hpp"
#include "host/erasure/fr_erasure_coding.hpp"
#include "tests/unit/erasure/fr_inputs.hpp"

namespace furrow {
namespace {

using Chunks = std::vector<RecordChunk>;

constexpr SimdMode kModes[] = {SimdMode::kScalar, SimdMode::kBest};

RecordChunk chunk_of(const Fr& value) {
  RecordChunk chunk;
  fr::store(value, chunk);
  return chunk;
}

Chunks random_chunks(std::size_t n, test::RandomFr& random) {
  Chunks chunks;
  for (const Fr& value : random.canonical(n)) {
    chunks.push_back(chunk_of(value));
  }
  return chunks;
}

Chunks extend(SimdMode mode, const Chunks& source) {
  Chunks parity(source.size());
  FrErasureCoding(mode).extend(source, parity);
  return parity;
}

/// Shards in the order of the code word: source 0, parity 0, source 1, ...
Chunks code_word(const Chunks& source, const Chunks& parity) {
  Chunks shards;
  for (std::size_t i = 0; i < source.size(); ++i) {
    shards.push_back(source[i]);
    shards.push_back(parity[i]);
  }
  return shards;
}

std::string hex_of_all(const Chunks& chunks) {
  return to_hex(
      blake3({reinterpret_cast<const std::uint8_t*>(chunks.data()), chunks.size() * kChunkSize})
          .bytes);
}

/// Numbers 0, 1, 2, ...
Chunks counting(std::size_t n) {
  Chunks chunks;
  for (std::size_t i = 0; i < n; ++i) {
    chunks.push_back(chunk_of(Fr{{i}}));
  }
  return chunks;
}

/// 1, then zeroes.
Chunks one_then_zeroes(std::size_t n) {
  Chunks chunks(n);
  chunks.front() = chunk_of(Fr{{1}});
  return chunks;
}

TEST(FrErasureCoding, KnownAnswers) {
  for (const SimdMode mode : kModes) {
    const Chunks two = extend(mode, one_then_zeroes(2));
    EXPECT_EQ(to_hex(two[0].bytes),
              "39f6d3a994cebea46045d26b3fd26e6b1fe05202bb00adff80007fff80000001");
    EXPECT_EQ(to_hex(two[1].bytes),
              "39f6d3a994cebea3d2f4059cc9cf699a33dd520044fdadff7fff7fff80000001");
    const Chunks four = extend(mode, counting(4));
    EXPECT_EQ(to_hex(four[0].bytes),
              "39f6d3a994cebea3d2f4059cc9cf699a33dd520044fdadff7fff7fff80000002");
    EXPECT_EQ(to_hex(four[1].bytes),
              "665961d85d90c4c04cbd29a60e160a28319e440c9f3b0325ad9f844939f2705b");
    const Chunks record = extend(mode, one_then_zeroes(kNumChunks));
    EXPECT_EQ(hex_of_all(record),
              "607b7eb3bd5e559ef2eaaef0277a249e79c95f5fcbf1182d4e05de1b3a20e4b0");
    EXPECT_EQ(to_hex(record[0].bytes),
              "45555f59c08cb335daad63734e5b2ee24531fae4e4f5f8ca28c5a228e6440870");
    EXPECT_EQ(hex_of_all(extend(mode, counting(kNumChunks))),
              "64c8b74ddf9a7786f0e96ec8c571baa32d9d7eb8c811fed9bf51ca6b59273ae0");
  }
}

TEST(FrErasureCoding, ParityIsTheValueOfThePolynomialAtEverySize) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  test::RandomFr random(seed);
  for (std::size_t n = 1; n <= kNumChunks; n *= 2) {
    SCOPED_TRACE("n = " + std::to_string(n));
    const Chunks source = random_chunks(n, random);
    std::vector<reference::FrBytes> plain;
    for (const RecordChunk& chunk : source) {
      plain.push_back(chunk.bytes);
    }
    const Chunks parity = extend(SimdMode::kScalar, source);
    ASSERT_EQ(extend(SimdMode::kBest, source), parity);
    ASSERT_EQ(first_invalid_fr(parity), std::nullopt);
    // All of them where that is quick, otherwise one: every value of a transform has a part in it.
    for (std::size_t i = n <= 32 ? 0 : random.next() % n, end = n <= 32 ? n : i + 1; i < end; ++i) {
      ASSERT_EQ(parity[i].bytes, reference::fr_interpolate(plain, 2 * i + 1)) << i;
    }
  }
}

TEST(FrErasureCoding, TheReferenceGoesThroughItsSources) {
  const std::vector<reference::FrBytes> source = {chunk_of(Fr{{1}}).bytes, {}};
  EXPECT_EQ(reference::fr_interpolate(source, 0), source[0]);
  EXPECT_EQ(to_hex(reference::fr_interpolate(source, 1)),
            "39f6d3a994cebea46045d26b3fd26e6b1fe05202bb00adff80007fff80000001");
}

/// Recovers with the `n_missing` first shards of `order` overwritten by what is no number of the field.
void expect_recovery(const Chunks& shards, const std::vector<std::size_t>& order,
                     std::size_t n_missing) {
  Chunks damaged = shards;
  std::vector<std::uint8_t> is_present(shards.size(), 1);
  for (std::size_t i = 0; i < n_missing; ++i) {
    damaged[order[i]].bytes.fill(0xEE);
    is_present[order[i]] = 0;
  }
  for (const SimdMode mode : kModes) {
    Chunks recovered = damaged;
    FrErasureCoding(mode).recover(recovered, is_present);
    ASSERT_EQ(recovered, shards) << n_missing << " missing, " << simd_target_name(mode);
  }
}

TEST(FrErasureCoding, RecoversRandomShardsAtEverySize) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  test::RandomFr random(seed);
  std::mt19937 shuffling(seed);
  for (std::size_t n = 1; n <= kNumChunks && !testing::Test::HasFatalFailure(); n *= 2) {
    SCOPED_TRACE("n = " + std::to_string(n));
    const Chunks source = random_chunks(n, random);
    const Chunks shards = code_word(source, extend(SimdMode::kBest, source));
    std::vector<std::size_t> order(2 * n);
    std::iota(order.begin(), order.end(), std::size_t{0});
    for (int trial = n <= 64 ? 20 : 1; trial > 0; --trial) {
      std::ranges::shuffle(order, shuffling);
      expect_recovery(shards, order, n);
      expect_recovery(shards, order, random.next() % (n + 1));
    }
    std::ranges::sort(order);
    expect_recovery(shards, order, 0);
    if (n > 1024) {
      continue;  // which takes too long with sanitizers
    }
    expect_recovery(shards, order, n);  // the first half
    std::stable_partition(order.begin(), order.end(), [](std::size_t s) { return s % 2 == 0; });
    expect_recovery(shards, order, n);  // all sources
    std::ranges::reverse(order);
    expect_recovery(shards, order, n);  // all parity
    expect_recovery(shards, order, 1);
  }
}

TEST(FrErasureCoding, EveryChoiceOfMissingShardsOfASmallCode) {
  test::RandomFr random(3);
  const Chunks source = random_chunks(4, random);
  const Chunks shards = code_word(source, extend(SimdMode::kScalar, source));
  for (unsigned missing = 0; missing < 256; ++missing) {
    std::vector<std::size_t> places;
    for (std::size_t s = 0; s < 8; ++s) {
      if ((missing >> s & 1) != 0) {
        places.push_back(s);
      }
    }
    if (places.size() <= 4) {
      expect_recovery(shards, places, places.size());
    }
  }
}

/// A random record, extended, in s-bucket order.
struct Extended {
  std::unique_ptr<Record> source = std::make_unique<Record>();
  std::unique_ptr<Record> parity = std::make_unique<Record>();
  std::unique_ptr<ExtendedRecord> chunks = std::make_unique<ExtendedRecord>();

  explicit Extended(unsigned seed) {
    test::RandomFr random(seed);
    std::ranges::copy(random_chunks(kNumChunks, random), source->begin());
    FrErasureCoding().extend_record(*source, *parity);
    for (std::size_t i = 0; i < kNumChunks; ++i) {
      (*chunks)[2 * i] = (*source)[i];
      (*chunks)[2 * i + 1] = (*parity)[i];
    }
  }
};

/// `count` s-buckets, with the bytes of all others overwritten in `chunks`.
FoundProofs choose(std::size_t count, unsigned seed, ExtendedRecord& chunks) {
  std::vector<std::size_t> order(kNumSBuckets);
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::shuffle(order, std::mt19937(seed));
  FoundProofs present;
  for (std::size_t i = 0; i < order.size(); ++i) {
    const std::size_t s = order[i];
    if (i < count) {
      present.bytes[s / 8] = static_cast<std::uint8_t>(present.bytes[s / 8] | 1U << s % 8);
    } else {
      chunks[s].bytes.fill(0xEE);
    }
  }
  return present;
}

TEST(FrErasureCodingRecord, ExtendsLikeTheGeneralFunction) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  const Extended extended(seed);
  const Chunks source(extended.source->begin(), extended.source->end());
  for (const SimdMode mode : kModes) {
    const auto parity = std::make_unique<Record>();
    EXPECT_TRUE(FrErasureCoding(mode).extend_record(*extended.source, *parity));
    EXPECT_TRUE(std::ranges::equal(*parity, extend(mode, source)));
  }
}

TEST(FrErasureCodingRecord, RecoversSources) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  const Extended extended(seed);
  for (const std::size_t count : {kNumChunks, kNumChunks + 1, kNumSBuckets - 1, kNumSBuckets}) {
    auto chunks = std::make_unique<ExtendedRecord>(*extended.chunks);
    const FoundProofs present = choose(count, seed, *chunks);
    for (const SimdMode mode : kModes) {
      const auto recovered = std::make_unique<Record>();
      FrErasureCoding(mode).recover_record(*chunks, present, *recovered);
      EXPECT_TRUE(*recovered == *extended.source) << count << " present";
    }
  }
}

TEST(FrErasureCodingRecord, ThreadsDoNotDisturbEachOther) {
  const Extended extended(1);
  auto chunks = std::make_unique<ExtendedRecord>(*extended.chunks);
  const FoundProofs present = choose(kNumChunks, 1, *chunks);
  const FrErasureCoding coding;
  std::array<bool, 4> is_right{};
  std::vector<std::jthread> threads;
  threads.reserve(is_right.size());
  for (bool& result : is_right) {
    threads.emplace_back([&] {
      const auto parity = std::make_unique<Record>();
      const auto recovered = std::make_unique<Record>();
      coding.recover_record(*chunks, present, *recovered);
      coding.extend_record(*recovered, *parity);
      result = *recovered == *extended.source && *parity == *extended.parity;
    });
  }
  threads.clear();
  EXPECT_EQ(is_right, (std::array<bool, 4>{true, true, true, true}));
}

TEST(FrErasureCodingRecord, EndsInTheMiddle) {
  const Extended extended(2);
  const auto parity = std::make_unique<Record>();
  for (const SimdMode mode : kModes) {
    int n_asked = 0;
    EXPECT_FALSE(FrErasureCoding(mode).extend_record(*extended.source, *parity, [&] {
      ++n_asked;
      return false;
    }));
    EXPECT_EQ(n_asked, 1);
    EXPECT_TRUE(
        FrErasureCoding(mode).extend_record(*extended.source, *parity, [] { return true; }));
    EXPECT_TRUE(*parity == *extended.parity);
  }
}

TEST(FrErasureCodingErrors, ChunksThatAreNoNumbersOfTheField) {
  const RecordChunk modulus = chunk_of(fr::kModulus);
  RecordChunk above;
  above.bytes.fill(0xFF);
  RecordChunk nineteen_below = above;  // 2^255 - 19
  nineteen_below.bytes[0] = 0x7F;
  nineteen_below.bytes[31] = 0xED;
  const RecordChunk largest = chunk_of(test::plus(fr::kModulus, -1));
  EXPECT_TRUE(is_fr(RecordChunk{}));
  EXPECT_TRUE(is_fr(largest));
  EXPECT_FALSE(is_fr(modulus));
  EXPECT_FALSE(is_fr(nineteen_below));

  Chunks source(64, largest);
  EXPECT_EQ(first_invalid_fr(source), std::nullopt);
  EXPECT_EQ(first_invalid_fr({}), std::nullopt);
  for (const std::size_t place : {63UL, 17UL, 0UL}) {
    source[place] = place == 17 ? above : place == 63 ? modulus : nineteen_below;
    EXPECT_EQ(first_invalid_fr(source), place);
    for (const SimdMode mode : kModes) {
      Chunks parity(64);
      try {
        FrErasureCoding(mode).extend(source, parity);
        ADD_FAILURE() << "chunk " << place << " was accepted";
      } catch (const InvalidFr& error) {
        EXPECT_EQ(error.index(), place);
        EXPECT_EQ(error.kind(), ErrorKind::kCorrupt);
        EXPECT_EQ(error.fields().actual, to_hex(source[place].bytes));
        EXPECT_EQ(parity, Chunks(64)) << "something was computed before";
      }
    }
  }
  try {
    extend(SimdMode::kScalar, {modulus});
    ADD_FAILURE() << "the modulus was accepted";
  } catch (const InvalidFr& error) {
    EXPECT_STREQ(
        error.what(),
        "chunk 0: expected a number below "
        "73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000001 (BLS12-381's scalar "
        "field), actual 73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000001");
  }
}

TEST(FrErasureCodingErrors, PresentChunksOfARecordThatAreNoNumbers) {
  const Extended extended(4);
  auto chunks = std::make_unique<ExtendedRecord>(*extended.chunks);
  const FoundProofs present = choose(kNumChunks, 4, *chunks);
  std::size_t s = kNumSBuckets;
  do {
    --s;
  } while ((present.bytes[s / 8] >> s % 8 & 1) == 0);
  (*chunks)[s].bytes[0] |= 0x80;
  for (const SimdMode mode : kModes) {
    const auto recovered = std::make_unique<Record>();
    try {
      FrErasureCoding(mode).recover_record(*chunks, present, *recovered);
      ADD_FAILURE() << "s-bucket " << s << " was accepted";
    } catch (const InvalidFr& error) {
      EXPECT_EQ(error.index(), s);
    }
  }
}

TEST(FrErasureCodingErrors, NumbersOfShards) {
  const FrErasureCoding coding;
  for (const auto& [n_source, n_parity] : std::vector<std::pair<std::size_t, std::size_t>>{
           {0, 0}, {3, 3}, {4, 8}, {8, 4}, {kNumSBuckets, kNumSBuckets}}) {
    Chunks parity(n_parity);
    EXPECT_THROW(coding.extend(Chunks(n_source), parity), UnsupportedShardCount) << n_source;
  }
  Chunks parity(8);
  EXPECT_THROW(FrErasureCoding(SimdMode::kBest, 8).extend(Chunks(8), parity),
               UnsupportedShardCount);
  for (const auto& [n_shards, n_flags] : std::vector<std::pair<std::size_t, std::size_t>>{
           {0, 0}, {1, 1}, {6, 6}, {8, 4}, {4, 8}, {2 * kNumSBuckets, 2 * kNumSBuckets}}) {
    Chunks shards(n_shards);
    EXPECT_THROW(coding.recover(shards, std::vector<std::uint8_t>(n_flags, 1)),
                 UnsupportedShardCount)
        << n_shards;
  }
  EXPECT_THROW(FrErasureCoding(SimdMode::kBest, 3), InvalidArgument);
  EXPECT_THROW(FrErasureCoding(SimdMode::kBest, 2 * kNumSBuckets), InvalidArgument);
}

TEST(FrErasureCodingErrors, TooFewShards) {
  Chunks shards(8);
  const std::vector<std::uint8_t> is_present = {0, 1, 0, 0, 1, 1, 0, 0};
  for (const SimdMode mode : kModes) {
    try {
      FrErasureCoding(mode).recover(shards, is_present);
      ADD_FAILURE() << "3 of 8 shards were accepted";
    } catch (const NotEnoughShards& error) {
      EXPECT_EQ(error.original_count, 4U);
      EXPECT_EQ(error.original_received_count, 1U);
      EXPECT_EQ(error.recovery_received_count, 2U);
    }
  }
  const Extended extended(5);
  auto chunks = std::make_unique<ExtendedRecord>(*extended.chunks);
  const FoundProofs present = choose(kNumChunks - 1, 5, *chunks);
  const auto recovered = std::make_unique<Record>();
  EXPECT_THROW(FrErasureCoding().recover_record(*chunks, present, *recovered), NotEnoughShards);
}

}  // namespace
}  // namespace furrow
