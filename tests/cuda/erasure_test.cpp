// SPDX-License-Identifier: Apache-2.0
// Erasure extend on the device against the reference and the host's transform
// (docs/spec/04-erasure-coding.md).
#include "cuda/erasure.hpp"

#include <algorithm>
#include <array>
#include <memory>

#include "cuda/kernels/erasure_extend.cuh"
#include "host/base/hex.hpp"
#include "host/crypto/blake3.hpp"
#include "host/crypto/chacha8.hpp"
#include "host/erasure/erasure_coding.hpp"
#include "host/erasure/gf16_tables.hpp"
#include "tests/cuda/cuda_test.hpp"
#include "tests/reference/erasure_reference.hpp"

namespace furrow::cuda {
namespace {

using Bytes = std::vector<std::uint8_t>;

constexpr std::uint8_t kGuard = 0x5A;

/// Parity of records of 2^log_chunks chunks, which lie `gap` bytes apart in both directions; the
/// gaps of the parity must stay as they were.
Bytes extend_on_device(const Bytes& source, unsigned log_chunks, std::size_t gap = 0) {
  const std::size_t n_bytes = kChunkSize << log_chunks;
  const std::size_t stride = n_bytes + gap;
  const std::size_t n_records = source.size() / n_bytes;
  Bytes spread(n_records * stride, kGuard);
  for (std::size_t r = 0; r < n_records; ++r) {
    std::copy_n(source.data() + r * n_bytes, n_bytes, spread.data() + r * stride);
  }
  const Stream stream(0);
  const ErasureTable table(stream);
  const auto d_source = bytes_to_device(stream, spread);
  const auto d_parity = bytes_to_device(stream, Bytes(spread.size(), kGuard));
  extend_records(stream, table,
                 {.n_records = n_records,
                  .d_source = d_source.data(),
                  .d_parity = d_parity.data(),
                  .source_stride = stride,
                  .parity_stride = stride,
                  .log_chunks = log_chunks});
  const Bytes parity = to_host(stream, d_parity.data(), d_parity.size());
  EXPECT_EQ(to_host(stream, d_source.data(), d_source.size()), spread);
  Bytes result;
  for (std::size_t r = 0; r < n_records; ++r) {
    const auto begin = parity.begin() + static_cast<std::ptrdiff_t>(r * stride);
    const auto end = begin + static_cast<std::ptrdiff_t>(n_bytes);
    result.insert(result.end(), begin, end);
    EXPECT_TRUE(std::all_of(end, end + static_cast<std::ptrdiff_t>(gap),
                            [](std::uint8_t byte) { return byte == kGuard; }));
  }
  return result;
}

Bytes extend_on_host(const Bytes& source, unsigned log_chunks) {
  const std::size_t n_chunks = std::size_t{1} << log_chunks;
  Bytes parity(source.size());
  for (std::size_t first = 0; first < source.size(); first += n_chunks * kChunkSize) {
    std::vector<std::span<const std::uint8_t>> sources(n_chunks);
    std::vector<std::span<std::uint8_t>> parities(n_chunks);
    for (std::size_t i = 0; i < n_chunks; ++i) {
      sources[i] = std::span(source).subspan(first + i * kChunkSize, kChunkSize);
      parities[i] = std::span(parity).subspan(first + i * kChunkSize, kChunkSize);
    }
    ErasureCoding().extend(sources, parities);
  }
  return parity;
}

std::vector<reference::ErasureShard> shards_of(std::span<const std::uint8_t> record) {
  std::vector<reference::ErasureShard> shards;
  for (std::size_t at = 0; at < record.size(); at += kChunkSize) {
    const auto chunk = record.subspan(at, kChunkSize);
    shards.emplace_back(chunk.begin(), chunk.end());
  }
  return shards;
}

Bytes extend_by_reference(const Bytes& source) {
  const std::vector<reference::ErasureShard> shards = shards_of(source);
  Bytes parity;
  for (const reference::ErasureShard& shard : reference::erasure_extend(shards, shards.size())) {
    parity.insert(parity.end(), shard.begin(), shard.end());
  }
  return parity;
}

// The code is linear over bits and its columns are independent, so the 512 inputs with one bit set,
// sixteen to a record, decide every output for 32 chunks.
TEST(CudaErasure, EveryBitOf32ChunksAgreesWithTheReference) {
  constexpr unsigned kLogChunks = 5;
  constexpr std::size_t kBytes = kChunkSize << kLogChunks;
  Bytes source(32 * kBytes);
  for (std::size_t point = 0; point < 32; ++point) {
    for (std::size_t bit = 0; bit < 16; ++bit) {
      const std::size_t place = point * kBytes + point * kChunkSize + (bit / 8) * 16 + bit;
      source[place] = static_cast<std::uint8_t>(1U << bit % 8);
    }
  }
  Bytes expected;
  for (auto record = source.begin(); record != source.end(); record += kBytes) {
    const Bytes parity = extend_by_reference(Bytes(record, record + kBytes));
    expected.insert(expected.end(), parity.begin(), parity.end());
  }
  for_each_schedule([&] { EXPECT_EQ(extend_on_device(source, kLogChunks), expected); });
}

TEST(CudaErasure, RandomRecordsOf32And1024ChunksAgreeWithTheHost) {
  const RandomSeed seed;
  for (const unsigned log_chunks : {5U, 10U}) {
    for (const std::size_t n_records : {1U, 2U, 5U}) {
      const Bytes source = random_bytes((n_records * kChunkSize) << log_chunks, seed.value());
      const Bytes expected = extend_on_host(source, log_chunks);
      for_each_schedule([&] { EXPECT_EQ(extend_on_device(source, log_chunks, 36), expected); });
    }
  }
}

TEST(CudaErasure, WholeRecordsAgreeWithTheHost) {
  const RandomSeed seed;
  constexpr std::size_t kRecords = 3;
  const Bytes source = random_bytes(kRecords * kRecordSize, seed.value());
  EXPECT_TRUE(extend_on_device(source, 15, 32) == extend_on_host(source, 15));
}

// The reference takes its time, so it is asked for the first, the last and some other chunks.
TEST(CudaErasure, ChunksOfLargeRecordsAgreeWithTheReference) {
  const RandomSeed seed;
  std::mt19937_64 random(seed.value());
  for (const unsigned log_chunks : {10U, 15U}) {
    const std::size_t n_chunks = std::size_t{1} << log_chunks;
    const Bytes source = random_bytes(kChunkSize << log_chunks, seed.value() + log_chunks);
    const Bytes parity = extend_on_device(source, log_chunks);
    const std::vector<reference::ErasureShard> shards = shards_of(source);
    std::vector<std::size_t> numbers = {0, n_chunks / 2, n_chunks - 1};
    for (int i = 0; i < 8; ++i) {
      numbers.push_back(random() % n_chunks);
    }
    for (const std::size_t j : numbers) {
      const auto chunk = std::span(parity).subspan(j * kChunkSize, kChunkSize);
      EXPECT_EQ(Bytes(chunk.begin(), chunk.end()), reference::erasure_parity_shard(shards, j))
          << "chunk " << j << " of " << n_chunks;
    }
  }
}

// docs/spec/04-erasure-coding.md, section 9.
TEST(CudaErasure, KnownAnswerOfTheSpecification) {
  Bytes source(kRecordSize);
  chacha8_keystream(std::array<std::uint8_t, 32>{}, source);
  const Bytes parity = extend_on_device(source, 15);
  EXPECT_EQ(to_hex(blake3(parity).bytes),
            "175ae86e497ed20cde2b9ac1a73537893dca0bc152fe69831b19c32211b6897d");
  EXPECT_EQ(to_hex(std::span(parity).first(kChunkSize)),
            "bc99ce7f08a8f5992a71611de42984d799d4373dfefdbedfba4faec59a1256a4");
}

// Records and groups of points beyond the grid are reached by striding.
TEST(CudaErasure, SmallGridsReachEverything) {
  const RandomSeed seed;
  constexpr std::size_t kRecords = 5;
  constexpr std::size_t kBytes = kChunkSize << 10;
  const Bytes source = random_bytes(kRecords * kBytes, seed.value());
  const Bytes expected = extend_on_host(source, 10);
  const Stream stream(0);
  const ErasureTable table(stream);
  const auto d_source = bytes_to_device(stream, source);
  const auto d_parity = bytes_to_device(stream, Bytes(source.size(), kGuard));
  ErasurePassView view{.in = reinterpret_cast<const std::uint32_t*>(d_source.data()),
                       .out = reinterpret_cast<std::uint32_t*>(d_parity.data()),
                       .in_stride = kBytes / 4,
                       .out_stride = kBytes / 4,
                       .n_records = kRecords,
                       .n_points = 1024,
                       .first_point = 1024,
                       .products = reinterpret_cast<const FactorProducts*>(table.data())};
  for (const LaunchShape& shape :
       {LaunchShape{.grid = dim3(1, 2), .block = dim3(32)},
        LaunchShape{.grid = dim3(3, 1), .block = dim3(64)},
        LaunchShape{.grid = dim3(7, 9), .block = dim3(ErasureShape::kThreads)}}) {
    for_each_schedule([&] {
      ErasurePassView pass = view;
      const auto run = [&](auto kernel) {
        launch(kernel, shape, stream.view().get(), pass);
        pass.in = pass.out;
      };
      run(erasure_pass<ErasurePass::kToCoefficients, 0>);
      run(erasure_pass<ErasurePass::kBoth, 5>);
      run(erasure_pass<ErasurePass::kToValues, 0>);
      EXPECT_EQ(to_host(stream.view(), d_parity.data(), d_parity.size()), expected);
    });
  }
}

TEST(CudaErasure, TableHoldsAllProductsOfEvenFactors) {
  const Stream stream(0);
  const ErasureTable table(stream);
  const auto words =
      to_host(stream.view(), table.data(), ErasureTable::kDeviceBytes / sizeof(std::uint32_t));
  const Gf16Tables& gf16 = gf16_tables();
  using core::gf16::Element;
  for (std::size_t w = 0; w < core::gf16::kOrder; w += 2) {
    for (std::size_t k = 0; k < 8; ++k) {
      const auto product = [&](std::size_t bit) {
        return std::uint32_t{
            gf16.multiply(static_cast<Element>(w), static_cast<Element>(1U << bit))};
      };
      ASSERT_EQ(words[4 * w + k], product(k) | product(k + 8) << 16) << "factor " << w;
    }
  }
}

__global__ void signs_of_bytes(const std::uint32_t* values, std::uint32_t* signs) {
  signs[2 * threadIdx.x] = byte_signs<0>(values[threadIdx.x]);
  signs[2 * threadIdx.x + 1] = byte_signs<1>(values[threadIdx.x]);
}

TEST(CudaErasure, SignsOfBytes) {
  const Stream stream(0);
  std::vector<std::uint32_t> values;
  std::vector<std::uint32_t> expected;
  for (std::uint32_t signs = 0; signs < 16; ++signs) {
    std::uint32_t mask[4];
    std::uint32_t value = signs % 2 == 0 ? 0 : 0x7F7F7F7FU;
    for (unsigned byte = 0; byte < 4; ++byte) {
      const bool is_set = (signs >> byte & 1) != 0;
      value |= is_set ? 0x80U << (8 * byte) : 0;
      mask[byte] = is_set ? 0xFFFFU : 0;
    }
    values.push_back(value);
    expected.push_back(mask[0] | mask[1] << 16);
    expected.push_back(mask[2] | mask[3] << 16);
  }
  const auto d_values = to_device<std::uint32_t>(stream, values);
  const DeviceBuffer<std::uint32_t> d_signs(stream, expected.size());
  launch(signs_of_bytes, {.grid = dim3(1), .block = dim3(16)}, stream.view().get(), d_values.data(),
         d_signs.data());
  EXPECT_EQ(to_host(stream.view(), d_signs.data(), d_signs.size()), expected);
}

TEST(CudaErasure, RefusesWhatBreaksTheRules) {
  const Stream stream(0);
  const ErasureTable table(stream);
  const auto d_bytes = bytes_to_device(stream, Bytes(4096, kGuard));
  const ErasureBatch good{.n_records = 1,
                          .d_source = d_bytes.data(),
                          .d_parity = d_bytes.data() + 2048,
                          .source_stride = 1024,
                          .parity_stride = 1024,
                          .log_chunks = 5};
  const auto refuses = [&](auto change) {
    ErasureBatch batch = good;
    change(batch);
    EXPECT_THROW(extend_records(stream, table, batch), InvalidArgument);
  };
  refuses([](ErasureBatch& b) { b.log_chunks = 6; });
  refuses(
      [](ErasureBatch& b) { b.log_chunks = 64 + 5; });  // was shifted by before it was looked at
  refuses([](ErasureBatch& b) { b.source_stride = 1020; });
  refuses([](ErasureBatch& b) { b.parity_stride = 1020; });
  refuses([](ErasureBatch& b) { b.parity_stride = 1025; });
  refuses([](ErasureBatch& b) { b.source_stride = 1026; });
  refuses([](ErasureBatch& b) { b.d_source += 1; });
  refuses([](ErasureBatch& b) { b.d_parity += 2; });
  refuses([](ErasureBatch& b) { b.n_records = std::size_t{1} << 32; });
  EXPECT_EQ(to_host(stream.view(), d_bytes.data(), d_bytes.size()), Bytes(4096, kGuard));

  ErasureBatch empty = good;
  empty.n_records = 0;
  extend_records(stream, table, empty);
  EXPECT_EQ(to_host(stream.view(), d_bytes.data(), d_bytes.size()), Bytes(4096, kGuard));
}

}  // namespace
}  // namespace furrow::cuda
