// SPDX-License-Identifier: Apache-2.0
// Batched BLAKE3 on the device against the host's (docs/spec/01-primitives.md, section 5).
#include "cuda/hash_many.hpp"

#include <algorithm>

#include <sys/mman.h>

#include "furrow/errors.hpp"

#include "cuda/kernels/hash_parents.cuh"
#include "host/crypto/blake3.hpp"
#include "tests/cuda/cuda_test.hpp"
#include "tests/reference/blake3_reference.hpp"

namespace furrow::cuda {
namespace {

using Bytes = std::vector<std::uint8_t>;

constexpr std::uint8_t kGuard = 0x5A;

struct Shape {
  std::size_t n_inputs;
  std::size_t length;
  std::size_t stride;
  std::size_t offset = 0;  // of the first input from an aligned address
};

std::string text(const Shape& shape) {
  return std::to_string(shape.n_inputs) + " inputs of " + std::to_string(shape.length) +
         " bytes, stride " + std::to_string(shape.stride) + ", offset " +
         std::to_string(shape.offset);
}

/// Bytes with a period coprime to every tile, so that swapped blocks show; exactly as many as the
/// inputs need, so that a sanitizer sees any read beyond.
Bytes inputs_for(const Shape& shape, std::uint64_t seed) {
  Bytes bytes(shape.offset + (shape.n_inputs - 1) * shape.stride + shape.length);
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    bytes[i] = static_cast<std::uint8_t>((i + seed) % 251 + i / 65521);
  }
  return bytes;
}

std::vector<Hash> hashes_on_device(const Bytes& inputs, const Shape& shape, const Hash* key) {
  const Stream stream(0);
  const auto d_inputs = bytes_to_device(stream, inputs);
  const auto d_hashes = bytes_to_device(stream, Bytes((shape.n_inputs + 1) * kHashSize, kGuard));
  const DeviceBuffer<std::uint8_t> d_scratch(stream,
                                             hash_scratch_bytes(shape.n_inputs, shape.length));
  const HashBatch batch{.n_inputs = shape.n_inputs,
                        .d_inputs = d_inputs.data() + shape.offset,
                        .length = shape.length,
                        .stride = shape.stride,
                        .d_hashes = d_hashes.data()};
  if (key == nullptr) {
    hash_many(stream, batch, d_scratch.data());
  } else {
    hash_many_keyed(stream, *key, batch, d_scratch.data());
  }
  auto hashes =
      to_host(stream.view(), reinterpret_cast<const Hash*>(d_hashes.data()), shape.n_inputs + 1);
  EXPECT_TRUE(std::all_of(hashes.back().begin(), hashes.back().end(),
                          [](std::uint8_t byte) { return byte == kGuard; }));
  hashes.pop_back();
  return hashes;
}

std::vector<Hash> hashes_on_host(const Bytes& inputs, const Shape& shape, const Hash* key) {
  std::vector<Hash> hashes(shape.n_inputs);
  for (std::size_t i = 0; i < shape.n_inputs; ++i) {
    const auto input = std::span(inputs).subspan(shape.offset + i * shape.stride, shape.length);
    hashes[i] = key == nullptr ? blake3(input) : blake3_keyed(*key, input);
  }
  return hashes;
}

void expect_same(const Shape& shape, std::uint64_t seed) {
  SCOPED_TRACE(text(shape));
  const Bytes inputs = inputs_for(shape, seed);
  Hash key;
  std::copy_n(random_bytes(kHashSize, seed).begin(), kHashSize, key.begin());
  for (const Hash* const used :
       {static_cast<const Hash*>(nullptr), static_cast<const Hash*>(&key)}) {
    EXPECT_EQ(hashes_on_device(inputs, shape, used), hashes_on_host(inputs, shape, used));
  }
}

constexpr std::size_t kLengths[] = {0,    1,    3,    4,    63,   64,   65,   127,  128,
                                    129,  160,  1023, 1024, 1025, 2047, 2048, 2049, 3071,
                                    3072, 3073, 4096, 4097, 5119, 5120, 7168, 8192, 8193};

TEST(CudaHashMany, EveryKindOfLengthAlignedAndNot) {
  const RandomSeed seed;
  for (const std::size_t length : kLengths) {
    const std::size_t padded = (length + 15) / 16 * 16;
    expect_same({.n_inputs = 3, .length = length, .stride = padded}, seed.value());
    expect_same({.n_inputs = 3, .length = length, .stride = padded + 4, .offset = 4}, seed.value());
    expect_same({.n_inputs = 3, .length = length, .stride = length + 1, .offset = 3}, seed.value());
  }
}

TEST(CudaHashMany, EveryKindOfLengthAgreesWithTheReference) {
  const RandomSeed seed;
  Hash key;
  std::copy_n(random_bytes(kHashSize, seed.value()).begin(), kHashSize, key.begin());
  for (const std::size_t length : kLengths) {
    const Shape shape{.n_inputs = 3, .length = length, .stride = length + 5};
    SCOPED_TRACE(text(shape));
    const Bytes inputs = random_bytes(2 * shape.stride + length, seed.value() + length);
    const std::vector<Hash> hashes = hashes_on_device(inputs, shape, nullptr);
    const std::vector<Hash> keyed = hashes_on_device(inputs, shape, &key);
    for (std::size_t i = 0; i < shape.n_inputs; ++i) {
      const auto input = std::span(inputs).subspan(i * shape.stride, length);
      const Bytes message(input.begin(), input.end());
      EXPECT_EQ(hashes[i].bytes, reference::blake3(message)) << i;
      EXPECT_EQ(keyed[i].bytes, reference::blake3_keyed(key.bytes, message)) << i;
    }
  }
}

TEST(CudaHashMany, NumbersOfInputsAroundWarpsAndBlocks) {
  const RandomSeed seed;
  for (const std::size_t n_inputs : {1U, 2U, 31U, 32U, 33U, 127U, 128U, 129U, 300U}) {
    for (const std::size_t length : {64U, 160U, 1025U}) {
      expect_same({.n_inputs = n_inputs, .length = length, .stride = length}, seed.value());
    }
  }
}

TEST(CudaHashMany, TreesAroundWarpsBlocksAndPowersOfTwo) {
  const RandomSeed seed;
  for (const std::size_t n_chunks :
       {15U, 16U, 17U, 31U, 32U, 33U, 100U, 127U, 128U, 129U, 255U, 257U}) {
    for (const std::size_t less : {0U, 1U, 1023U}) {
      const std::size_t length = n_chunks * 1024 - less;
      expect_same({.n_inputs = 2, .length = length, .stride = length}, seed.value());
    }
  }
}

TEST(CudaHashMany, EverySchedule) {
  const RandomSeed seed;
  for_each_schedule([&] {
    expect_same({.n_inputs = 33, .length = 7 * 1024 + 5, .stride = 7 * 1024 + 8}, seed.value());
    expect_same({.n_inputs = 1, .length = 200'000, .stride = 0}, seed.value());
  });
}

TEST(CudaHashMany, InputsMayOverlapAndTheirAddressOnlyMattersWhenThereAreSeveral) {
  const RandomSeed seed;
  expect_same({.n_inputs = 100, .length = 2000, .stride = 1}, seed.value());
  expect_same({.n_inputs = 4, .length = 100, .stride = 0, .offset = 16}, seed.value());
  expect_same({.n_inputs = 1, .length = 5000, .stride = 7, .offset = 16}, seed.value());
}

// A whole piece: 1025 chunks, aligned to 8 bytes.
TEST(CudaHashMany, Pieces) {
  const RandomSeed seed;
  expect_same({.n_inputs = 2, .length = kPieceSize, .stride = kPieceSize}, seed.value());
}

TEST(CudaHashMany, SmallGridsReachEverything) {
  const RandomSeed seed;
  const Shape shape{.n_inputs = 3, .length = 150'000, .stride = 150'000};
  const Bytes inputs = inputs_for(shape, seed.value());
  const std::vector<Hash> expected = hashes_on_host(inputs, shape, nullptr);
  const Stream stream(0);
  const auto d_inputs = bytes_to_device(stream, inputs);
  const DeviceBuffer<std::uint32_t> d_values(stream, hash_scratch_bytes(3, shape.length) / 4);
  const DeviceBuffer<std::uint32_t> d_hashes(stream, 3 * 8);
  HashMode mode{};
  std::copy_n(core::blake3::kIv, 8, mode.key);
  const HashChunksView chunks{.inputs = d_inputs.data(),
                              .n_inputs = 3,
                              .length = shape.length,
                              .stride = shape.stride,
                              .n_chunks = 147,
                              .out = d_values.data(),
                              .mode = mode};
  for_each_schedule([&] {
    launch(hash_chunks<std::uint32_t>, {.grid = dim3(2), .block = dim3(33)}, stream.view().get(),
           chunks);
    for (unsigned level = 0; level < 8; ++level) {
      launch(hash_parents<>, {.grid = dim3(3), .block = dim3(7)}, stream.view().get(),
             HashParentsView{.values = d_values.data(),
                             .n_inputs = 3,
                             .n_chunks = 147,
                             .level = level,
                             .hashes = d_hashes.data(),
                             .mode = mode});
    }
    EXPECT_EQ(to_host(stream.view(), reinterpret_cast<const Hash*>(d_hashes.data()), 3), expected);
  });
}

#if !defined(__CUDACC__)
// Memory that is never touched costs nothing on the harness.
TEST(CudaHashMany, InputsFurtherApartThan32BitsReach) {
  constexpr std::uint64_t kStride = (std::uint64_t{3} << 30) + 16;
  constexpr std::size_t kInputs = 4;
  constexpr std::size_t kLength = 2000;
  constexpr std::size_t kSpace = (kInputs - 1) * kStride + 4096;
  void* const space = mmap(nullptr, kSpace, PROT_READ | PROT_WRITE,
                           MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  ASSERT_NE(space, MAP_FAILED);
  auto* const inputs = static_cast<std::uint8_t*>(space);
  std::vector<Hash> expected(kInputs);
  for (std::size_t i = 0; i < kInputs; ++i) {
    const Bytes input = random_bytes(kLength, i);
    std::copy(input.begin(), input.end(), inputs + i * kStride);
    expected[i] = blake3(input);
  }
  const Stream stream(0);
  const DeviceBuffer<Hash> d_hashes(stream, kInputs);
  const DeviceBuffer<std::uint8_t> d_scratch(stream, hash_scratch_bytes(kInputs, kLength));
  hash_many(stream,
            {.n_inputs = kInputs,
             .d_inputs = inputs,
             .length = kLength,
             .stride = kStride,
             .d_hashes = d_hashes.data()->data()},
            d_scratch.data());
  EXPECT_EQ(to_host(stream.view(), d_hashes.data(), kInputs), expected);
  munmap(space, kSpace);
}
#endif

TEST(CudaHashMany, ScratchSizes) {
  EXPECT_EQ(hash_scratch_bytes(1000, 1024), 0U);
  EXPECT_EQ(hash_scratch_bytes(1000, 0), 0U);
  EXPECT_EQ(hash_scratch_bytes(3, 1025), 3U * 2 * 32);
  // A sector of 65535 pieces.
  EXPECT_EQ(hash_scratch_bytes(1, 69'321'874'472), 67'697'144ULL * 32);
  EXPECT_THROW(static_cast<void>(hash_scratch_bytes(std::size_t{1} << 40, std::size_t{1} << 40)),
               InvalidArgument);
}

TEST(CudaHashMany, RefusesWrongAlignments) {
  const Stream stream(0);
  const auto d_bytes = bytes_to_device(stream, Bytes(8192, kGuard));
  const HashBatch good{.n_inputs = 1,
                       .d_inputs = d_bytes.data(),
                       .length = 2048,
                       .stride = 0,
                       .d_hashes = d_bytes.data() + 4096};
  HashBatch batch = good;
  batch.d_hashes += 2;
  EXPECT_THROW(hash_many(stream, batch, d_bytes.data() + 6000), InvalidArgument);
  EXPECT_THROW(hash_many(stream, good, d_bytes.data() + 6001), InvalidArgument);
  batch = good;
  batch.n_inputs = 0;
  hash_many(stream, batch, d_bytes.data() + 6016);
  EXPECT_EQ(to_host(stream.view(), d_bytes.data(), 8192), Bytes(8192, kGuard));
}

}  // namespace
}  // namespace furrow::cuda
