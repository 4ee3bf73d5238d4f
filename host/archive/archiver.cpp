// SPDX-License-Identifier: Apache-2.0
#include "host/archive/archiver.hpp"

#include <algorithm>
#include <limits>
#include <string>
#include <utility>

namespace furrow {

InvalidBlockSize::InvalidBlockSize(std::uint64_t size)
    : InvalidArgument("block: expected 1 to " +
                      std::to_string(std::numeric_limits<std::uint32_t>::max() - 1) +
                      " bytes, actual " + std::to_string(size)) {}

InvalidBlockSmallSize::InvalidBlockSmallSize(std::uint64_t block_size, std::uint32_t archived)
    : InvalidArgument("last archived block: " + std::to_string(archived) +
                      " bytes of it are archived, but it has only " + std::to_string(block_size)) {}

InvalidLastArchivedBlock::InvalidLastArchivedBlock(std::uint64_t block_size)
    : InvalidArgument("last archived block: all of its " + std::to_string(block_size) +
                      " bytes are archived, but the segment header calls it incomplete") {}

std::size_t Archiver::Item::encoded_size() const {
  return kind == SegmentItemKind::kParentSegmentHeader ? kParentHeaderItemSize
                                                       : kItemPrefixSize + length;
}

Archiver::Archiver(ShardIndex shard, const ComputeOptions& options)
    : shard_(shard), options_(options), erasure_(options.simd_mode) {}

Archiver Archiver::restart(ShardIndex shard, const SegmentHeader& last,
                           std::vector<std::uint8_t> encoded_block, const ComputeOptions& options) {
  Archiver archiver(shard, options);
  const std::uint32_t archived = last.last_archived_block.partial_bytes.value();
  archiver.next_index_ = LocalSegmentIndex(last.index.value() + 1);
  archiver.last_header_ = last;
  archiver.last_block_ = Progress{last.last_archived_block.number.value(), archived};
  Item parent;
  parent.kind = SegmentItemKind::kParentSegmentHeader;
  parent.parent_header = last;
  archiver.push_back(std::move(parent));
  if (archived > 0) {
    const std::size_t size = encoded_block.size();
    if (size < archived) {
      throw InvalidBlockSmallSize(size, archived);
    }
    if (size == archived) {
      throw InvalidLastArchivedBlock(size);
    }
    Item rest;
    rest.kind = SegmentItemKind::kBlockContinuation;
    rest.block = std::make_shared<const std::vector<std::uint8_t>>(std::move(encoded_block));
    rest.begin = archived;
    rest.length = size - archived;
    archiver.push_back(std::move(rest));
  }
  return archiver;
}

void Archiver::check_block_size(std::uint64_t size) {
  if (size == 0 || size >= std::numeric_limits<std::uint32_t>::max()) {
    throw InvalidBlockSize(size);
  }
}

BlockOutcome Archiver::add_block(std::vector<std::uint8_t> block,
                                 std::vector<BlockObject> objects) {
  const std::size_t size = block.size();
  check_block_size(size);
  for (const BlockObject& object : objects) {
    if (object.offset >= size) {
      throw InvalidArgument("object in a block of " + std::to_string(size) +
                            " bytes: its offset is " + std::to_string(object.offset));
    }
  }
  Item item;
  item.block = std::make_shared<const std::vector<std::uint8_t>>(std::move(block));
  item.length = size;
  item.objects = std::move(objects);
  push_back(std::move(item));

  BlockOutcome outcome;
  while (holds_a_full_segment()) {
    outcome.segments.push_back(produce_segment(outcome.objects));
  }
  // Only this block can have objects that were not returned yet, and what waits of it is the last
  // item.
  if (!buffer_.empty()) {
    Item& last = buffer_.back();
    map_objects(last, buffered_size_ - last.encoded_size(), outcome.objects);
  }
  return outcome;
}

std::vector<ArchivedSegment> Archiver::close() {
  std::vector<ArchivedSegment> segments;
  std::vector<GlobalObject> objects;  // all were returned with their blocks
  while (holds_blocks()) {
    segments.push_back(produce_segment(objects));
  }
  return segments;
}

void Archiver::push_front(Item item) {
  buffered_size_ += item.encoded_size();
  buffer_.push_front(std::move(item));
}

void Archiver::push_back(Item item) {
  buffered_size_ += item.encoded_size();
  buffer_.push_back(std::move(item));
}

Archiver::Item Archiver::pop_front() {
  Item item = std::move(buffer_.front());
  buffer_.pop_front();
  buffered_size_ -= item.encoded_size();
  return item;
}

// The rule of section 4.3 takes items until less than kLeastItemRoom is left and gives up when none
// are left before that. Sizes only add up, so their sum tells beforehand, without moving the items.
bool Archiver::holds_a_full_segment() const {
  return buffered_size_ > kSegmentSize - kLeastItemRoom;
}

bool Archiver::holds_blocks() const {
  return std::any_of(buffer_.begin(), buffer_.end(), [](const Item& item) {
    return item.kind != SegmentItemKind::kParentSegmentHeader;
  });
}

ArchivedSegment Archiver::produce_segment(std::vector<GlobalObject>& objects) {
  ArchivedSegment segment;
  SourceRecordsWriter out(segment.pieces);
  while (out.room() >= kLeastItemRoom && !buffer_.empty()) {
    Item item = pop_front();
    const bool is_cut = item.encoded_size() > out.room();
    if (is_cut) {
      cut_to_room(item, out.room());
    }
    advance(item, is_cut);
    map_objects(item, out.size(), objects);
    if (item.kind == SegmentItemKind::kParentSegmentHeader) {
      out.put(encode_parent_header_item(item.parent_header));
    } else {
      out.put(encode_item_prefix(item.kind, static_cast<std::uint32_t>(item.length)));
      out.put(std::span(*item.block).subspan(item.begin, item.length));
    }
  }

  SegmentHeader& header = segment.header;
  header.index = next_index_.value();
  header.root = build_segment(segment.pieces, shard_, next_index_, erasure_, options_);
  header.prev_segment_header_hash = last_header_ ? last_header_->hash() : Hash{};
  header.last_archived_block = {last_block_->number, last_block_->bytes};

  next_index_ = LocalSegmentIndex(next_index_.value() + 1);
  last_header_ = header;
  Item parent;
  parent.kind = SegmentItemKind::kParentSegmentHeader;
  parent.parent_header = header;
  push_front(std::move(parent));
  return segment;
}

/// Shortens an item that does not fit and puts its rest in front of the buffer.
void Archiver::cut_to_room(Item& item, std::size_t room) {
  const std::size_t split = room - kItemPrefixSize;
  Item rest;
  rest.kind = SegmentItemKind::kBlockContinuation;
  rest.block = item.block;
  rest.begin = item.begin + split;
  rest.length = item.length - split;
  const auto first_of_rest =
      std::stable_partition(item.objects.begin(), item.objects.end(),
                            [&](const BlockObject& object) { return object.offset < split; });
  for (auto object = first_of_rest; object != item.objects.end(); ++object) {
    rest.objects.push_back({object->hash, object->offset - static_cast<std::uint32_t>(split)});
  }
  item.objects.erase(first_of_rest, item.objects.end());
  push_front(std::move(rest));

  item.length = split;
  if (item.kind == SegmentItemKind::kBlock) {
    item.kind = SegmentItemKind::kBlockStart;
  }
}

/// Notes in last_block_ how far history reaches with `item`.
void Archiver::advance(const Item& item, bool is_cut) {
  switch (item.kind) {
    case SegmentItemKind::kBlock:
    case SegmentItemKind::kBlockStart:
      last_block_ = Progress{last_block_ ? last_block_->number + 1 : 0, 0};
      break;
    case SegmentItemKind::kBlockContinuation:
      break;
    default:
      return;
  }
  // The part that ends in this segment reaches to its own end within the block, whichever part it
  // is.
  last_block_->bytes = is_cut ? static_cast<std::uint32_t>(item.begin + item.length) : 0;
}

/// Moves the objects of an item that starts at `item_offset` of the next segment to `objects`.
void Archiver::map_objects(Item& item, std::size_t item_offset,
                           std::vector<GlobalObject>& objects) const {
  for (const BlockObject& object : item.objects) {
    const std::size_t position = item_offset + kItemPrefixSize + object.offset;
    objects.push_back({object.hash, next_index_,
                       PiecePosition(static_cast<std::uint8_t>(position / kRecordSize)),
                       static_cast<std::uint32_t>(position % kRecordSize)});
  }
  item.objects.clear();
}

}  // namespace furrow
