// SPDX-License-Identifier: Apache-2.0
// A sector that goes up in parts and comes down whole, against the host's layout.

#include "cuda/device_sector.hpp"

#include <algorithm>
#include <memory>
#include <random>
#include <string>

#include <gtest/gtest.h>

#include "furrow/core/sector_layout.hpp"

#include "cuda/runtime/staged_copy.hpp"
#include "cuda/runtime/staging_memory.hpp"
#include "host/sector/sector_writer.hpp"
#include "tests/cuda/cuda_test.hpp"

namespace furrow::cuda {
namespace {

/// Exactly 32768 random bits.
FoundProofs random_bitmap(std::mt19937_64& random) {
  std::vector<std::uint16_t> s_buckets(kNumSBuckets);
  for (std::size_t s = 0; s < s_buckets.size(); ++s) {
    s_buckets[s] = static_cast<std::uint16_t>(s);
  }
  std::shuffle(s_buckets.begin(), s_buckets.end(), random);
  FoundProofs bitmap;
  for (std::size_t i = 0; i < kNumChunks; ++i) {
    bitmap.bytes[s_buckets[i] / 8] |= static_cast<std::uint8_t>(1U << (s_buckets[i] % 8));
  }
  return bitmap;
}

TEST(CudaDeviceSector, IsTheHosts) {
  const RandomSeed seed;
  std::mt19937_64 random(seed.value());
  constexpr std::uint16_t kPieces = 3;
  SectorContentsMap map(kPieces);
  const auto records = std::make_unique<Record[]>(kPieces);
  std::vector<RecordMetadata> metadata(kPieces);
  for (std::uint16_t i = 0; i < kPieces; ++i) {
    map.bitmaps()[i] = random_bitmap(random);
    for (RecordChunk& chunk : records[i]) {
      chunk.bytes[i] = static_cast<std::uint8_t>(random());
      chunk.bytes[31] = static_cast<std::uint8_t>(random());
    }
    for (std::uint8_t& byte : mutable_bytes_of(metadata[i])) {
      byte = static_cast<std::uint8_t>(random());
    }
  }
  const std::span<const Record> all_records(records.get(), kPieces);
  std::vector<std::uint8_t> expected(sector_size(kPieces));
  assemble_sector(map, all_records, metadata, expected);

  const Stream stream(0);
  std::vector<std::uint8_t> actual(sector_size(kPieces));
  const StagingMemory staging(std::size_t{1} << 20);
  const SectorContents contents{map.bitmaps(), all_records, metadata};
  EXPECT_GT(lay_out_sector(stream, contents, actual, staging.bytes()), 0.0);
  EXPECT_TRUE(expected == actual);

  std::vector<std::uint8_t> too_small(sector_size(kPieces) - 1);
  EXPECT_THROW(lay_out_sector(stream, contents, too_small, staging.bytes()), InvalidArgument);
  EXPECT_THROW(lay_out_sector(stream, {map.bitmaps(), all_records.first(2), metadata}, actual,
                              staging.bytes()),
               InvalidArgument);
  EXPECT_THROW(lay_out_sector(stream, contents, actual, staging.bytes().first(1)), InvalidArgument);
}

void bring_back_what_was_taken() {
  const RandomSeed seed;
  constexpr std::size_t kSlot = 64;
  const Stream stream(0);
  const DeviceBuffer<std::uint8_t> d_bytes(stream, 10 * kSlot);
  const StagingMemory staging(2 * kSlot + 1);
  StagedCopy copy(stream, staging.bytes());
  for (const std::size_t n : {0U, 1U, 63U, 64U, 65U, 127U, 128U, 129U, 192U, 193U, 640U}) {
    SCOPED_TRACE(n);
    const std::vector<std::uint8_t> bytes = random_bytes(n, seed.value() + n);
    std::vector<std::uint8_t> given = bytes;
    std::vector<std::uint8_t> back(n);
    copy.to_device(d_bytes.data(), given.data(), n);
    std::fill(given.begin(), given.end(), std::uint8_t{0});  // it is the caller's again
    copy.to_host(back.data(), d_bytes.data(), n);
    EXPECT_EQ(bytes, back);
  }
}

TEST(CudaStagedCopy, BringsBackWhatItTookAtEveryLengthAroundItsSlots) {
#if defined(__CUDACC__)
  bring_back_what_was_taken();
#else
  for (std::uint64_t order = 8; order > 0; --order) {
    SCOPED_TRACE("FURROW_SIMT_STREAMS=late:" + std::to_string(order));
    simt::FakeCuda::set_stream_order(order);
    bring_back_what_was_taken();
  }
#endif
}

}  // namespace
}  // namespace furrow::cuda
