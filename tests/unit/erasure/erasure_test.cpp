// SPDX-License-Identifier: Apache-2.0
// Known answers of docs/spec/04-erasure-coding.md, section 9, and docs/spec/05, section 5.3, and
// the functions for records.
#include <algorithm>
#include <array>
#include <memory>
#include <numeric>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>
#include <sodium.h>

#include "host/base/hex.hpp"
#include "host/crypto/blake3.hpp"
#include "host/crypto/chacha8.hpp"
#include "host/erasure/erasure_coding.hpp"
#include "tools/vectors/golden_stream.hpp"

namespace furrow {
namespace {

using Shards = std::vector<std::vector<std::uint8_t>>;

constexpr SimdMode kModes[] = {SimdMode::kScalar, SimdMode::kBest};

Shards extend(SimdMode mode, const Shards& source, std::size_t n_parity) {
  Shards parity(n_parity, std::vector<std::uint8_t>(source.at(0).size()));
  const std::vector<std::span<const std::uint8_t>> in(source.begin(), source.end());
  const std::vector<std::span<std::uint8_t>> out(parity.begin(), parity.end());
  ErasureCoding(mode).extend(in, out);
  return parity;
}

/// One symbol, 2 bytes.
std::vector<std::uint8_t> symbol(unsigned value) {
  return {static_cast<std::uint8_t>(value & 0xFF), static_cast<std::uint8_t>(value >> 8)};
}

/// Bytes first, first + 1, ... modulo 256.
std::vector<std::uint8_t> counting(std::size_t first, std::size_t n_bytes) {
  std::vector<std::uint8_t> bytes(n_bytes);
  std::iota(bytes.begin(), bytes.end(), static_cast<std::uint8_t>(first));
  return bytes;
}

TEST(ErasureCoding, WorkedExampleOfFourShards) {
  for (const SimdMode mode : kModes) {
    const Shards source = {symbol(0x1234), symbol(0xABCD), symbol(0x0001), symbol(0xFFFF)};
    EXPECT_EQ(extend(mode, source, 4),
              (Shards{symbol(0x8CC4), symbol(0x8E63), symbol(0x041A), symbol(0x40BA)}));
  }
}

TEST(ErasureCoding, WorkedExampleOfRecovery) {
  for (const SimdMode mode : kModes) {
    const Shards known = {symbol(0x8CC4), symbol(0x041A), symbol(0xABCD), symbol(0xFFFF)};
    Shards wanted(4, symbol(0));
    const RecoveryShard source[] = {
        RecoveryShard::wanted(wanted[0]), RecoveryShard::present(known[2]),
        RecoveryShard::wanted(wanted[1]), RecoveryShard::present(known[3])};
    const RecoveryShard parity[] = {
        RecoveryShard::present(known[0]), RecoveryShard::wanted(wanted[2]),
        RecoveryShard::present(known[1]), RecoveryShard::wanted(wanted[3])};
    ErasureCoding(mode).recover(source, parity);
    EXPECT_EQ(wanted, (Shards{symbol(0x1234), symbol(0x0001), symbol(0x8E63), symbol(0x40BA)}));
  }
}

TEST(ErasureCoding, SymbolVectorsOfTheSpecification) {
  for (const SimdMode mode : kModes) {
    EXPECT_EQ(extend(mode, {symbol(1), symbol(2), symbol(3), symbol(4)}, 4),
              (Shards{symbol(8), symbol(0), symbol(3), symbol(0xF)}));
    Shards source;
    for (unsigned value = 1; value <= 128; ++value) {
      source.push_back(symbol(value));
    }
    const Shards parity = extend(mode, source, 128);
    const Shards first(parity.begin(), parity.begin() + 4);
    EXPECT_EQ(first, (Shards{symbol(0x71), symbol(0x1B), symbol(0x17), symbol(0xB8)}));
    EXPECT_EQ(parity[126], symbol(0x2E));
    EXPECT_EQ(parity[127], symbol(0x67));
  }
}

TEST(ErasureCoding, ByteVectorsOfTheSpecification) {
  for (const SimdMode mode : kModes) {
    const Shards half_block = extend(mode, {counting(0, 32), counting(0x20, 32)}, 2);
    EXPECT_EQ(to_hex(half_block[0]),
              "c3c2c1c0c7c6c5c4cbcac9c8cfcecdcc29282b2a2d2c2f2e2120232225242726");
    EXPECT_EQ(to_hex(half_block[1]),
              "e3e2e1e0e7e6e5e4ebeae9e8efeeedec09080b0a0d0c0f0e0100030205040706");
    const Shards block = extend(mode, {counting(0, 64), counting(0x40, 64)}, 2);
    EXPECT_EQ(to_hex(std::span(block[0]).first(16)), "47464544434241404f4e4d4c4b4a4948");
    EXPECT_EQ(to_hex(std::span(block[0]).subspan(32, 16)), "93929190979695949b9a99989f9e9d9c");
    Shards source;
    for (std::size_t i = 0; i < 128; ++i) {
      source.push_back(counting(i, 32));
    }
    const Shards parity = extend(mode, source, 128);
    EXPECT_EQ(to_hex(parity[0]),
              "a1cf29ff3ea367cdb607cc18e11609c5bcb4cabbc91999d598c90ece24b071a7");
    EXPECT_EQ(to_hex(parity[127]),
              "5462b4238802ae538842d4c1bf6d8567e9f0f689642a7b6ede2832e57413e42b");
  }
}

TEST(ErasureCoding, UnitVectorsOfTheSpecification) {
  for (const SimdMode mode : kModes) {
    Shards small(128, symbol(0));
    small[0] = symbol(1);
    Shards parity = extend(mode, small, 128);
    EXPECT_EQ(Shards(parity.begin(), parity.begin() + 4),
              (Shards{symbol(0x23), symbol(0xF7), symbol(0x4E), symbol(0x63)}));
    EXPECT_EQ(parity[127], symbol(0x3D));

    Shards large(kNumChunks, symbol(0));
    large[0] = symbol(1);
    parity = extend(mode, large, kNumChunks);
    EXPECT_EQ(Shards(parity.begin(), parity.begin() + 4),
              (Shards{symbol(0x0BF2), symbol(0xA026), symbol(0x71EF), symbol(0xC0E1)}));
    EXPECT_EQ(parity[kNumChunks - 1], symbol(0x0D5C));
  }
}

struct PublishedCase {
  std::size_t k, m;
  std::uint8_t seed;
  std::size_t shard_bytes;
  const char* sha256;
};

constexpr PublishedCase kPublished[] = {
    {1, 1, 111, 1024, "17e3108283196d04f027f01c23577076a1db3c4caeed6269995733ffef6d3398"},
    {3, 2, 132, 1024, "afd47751b63fb0a62671e0e4a124a8ba51eb6d4b55f79c3dd54a60c28583634f"},
    {5, 2, 152, 1024, "5387208d6756e3e79558a9b9ddebe0439eb3b08eec2393d4acafce6fc5332683"},
    {5, 3, 153, 1024, "6f53d5175900d70b4821d1d0c947d0c47a802add0d620bfa72d57dd983dfc156"},
    {2, 8, 128, 1024, "1212dc3e1f8e8743996c303a05a0401d03c72b67dfefc1aaaa2cc07c31f47710"},
    {34000, 2000, 123, 8, "8bd33dbe0189b5bffcb843fd93fd8c85daada2533cc7df0c352773e846b701f5"},
    {60000, 3000, 12, 64, "88e68e1d86a0fc168a549e195845d20b49ff85734db20d560c36ff2e14f78676"},
    {3000, 30000, 14, 64, "2d7d97fd92be0721b4fcfac8814fe0dd9ad07959eb40558c6ed9af09943fed4e"},
    {32768, 32768, 11, 64, "432025ead0e3f432f74e30500076a8c2b5554f5dfb7767b62fc3a8126eef7389"},
};

std::string sha256(const Shards& shards) {
  crypto_hash_sha256_state state;
  crypto_hash_sha256_init(&state);
  for (const auto& shard : shards) {
    crypto_hash_sha256_update(&state, shard.data(), shard.size());
  }
  std::array<std::uint8_t, crypto_hash_sha256_BYTES> digest{};
  crypto_hash_sha256_final(&state, digest.data());
  return to_hex(digest);
}

TEST(ErasureCoding, PublishedKnownAnswers) {
  for (const PublishedCase& known : kPublished) {
    std::array<std::uint8_t, 32> key{};
    key.fill(known.seed);
    std::vector<std::uint8_t> keystream(known.k * known.shard_bytes);
    chacha8_keystream(key, keystream);
    Shards source;
    for (std::size_t i = 0; i < known.k; ++i) {
      const auto shard = std::span(keystream).subspan(i * known.shard_bytes, known.shard_bytes);
      source.emplace_back(shard.begin(), shard.end());
    }
    for (const SimdMode mode : kModes) {
      EXPECT_EQ(sha256(extend(mode, source, known.m)), known.sha256)
          << known.k << " + " << known.m << ", " << simd_target_name(mode);
    }
  }
}

// Records.

std::unique_ptr<Record> zero_key_record() {
  auto record = std::make_unique<Record>();
  chacha8_keystream(std::array<std::uint8_t, 32>{}, mutable_bytes_of(*record));
  return record;
}

TEST(ErasureCodingRecord, ParityOfTheZeroKeyRecord) {
  const auto source = zero_key_record();
  for (const SimdMode mode : kModes) {
    const auto parity = std::make_unique<Record>();
    ErasureCoding(mode).extend_record(*source, *parity);
    EXPECT_EQ(to_hex(blake3(bytes_of(*parity)).bytes),
              "175ae86e497ed20cde2b9ac1a73537893dca0bc152fe69831b19c32211b6897d");
    EXPECT_EQ(to_hex((*parity)[0].bytes),
              "bc99ce7f08a8f5992a71611de42984d799d4373dfefdbedfba4faec59a1256a4");
    EXPECT_EQ(to_hex((*parity)[kNumChunks - 1].bytes),
              "450de6f43b648133c014b60cddd8f819f1a37e5ae284ade90ea81b6c95fc1d70");
  }
}

TEST(ErasureCodingRecord, ExtendsLikeTheGeneralFunction) {
  auto source = std::make_unique<Record>();
  const std::vector<std::uint8_t> bytes = vectors::stream(7, kRecordSize);
  std::ranges::copy(bytes, mutable_bytes_of(*source).begin());
  std::vector<std::span<const std::uint8_t>> in;
  std::vector<std::span<std::uint8_t>> out;
  const auto general = std::make_unique<Record>();
  for (std::size_t i = 0; i < kNumChunks; ++i) {
    in.emplace_back((*source)[i].bytes);
    out.emplace_back((*general)[i].bytes);
  }
  const auto parity = std::make_unique<Record>();
  for (const SimdMode mode : kModes) {
    ErasureCoding(mode).extend(in, out);
    ErasureCoding(mode).extend_record(*source, *parity);
    EXPECT_TRUE(*parity == *general) << simd_target_name(mode);
  }
}

/// A record with its parity, in s-bucket order.
struct Extended {
  std::unique_ptr<Record> source = zero_key_record();
  std::unique_ptr<ExtendedRecord> chunks = std::make_unique<ExtendedRecord>();

  Extended() {
    const auto parity = std::make_unique<Record>();
    ErasureCoding().extend_record(*source, *parity);
    std::ranges::copy(*source, chunks->begin());
    std::ranges::copy(*parity, chunks->begin() + kNumChunks);
  }
};

void set_bit(FoundProofs& bits, std::size_t s_bucket) {
  bits.bytes[s_bucket / 8] =
      static_cast<std::uint8_t>(bits.bytes[s_bucket / 8] | 1 << s_bucket % 8);
}

/// The s-buckets first .. last - 1.
FoundProofs range(std::size_t first, std::size_t last) {
  FoundProofs bits;
  for (std::size_t s_bucket = first; s_bucket < last; ++s_bucket) {
    set_bit(bits, s_bucket);
  }
  return bits;
}

FoundProofs random_buckets(std::size_t count, std::mt19937& random) {
  std::vector<std::size_t> s_buckets(kNumSBuckets);
  std::iota(s_buckets.begin(), s_buckets.end(), std::size_t{0});
  std::ranges::shuffle(s_buckets, random);
  FoundProofs bits;
  for (std::size_t i = 0; i < count; ++i) {
    set_bit(bits, s_buckets[i]);
  }
  return bits;
}

/// Recovers with everything that is not present overwritten.
void expect_recovery(const Extended& extended, const FoundProofs& present) {
  auto chunks = std::make_unique<ExtendedRecord>(*extended.chunks);
  for (std::size_t s_bucket = 0; s_bucket < kNumSBuckets; ++s_bucket) {
    if ((present.bytes[s_bucket / 8] >> s_bucket % 8 & 1) == 0) {
      (*chunks)[s_bucket].bytes.fill(0xA5);
    }
  }
  for (const SimdMode mode : kModes) {
    const auto recovered = std::make_unique<Record>();
    ErasureCoding(mode).recover_record(*chunks, present, *recovered);
    EXPECT_TRUE(*recovered == *extended.source) << simd_target_name(mode);
  }
}

TEST(ErasureCodingRecord, RecoversFromAnyHalf) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  const Extended extended;
  expect_recovery(extended, range(0, kNumChunks));
  expect_recovery(extended, range(kNumChunks, kNumSBuckets));
  expect_recovery(extended, range(kNumChunks / 2, kNumSBuckets - kNumChunks / 2));
  expect_recovery(extended, range(1, kNumChunks + 1));
  expect_recovery(extended, random_buckets(kNumChunks, random));
}

TEST(ErasureCodingRecord, RecoversFromMoreThanHalf) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  const Extended extended;
  expect_recovery(extended, range(0, kNumSBuckets));
  expect_recovery(extended, range(1, kNumSBuckets));
  expect_recovery(extended, random_buckets(kNumChunks + 1, random));
  expect_recovery(extended, random_buckets(50'000, random));
}

TEST(ErasureCodingRecord, ThreadsDoNotDisturbEachOther) {
  const Extended extended;
  const FoundProofs present = range(kNumChunks / 2, kNumSBuckets - kNumChunks / 2);
  const ErasureCoding coding;
  std::array<bool, 4> is_right{};
  std::vector<std::jthread> threads;
  threads.reserve(is_right.size());
  for (bool& result : is_right) {
    threads.emplace_back([&] {
      const auto recovered = std::make_unique<Record>();
      coding.recover_record(*extended.chunks, present, *recovered);
      result = *recovered == *extended.source;
    });
  }
  threads.clear();
  EXPECT_EQ(is_right, (std::array<bool, 4>{true, true, true, true}));
}

TEST(ErasureCodingRecord, RefusesLessThanHalf) {
  const Extended extended;
  const auto recovered = std::make_unique<Record>();
  for (const SimdMode mode : kModes) {
    try {
      ErasureCoding(mode).recover_record(*extended.chunks, range(100, kNumChunks + 99), *recovered);
      ADD_FAILURE() << "32767 chunks were accepted";
    } catch (const NotEnoughShards& error) {
      EXPECT_EQ(error.original_count, kNumChunks);
      EXPECT_EQ(error.original_received_count, kNumChunks - 100);
      EXPECT_EQ(error.recovery_received_count, 99U);
      EXPECT_EQ(error.kind(), ErrorKind::kUnavailable);
      EXPECT_STREQ(error.what(),
                   "erasure code: not enough shards, expected at least 32768, actual 32668 source "
                   "and 99 parity");
    }
  }
}

}  // namespace
}  // namespace furrow
