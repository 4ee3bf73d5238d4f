// SPDX-License-Identifier: Apache-2.0
// What the sample of a sector sees, and what it does not.
#include "host/sector/sector_check.hpp"

#include <numeric>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include "furrow/errors.hpp"

#include "host/sector/contents_map.hpp"
#include "host/sector/sector_layout.hpp"
#include "host/sector/sector_writer.hpp"

namespace furrow {
namespace {

class SectorCheck : public testing::Test {
 protected:
  static constexpr std::uint16_t kPieces = 3;

  SectorCheck() : map_(kPieces), records_(kPieces), metadata_(kPieces) {
    std::mt19937_64 random(seed_);
    for (std::size_t p = 0; p < kPieces; ++p) {
      std::vector<std::uint16_t> order(kNumSBuckets);
      std::iota(order.begin(), order.end(), std::uint16_t{0});
      std::shuffle(order.begin(), order.end(), random);
      for (std::size_t i = 0; i < kNumChunks; ++i) {
        map_.bitmaps()[p].bytes[order[i] / 8] |= static_cast<std::uint8_t>(1U << (order[i] % 8));
      }
      for (RecordChunk& chunk : records_[p]) {
        chunk.bytes[random() % kChunkSize] = static_cast<std::uint8_t>(random());
      }
      for (std::uint8_t& byte : mutable_bytes_of(metadata_[p])) {
        byte = static_cast<std::uint8_t>(random());
      }
    }
    sector_.resize(sector_size(kPieces));
    assemble_sector(map_, records_, metadata_, sector_);
  }

  [[nodiscard]] bool agrees(const std::vector<SBucket>& sample) const {
    return sector_agrees({map_.bitmaps(), records_, metadata_}, sector_, sample);
  }
  /// Whether a change of one byte at `offset` goes unseen.
  bool agrees_with_wrong_byte(std::size_t offset, const std::vector<SBucket>& sample) {
    sector_[offset] ^= 1;
    const bool result = agrees(sample);
    sector_[offset] ^= 1;
    return result;
  }
  /// Where the chunks of an s-bucket begin in the sector.
  [[nodiscard]] std::size_t offset_of(SBucket s_bucket) const {
    const std::vector<std::uint16_t> sizes = map_.s_bucket_sizes();
    return record_chunks_offset(kPieces) +
           kChunkSize *
               std::accumulate(sizes.begin(), sizes.begin() + s_bucket.value(), std::size_t{0});
  }

  unsigned seed_ = std::random_device{}();
  testing::ScopedTrace trace_{__FILE__, __LINE__, "seed " + std::to_string(seed_)};
  SectorContentsMap map_;
  std::vector<Record> records_;
  std::vector<RecordMetadata> metadata_;
  std::vector<std::uint8_t> sector_;
};

TEST_F(SectorCheck, AgreesWithWhatTheWriterWrote) {
  std::vector<SBucket> all;
  for (std::size_t s = 0; s < kNumSBuckets; ++s) {
    all.emplace_back(static_cast<std::uint16_t>(s));
  }
  EXPECT_TRUE(agrees(all));
}

TEST_F(SectorCheck, SeesEachRegion) {
  EXPECT_FALSE(agrees_with_wrong_byte(0, {}));
  EXPECT_FALSE(agrees_with_wrong_byte(contents_map_size(kPieces) - kHashSize - 1, {}));
  EXPECT_FALSE(agrees_with_wrong_byte(contents_map_size(kPieces) - 1, {}));
  EXPECT_FALSE(agrees_with_wrong_byte(record_metadata_offset(kPieces), {}));
  EXPECT_FALSE(agrees_with_wrong_byte(sector_checksum_offset(kPieces) - 1, {}));
  sector_.pop_back();
  EXPECT_FALSE(agrees({}));
}

TEST_F(SectorCheck, ARecordCannotUseMoreSBucketsThanItHasChunks) {
  for (std::size_t bit = 0; count_s_buckets(map_.bitmaps()[1]) <= kNumChunks; ++bit) {
    map_.bitmaps()[1].bytes[bit / 8] |= static_cast<std::uint8_t>(1U << (bit % 8));
  }
  EXPECT_THROW(assemble_sector(map_, records_, metadata_, sector_), InvalidArgument);
  EXPECT_FALSE(agrees({}));
}

TEST_F(SectorCheck, SeesTheSBucketsOfTheSampleAndNoOthers) {
  constexpr std::uint16_t kSample[] = {0, 1, 63, 64, 65, 32768, 65534, 65535};
  for (const std::uint16_t s : kSample) {
    const std::vector<std::uint16_t> sizes = map_.s_bucket_sizes();
    if (sizes[s] == 0) {
      continue;
    }
    SCOPED_TRACE(s);
    const std::size_t last_byte = offset_of(SBucket(s)) + kChunkSize * sizes[s] - 1;
    EXPECT_FALSE(agrees_with_wrong_byte(last_byte, {SBucket(s)}));
    EXPECT_TRUE(agrees_with_wrong_byte(last_byte, {SBucket(static_cast<std::uint16_t>(s ^ 7))}));
  }
}

}  // namespace
}  // namespace furrow
