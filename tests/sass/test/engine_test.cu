// SPDX-License-Identifier: Apache-2.0
// The shipped kernels behind the interfaces of the engine that records do not use: hashing of many
// inputs, the layout of a sector. tests/cuda tests them at length.
#include <algorithm>
#include <numeric>
#include <random>

#include <gtest/gtest.h>

#include "cuda/hash_many.hpp"
#include "cuda/kernels/sector_counts.cuh"
#include "cuda/sector_assembly.hpp"
#include "host/crypto/blake3.hpp"
#include "host/sector/contents_map.hpp"
#include "host/sector/sector_writer.hpp"
#include "tests/cuda/cuda_test.hpp"
#include "tests/sass/card/card.hpp"
#include "tests/sass/test/architectures.hpp"
#include "tests/sass/test/barriers.hpp"

namespace furrow::cuda {
namespace {

/// Inputs at `offset` and every `stride` bytes: which kernel hashes them depends on both.
void expect_same_hashes(std::size_t length, std::size_t stride, std::size_t offset,
                        std::uint64_t seed) {
  SCOPED_TRACE(std::to_string(length) + " bytes, stride " + std::to_string(stride));
  constexpr std::size_t kInputs = 3;
  const std::vector<std::uint8_t> bytes = random_bytes(offset + kInputs * stride, seed);
  const Stream stream(0);
  const auto d_bytes = bytes_to_device(stream.view(), bytes);
  const DeviceBuffer<Hash> d_hashes(stream.view(), kInputs);
  const DeviceBuffer<std::uint8_t> d_scratch(stream.view(), hash_scratch_bytes(kInputs, length));
  hash_many(stream.view(),
            {.n_inputs = kInputs,
             .d_inputs = d_bytes.data() + offset,
             .length = length,
             .stride = stride,
             .d_hashes = reinterpret_cast<std::uint8_t*>(d_hashes.data())},
            d_scratch.data());
  const std::vector<Hash> hashes = to_host(stream.view(), d_hashes.data(), kInputs);
  for (std::size_t i = 0; i < kInputs; ++i) {
    EXPECT_EQ(hashes[i], blake3(std::span(bytes).subspan(offset + i * stride, length))) << i;
  }
}

void expect_same_hashes() {
  const RandomSeed seed;
  for (const std::size_t length : {0U, 1U, 64U, 65U, 1023U, 1024U, 1025U, 3072U, 8193U, 70'000U}) {
    const std::size_t padded = (length + 15) / 16 * 16;
    expect_same_hashes(length, padded, 0, seed.value());
    expect_same_hashes(length, padded + 4, 4, seed.value());
    expect_same_hashes(length, length + 1, 3, seed.value());
  }
}

/// A sector of `n` pieces: in host memory, on the device, and both laid out.
class SectorOfPieces {
 public:
  SectorOfPieces(std::size_t n, std::uint64_t seed) : found_(n), records_(n), metadata_(n) {
    std::mt19937_64 random(seed);
    std::vector<std::uint32_t> s_buckets(kNumSBuckets);
    std::iota(s_buckets.begin(), s_buckets.end(), 0U);
    for (std::size_t piece = 0; piece < n; ++piece) {
      std::shuffle(s_buckets.begin(), s_buckets.end(), random);
      // The last one has fewer proofs than chunks.
      const std::size_t n_proofs = piece + 1 == n ? kNumChunks - 100 : kNumChunks;
      for (std::size_t i = 0; i < n_proofs; ++i) {
        std::uint8_t& byte = found_[piece].bytes[s_buckets[i] / 8];
        byte = static_cast<std::uint8_t>(byte | 1U << s_buckets[i] % 8);
      }
      for (std::uint8_t& byte : mutable_bytes_of(records_[piece])) {
        byte = static_cast<std::uint8_t>(random());
      }
      for (std::uint8_t& byte : mutable_bytes_of(metadata_[piece])) {
        byte = static_cast<std::uint8_t>(random());
      }
    }
  }

  std::vector<std::uint8_t> on_card() const {
    const Stream stream(0);
    SectorAssembly assembly(stream.view(), n_pieces());
    const auto d_found = to_device<FoundProofs>(stream.view(), found_);
    const auto d_records = to_device<Record>(stream.view(), records_);
    const auto d_metadata = to_device<RecordMetadata>(stream.view(), metadata_);
    const DeviceBuffer<std::uint8_t> d_sector(stream.view(), sector_size(n_pieces()));
    const DeviceBuffer<std::uint16_t> d_sizes(stream.view(), kNumSBuckets);
    assembly.enqueue({.n_pieces = n_pieces(),
                      .d_found_proofs = d_found.data(),
                      .d_records = d_records.data(),
                      .d_metadata = d_metadata.data(),
                      .d_sector = d_sector.data(),
                      .d_s_bucket_sizes = d_sizes.data()});
    return to_host(stream.view(), d_sector.data(), d_sector.size());
  }

  std::vector<std::uint8_t> on_host() const {
    SectorContentsMap map(n_pieces());
    std::copy(found_.begin(), found_.end(), map.bitmaps().begin());
    std::vector<std::uint8_t> sector(sector_size(n_pieces()));
    assemble_sector(map, records_, metadata_, sector);
    return sector;
  }

 private:
  [[nodiscard]] std::uint16_t n_pieces() const { return static_cast<std::uint16_t>(found_.size()); }

  std::vector<FoundProofs> found_;
  std::vector<Record> records_;
  std::vector<RecordMetadata> metadata_;
};

void expect_same_sector() {
  const RandomSeed seed;
  for (const std::size_t n : {1U, 3U, 33U}) {
    const SectorOfPieces sector(n, seed.value());
    EXPECT_TRUE(sector.on_card() == sector.on_host()) << n << " pieces";
  }
}

template <class Test>
void for_each_architecture(const Test& test) {
  sass::Card& card = sass::Card::instance();
  const unsigned before = card.architecture();
  for (const unsigned architecture : sass::compiled_architectures()) {
    SCOPED_TRACE("compute capability " + std::to_string(architecture));
    card.set_architecture(architecture);
    test();
  }
  card.set_architecture(before);
}

TEST(SassEngine, HashesOnEveryArchitecture) {
  for_each_architecture([] { expect_same_hashes(); });
}

TEST(SassEngine, SectorsOnEveryArchitecture) {
  for_each_architecture([] { expect_same_sector(); });
}

TEST(SassEngine, EveryBarrierOfTheLayoutIsMissed) {
  const RandomSeed seed;
  const SectorOfPieces sector(2, seed.value());
  const auto run = [&] { static_cast<void>(sector.on_card()); };
  sass::expect_every_barrier_is_missed("furrow::cuda::sum_s_buckets<furrow::cuda::SectorShape>",
                                       run);
  // One of its barriers parts the records of a block, which only have company in large sectors.
  constexpr std::uint32_t kRecords = 3;
  const Stream stream(0);
  const auto d_bitmaps = to_device<std::uint32_t>(
      stream.view(), std::vector<std::uint32_t>(kRecords * SectorShape::kColumns, 0x01010101));
  const DeviceBuffer<std::uint16_t> d_before(stream.view(), kRecords * SectorShape::kColumns);
  sass::expect_every_barrier_is_missed(
      "furrow::cuda::count_chunks_before<furrow::cuda::SectorShape>", [&] {
        launch(count_chunks_before<>, {dim3(1), dim3(SectorShape::kThreads)}, stream.view().get(),
               d_bitmaps.data(), kRecords, d_before.data());
      });
}

}  // namespace
}  // namespace furrow::cuda
