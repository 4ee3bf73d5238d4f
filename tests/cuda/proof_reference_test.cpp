// SPDX-License-Identifier: Apache-2.0
// The proof-of-space kernels against the reference, which shares no code with them: every table,
// which s-buckets have proofs, the proofs, their hashes and the chunks that are masked with these.

#include <algorithm>
#include <array>
#include <stdexcept>

#include <gtest/gtest.h>

#include "cuda/kernels/encode_chunks.cuh"
#include "tests/cuda/device_tables.hpp"
#include "tests/cuda/reference_dump.hpp"

namespace furrow::cuda {
namespace {

constexpr std::uint32_t kWordsOfHash = 8;

/// Leaves and hash of each of `n_proofs` proofs, one warp at a time, as encode_chunks makes them.
template <unsigned K>
__global__ void walk_and_hash(ProofTablesBatch<K> batch, const std::uint16_t* used,
                              std::uint32_t n_proofs, std::uint32_t* xs, std::uint32_t* hashes) {
  const ProofTablesRef<K> tables = batch.record(0);
  const std::uint32_t lane = threadIdx.x % 32;
  const std::uint32_t n_warps = gridDim.x * blockDim.x / 32;
  for (std::uint32_t proof = (blockIdx.x * blockDim.x + threadIdx.x) / 32; proof < n_proofs;
       proof += n_warps) {
    std::uint32_t* const leaves = xs + proof * core::pos::kProofEntries;
    if (lane < EncodeChunksShape::kLanes) {
      const uint128 entry = walk_proof<K>(tables, tables.targets()[used[proof]], lane);
      for (std::uint32_t i = 0; i < EncodeChunksShape::kLeaves; ++i) {
        leaves[EncodeChunksShape::kLeaves * lane + i] = leaf_of<K>(entry, i);
      }
    }
    __syncwarp();  // all leaves are there before they are hashed
    if (lane == 0) {
      hash_proof<K>([&](std::uint32_t i) { return leaves[i]; }, hashes + kWordsOfHash * proof);
    }
  }
}

/// The leaves of a proof as one string of bits, the highest bit of each leaf first.
std::vector<std::uint8_t> proof_bytes(unsigned k, std::span<const std::uint32_t> leaves) {
  std::vector<std::uint8_t> bytes(leaves.size() * k / 8);
  for (std::size_t bit = 0; bit < 8 * bytes.size(); ++bit) {
    const std::uint32_t value = leaves[bit / k] >> (k - 1 - bit % k) & 1U;
    bytes[bit / 8] = static_cast<std::uint8_t>(bytes[bit / 8] | value << (7 - bit % 8));
  }
  return bytes;
}

using HashBytes = std::array<std::uint8_t, 32>;
static_assert(sizeof(HashBytes) == kWordsOfHash * sizeof(std::uint32_t));

template <unsigned K>
void expect_proofs(const DeviceTables<K>& device, const reference::PosProofs& expected) {
  const StreamView stream = device.stream();
  const auto n = static_cast<std::uint32_t>(expected.proofs.size());
  ASSERT_EQ(to_host(stream, device.used(), n), expected.s_buckets);
  const DeviceBuffer<std::uint32_t> d_leaves(stream, n * core::pos::kProofEntries);
  const DeviceBuffer<HashBytes> d_hashes(stream, n);
  launch(walk_and_hash<K>, {dim3(16), dim3(128)}, stream.get(), device.batch(), device.used(), n,
         d_leaves.data(), reinterpret_cast<std::uint32_t*>(d_hashes.data()));
  const auto leaves = to_host(stream, d_leaves.data(), d_leaves.size());
  for (std::size_t i = 0; i < n; ++i) {
    const auto mine = std::span(leaves).subspan(i * core::pos::kProofEntries);
    ASSERT_EQ(proof_bytes(K, mine.first(core::pos::kProofEntries)), expected.proofs[i]) << i;
  }
  EXPECT_TRUE(to_host(stream, d_hashes.data(), n) == expected.proof_hashes);
}

/// Chunks that are encoded with the hashes of a record's proofs; a record with too few of them is
/// left alone. `pattern` is what the chunks hold.
template <unsigned K>
void expect_encoded_chunks(const DeviceTables<K>& device, const reference::PosProofs& expected,
                           std::uint64_t pattern) {
  const StreamView stream = device.stream();
  const std::vector<std::uint8_t> source = random_bytes(kRecordSize, pattern);
  const std::vector<std::uint8_t> parity = random_bytes(kRecordSize, pattern + 1);
  const auto d_source = bytes_to_device(stream, source);
  const auto d_parity = bytes_to_device(stream, parity);
  std::vector<std::uint8_t> wanted(kRecordSize, 0x5A);
  const auto d_encoded = bytes_to_device(stream, wanted);
  launch(encode_chunks<K>,
         {dim3(kNumChunks / EncodeChunksShape::kProofs), dim3(EncodeChunksShape::kThreads)},
         stream.get(), device.batch(), device.used(), device.d_status(),
         reinterpret_cast<const uint4*>(d_source.data()),
         reinterpret_cast<const uint4*>(d_parity.data()),
         reinterpret_cast<uint4*>(d_encoded.data()));
  for (std::size_t i = 0; expected.proofs.size() == kNumChunks && i < kNumChunks; ++i) {
    const std::size_t s = expected.s_buckets[i];
    const std::uint8_t* const chunk =
        s < kNumChunks ? &source[32 * s] : &parity[32 * (s - kNumChunks)];
    for (std::size_t b = 0; b < 32; ++b) {
      wanted[32 * i + b] = static_cast<std::uint8_t>(chunk[b] ^ expected.proof_hashes[i][b]);
    }
  }
  EXPECT_TRUE(to_host(stream, d_encoded.data(), kRecordSize) == wanted);
}

template <unsigned K>
void compare_with_reference(const PosSeed& seed, const reference::PosProofs& expected) {
  DeviceTables<K> device(1);
  device.set_seeds({seed});
  TableReader<K> reader;
  device.make([&](unsigned table) {
    if (table < core::pos::kNumTables) {
      expect_same(dump_of(expected.tables.at(table - 1), table > 1),
                  reader.read(table, device.copy(0)), table);
    }
  });
  device.choose();
  EXPECT_TRUE(std::ranges::equal(device.found(0).bytes, expected.found_proofs));
  ASSERT_EQ(device.status(0).n_proofs, expected.proofs.size());
  EXPECT_EQ(device.status(0).n_overflows, 0U);
  expect_proofs(device, expected);
  expect_encoded_chunks(device, expected, seed.bytes[0]);
}

template <unsigned K>
void compare_random_seed() {
  const RandomSeed first;
  const PosSeed seed = random_seeds(1, first.value()).front();
  compare_with_reference<K>(seed, reference::pos_proofs(K, seed.bytes));
}

/// The first of random seeds with which a record can be encoded.
PosSeed seed_with_all_proofs(unsigned k, std::uint64_t first) {
  const auto table = make_proof_table(Network::kAbundance, k);
  for (const PosSeed& seed : random_seeds(100, first)) {
    table->generate(seed);
    if (table->num_proofs() == kNumChunks) {
      return seed;
    }
  }
  throw std::runtime_error("none of 100 seeds has 32768 proofs");
}

TEST(CudaProofReference, K15) {
  compare_random_seed<15>();
}
// About half of the seeds have all 32768 proofs.
TEST(CudaProofReference, K16) {
  compare_random_seed<16>();
}
// Nearly all have them.
TEST(CudaProofReference, K17) {
  compare_random_seed<17>();
}

TEST(CudaProofReference, EverySchedule) {
  const RandomSeed first;
  const PosSeed seed = seed_with_all_proofs(16, first.value());
  const reference::PosProofs expected = reference::pos_proofs(16, seed.bytes);
  ASSERT_EQ(expected.proofs.size(), kNumChunks);
  for_each_schedule([&] { compare_with_reference<16>(seed, expected); });
}

TEST(CudaProofReference, SeedsOfOneByteValue) {
  for (const std::uint8_t value : {std::uint8_t{0x00}, std::uint8_t{0xFF}}) {
    PosSeed seed;
    seed.bytes.fill(value);
    compare_with_reference<15>(seed, reference::pos_proofs(15, seed.bytes));
  }
}

}  // namespace
}  // namespace furrow::cuda
