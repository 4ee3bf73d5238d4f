// SPDX-License-Identifier: Apache-2.0
// From blocks to segments (docs/spec/05-archiving-and-pieces.md, section 4).
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include "furrow/errors.hpp"

#include "host/archive/segment_builder.hpp"
#include "host/archive/segment_item.hpp"

namespace furrow {

/// An object inside a block.
struct BlockObject {
  Hash hash;
  /// Of its first byte in the block.
  std::uint32_t offset = 0;
  bool operator==(const BlockObject&) const = default;
};

/// The same object inside archived history.
struct GlobalObject {
  Hash hash;
  LocalSegmentIndex segment;
  PiecePosition piece_position;
  /// Of its first byte in the record of the piece.
  std::uint32_t offset = 0;
  bool operator==(const GlobalObject&) const = default;
};

/// What adding a block has led to.
struct BlockOutcome {
  std::vector<ArchivedSegment> segments;
  /// All objects of the block: those in `segments`, then those in the segment to come. The places
  /// of the latter are final.
  std::vector<GlobalObject> objects;
};

/// A block is empty or has 2^32 - 1 bytes or more.
class InvalidBlockSize : public InvalidArgument {
 public:
  explicit InvalidBlockSize(std::uint64_t size);
};
/// At a restart the last block is shorter than what was archived of it.
class InvalidBlockSmallSize : public InvalidArgument {
 public:
  InvalidBlockSmallSize(std::uint64_t block_size, std::uint32_t archived);
};
/// At a restart nothing is left of a block that the header calls partly archived.
class InvalidLastArchivedBlock : public InvalidArgument {
 public:
  explicit InvalidLastArchivedBlock(std::uint64_t block_size);
};

/// Turns the blocks of one shard into segments. Holds less than one segment of blocks between
/// calls, and 256 MiB for each segment under way or returned.
///
/// Thread-compatible. A refused block changes nothing; after another exception (out of memory) the
/// archiver must not be used any more.
class Archiver {
 public:
  explicit Archiver(ShardIndex shard, const ComputeOptions& options = {});

  /// Goes on behind the segment with header `last` (section 4.4). `encoded_block` is the whole
  /// block that the header names; it is not looked at when the header calls it complete. Throws
  /// InvalidBlockSmallSize, InvalidLastArchivedBlock.
  static Archiver restart(ShardIndex shard, const SegmentHeader& last,
                          std::vector<std::uint8_t> encoded_block,
                          const ComputeOptions& options = {});

  /// Throws InvalidBlockSize for a size that no block may have.
  static void check_block_size(std::uint64_t size);

  /// Appends a block; gives the segments that became full. Throws InvalidBlockSize, and
  /// InvalidArgument for an object outside of the block.
  BlockOutcome add_block(std::vector<std::uint8_t> block, std::vector<BlockObject> objects = {});

  /// Archives everything given so far: what waits goes into a last segment that ends with zero
  /// padding. Nothing comes back when at most a parent header waits. The archiver can go on
  /// afterwards.
  std::vector<ArchivedSegment> close();

  /// Header of the last segment produced or restarted from.
  [[nodiscard]] const std::optional<SegmentHeader>& last_segment_header() const {
    return last_header_;
  }

 private:
  struct Item {
    SegmentItemKind kind = SegmentItemKind::kBlock;
    /// The block that `length` bytes from `begin` belong to; parts of one block share it.
    std::shared_ptr<const std::vector<std::uint8_t>> block;
    std::size_t begin = 0;
    std::size_t length = 0;
    std::vector<BlockObject> objects;
    SegmentHeader parent_header;

    [[nodiscard]] std::size_t encoded_size() const;
  };
  struct Progress {
    std::uint64_t number = 0;
    std::uint32_t bytes = 0;  // 0: the whole block
  };

  void push_front(Item item);
  void push_back(Item item);
  Item pop_front();
  [[nodiscard]] bool holds_a_full_segment() const;
  [[nodiscard]] bool holds_blocks() const;
  ArchivedSegment produce_segment(std::vector<GlobalObject>& objects);
  void cut_to_room(Item& item, std::size_t room);
  void advance(const Item& item, bool is_cut);
  void map_objects(Item& item, std::size_t item_offset, std::vector<GlobalObject>& objects) const;

  ShardIndex shard_;
  ComputeOptions options_;
  ErasureCoding erasure_;
  std::deque<Item> buffer_;
  std::size_t buffered_size_ = 0;  // encoded size of all items in the buffer
  LocalSegmentIndex next_index_;
  std::optional<SegmentHeader> last_header_;
  std::optional<Progress> last_block_;
};

}  // namespace furrow
