// SPDX-License-Identifier: Apache-2.0
// Archiver and BlockReader where no segment has to be built.
#include <cstring>

#include <gtest/gtest.h>

#include "host/archive/archiver.hpp"
#include "host/archive/block_reader.hpp"

namespace furrow {
namespace {

using Bytes = std::vector<std::uint8_t>;

SegmentHeader header_of(std::uint64_t index, std::uint64_t block, std::uint32_t partial_bytes) {
  SegmentHeader header;
  header.index = index;
  header.last_archived_block = {block, partial_bytes};
  return header;
}

TEST(Archiver, RefusesBlocksOfImpossibleSize) {
  EXPECT_THROW(Archiver::check_block_size(0), InvalidBlockSize);
  EXPECT_NO_THROW(Archiver::check_block_size(1));
  EXPECT_NO_THROW(Archiver::check_block_size(0xFFFFFFFE));
  EXPECT_THROW(Archiver::check_block_size(0xFFFFFFFF), InvalidBlockSize);

  Archiver archiver(ShardIndex(0));
  EXPECT_THROW(archiver.add_block({}), InvalidBlockSize);
  EXPECT_TRUE(archiver.close().empty());  // nothing of it was kept
}

TEST(Archiver, RefusesObjectsOutsideOfTheBlock) {
  Archiver archiver(ShardIndex(0));
  EXPECT_THROW(archiver.add_block(Bytes(10), {{Hash{}, 10}}), InvalidArgument);
  EXPECT_TRUE(archiver.close().empty());
  EXPECT_EQ(archiver.add_block(Bytes(10), {{Hash{}, 9}}).objects.at(0).offset, 14U);
}

TEST(Archiver, SixBytesLeftCloseNoSegment) {
  Archiver archiver(ShardIndex(0));
  EXPECT_TRUE(archiver.add_block(Bytes(kSegmentSize - 11)).segments.empty());
}

TEST(Archiver, PlacesObjectsThatWaitForTheNextSegment) {
  Archiver archiver = Archiver::restart(ShardIndex(0), header_of(6, 2, 0), {});
  archiver.add_block(Bytes(kRecordSize));
  const auto objects =
      archiver.add_block(Bytes(kRecordSize), {{Hash{}, 0}, {Hash{}, 1'000'000}}).objects;
  const std::size_t start = 85 + 5 + kRecordSize + 5;
  ASSERT_EQ(objects.size(), 2U);
  EXPECT_EQ(objects[0], (GlobalObject{Hash{}, LocalSegmentIndex(7), PiecePosition(1),
                                      static_cast<std::uint32_t>(start - kRecordSize)}));
  EXPECT_EQ(objects[1],
            (GlobalObject{Hash{}, LocalSegmentIndex(7), PiecePosition(1),
                          static_cast<std::uint32_t>(start - kRecordSize + 1'000'000)}));
}

TEST(Archiver, RestartChecksTheLastBlock) {
  const SegmentHeader partial = header_of(3, 8, 100);
  EXPECT_THROW(Archiver::restart(ShardIndex(0), partial, Bytes(99)), InvalidBlockSmallSize);
  EXPECT_THROW(Archiver::restart(ShardIndex(0), partial, Bytes(100)), InvalidLastArchivedBlock);
  EXPECT_NO_THROW(Archiver::restart(ShardIndex(0), partial, Bytes(101)));
  EXPECT_NO_THROW(Archiver::restart(ShardIndex(0), header_of(3, 8, 0), {}));
}

TEST(Archiver, CloseGivesNothingWhenOnlyAParentHeaderWaits) {
  EXPECT_TRUE(Archiver(ShardIndex(0)).close().empty());
  Archiver archiver = Archiver::restart(ShardIndex(0), header_of(3, 8, 0), {});
  EXPECT_TRUE(archiver.close().empty());
}

/// Lays out a segment by hand.
class SegmentMaker {
 public:
  SegmentMaker& parent(const SegmentHeader& header) {
    return put(encode_parent_header_item(header));
  }
  SegmentMaker& item(SegmentItemKind kind, const Bytes& data) {
    put(encode_item_prefix(kind, static_cast<std::uint32_t>(data.size())));
    return put(data);
  }
  [[nodiscard]] Bytes bytes() const {
    Bytes segment = bytes_;
    segment.resize(kSegmentSize);
    return segment;
  }

 private:
  template <class Range>
  SegmentMaker& put(const Range& range) {
    bytes_.insert(bytes_.end(), range.begin(), range.end());
    return *this;
  }
  Bytes bytes_;
};

using Blocks = std::vector<std::pair<std::uint64_t, Bytes>>;

class BlockReaderTest : public testing::Test {
 protected:
  Blocks blocks;
  BlockReader reader{[this](BlockNumber number, std::span<const std::uint8_t> block) {
    blocks.emplace_back(number.value(), Bytes(block.begin(), block.end()));
  }};
};

TEST_F(BlockReaderTest, JoinsPartsAcrossSegments) {
  using enum SegmentItemKind;
  reader.add_segment(SegmentMaker().item(kBlock, {1}).item(kBlockStart, {2, 3}).bytes());
  EXPECT_EQ(blocks, (Blocks{{0, {1}}}));
  reader.add_segment(
      SegmentMaker().parent(header_of(0, 1, 2)).item(kBlockContinuation, {4}).bytes());
  reader.add_segment(SegmentMaker()
                         .parent(header_of(1, 1, 3))
                         .item(kBlockContinuation, {5})
                         .item(kBlock, {6})
                         .item(kBlock, {7})
                         .bytes());
  EXPECT_EQ(blocks, (Blocks{{0, {1}}, {1, {2, 3, 4, 5}}, {2, {6}}, {3, {7}}}));
}

TEST_F(BlockReaderTest, BlockThatEndsWithItsSegmentHasTheNumberOfTheNextParentHeader) {
  using enum SegmentItemKind;
  reader.add_segment(SegmentMaker().item(kBlockStart, {2, 3}).bytes());
  reader.add_segment(
      SegmentMaker().parent(header_of(0, 0, 2)).item(kBlockContinuation, {4}).bytes());
  EXPECT_TRUE(blocks.empty());
  reader.add_segment(SegmentMaker().parent(header_of(1, 0, 0)).item(kBlock, {5}).bytes());
  EXPECT_EQ(blocks, (Blocks{{0, {2, 3, 4}}, {1, {5}}}));
  // Nothing waits: the complete branch emits nothing.
  reader.add_segment(SegmentMaker().parent(header_of(2, 1, 0)).item(kBlock, {6}).bytes());
  EXPECT_EQ(blocks, (Blocks{{0, {2, 3, 4}}, {1, {5}}, {2, {6}}}));
}

TEST_F(BlockReaderTest, FinishEmitsTheLastBlockIfItIsComplete) {
  using enum SegmentItemKind;
  reader.add_segment(SegmentMaker().item(kBlockStart, {2, 3}).bytes());
  reader.add_segment(
      SegmentMaker().parent(header_of(0, 0, 2)).item(kBlockContinuation, {4}).bytes());
  EXPECT_THROW(reader.finish(header_of(0, 0, 0)), IncorrectSegmentOrder);
  reader.finish(header_of(1, 0, 0));
  EXPECT_EQ(blocks, (Blocks{{0, {2, 3, 4}}}));
}

TEST_F(BlockReaderTest, FinishKeepsAnIncompleteBlockBack) {
  reader.add_segment(SegmentMaker().item(SegmentItemKind::kBlockStart, {2, 3}).bytes());
  reader.finish(header_of(0, 0, 2));
  EXPECT_TRUE(blocks.empty());
}

TEST_F(BlockReaderTest, BeginsAnywhereAndSkipsWhatBeganBefore) {
  using enum SegmentItemKind;
  reader.add_segment(SegmentMaker()
                         .parent(header_of(41, 7, 3))
                         .item(kBlockContinuation, {1, 1})
                         .item(kBlock, {8})
                         .bytes());
  reader.add_segment(SegmentMaker().parent(header_of(42, 8, 0)).item(kBlock, {9}).bytes());
  EXPECT_EQ(blocks, (Blocks{{8, {8}}, {9, {9}}}));
}

TEST_F(BlockReaderTest, RefusesGapsAndRepetitions) {
  using enum SegmentItemKind;
  reader.add_segment(SegmentMaker().item(kBlock, {1}).bytes());
  EXPECT_THROW(reader.add_segment(SegmentMaker().parent(header_of(1, 0, 0)).bytes()),
               IncorrectSegmentOrder);
  BlockReader other([](BlockNumber, std::span<const std::uint8_t>) {});
  const Bytes segment = SegmentMaker().parent(header_of(4, 0, 0)).bytes();
  other.add_segment(segment);
  EXPECT_THROW(other.add_segment(segment), IncorrectSegmentOrder);
}

TEST_F(BlockReaderTest, RefusesOtherLengthsAndDamagedItems) {
  EXPECT_THROW(reader.add_segment(Bytes(kSegmentSize - 1)), InvalidBytesLength);
  EXPECT_THROW(reader.add_segment(Bytes(kSegmentSize + 1)), InvalidBytesLength);
  Bytes segment(kSegmentSize);
  segment.back() = 1;
  EXPECT_THROW(reader.add_segment(segment), MalformedSegment);
}

}  // namespace
}  // namespace furrow
