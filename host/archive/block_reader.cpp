// SPDX-License-Identifier: Apache-2.0
#include "host/archive/block_reader.hpp"

#include <string>
#include <utility>

#include "host/archive/segment_item.hpp"

namespace furrow {

IncorrectSegmentOrder::IncorrectSegmentOrder(std::uint64_t expected_parent,
                                             std::uint64_t actual_parent)
    : Error(
          ErrorKind::kMismatch,
          "incorrect segment order: expected a segment with parent " +
              std::to_string(expected_parent) + ", actual parent " + std::to_string(actual_parent),
          {.expected = std::to_string(expected_parent), .actual = std::to_string(actual_parent)}) {}

void BlockReader::add_segment(std::span<const std::uint8_t> segment) {
  if (segment.size() != kSegmentSize) {
    throw InvalidBytesLength("segment", kSegmentSize, segment.size());
  }
  next_ = 0;
  SegmentItemReader items(segment);
  while (const std::optional<SegmentItem> item = items.next()) {
    switch (item->kind) {
      case SegmentItemKind::kPadding:
        break;
      case SegmentItemKind::kBlock:
        emit_partial();
        emit(item->data);
        break;
      case SegmentItemKind::kBlockStart:
        emit_partial();
        partial_.assign(item->data.begin(), item->data.end());
        break;
      case SegmentItemKind::kBlockContinuation:
        if (!partial_.empty()) {
          partial_.insert(partial_.end(), item->data.begin(), item->data.end());
        }
        break;
      case SegmentItemKind::kParentSegmentHeader:
        begin_segment(item->parent_header);
        break;
    }
  }
  if (!last_segment_index_) {
    last_segment_index_ = 0;
  }
}

void BlockReader::finish(const SegmentHeader& last_segment) {
  if (last_segment_index_ && *last_segment_index_ != last_segment.index.value()) {
    throw IncorrectSegmentOrder(*last_segment_index_, last_segment.index.value());
  }
  if (last_segment.last_archived_block.partial_bytes.value() == 0) {
    next_ = last_segment.last_archived_block.number.value();
    emit_partial();
  }
  partial_.clear();
}

void BlockReader::begin_segment(const SegmentHeader& parent) {
  if (last_segment_index_ && *last_segment_index_ != parent.index.value()) {
    throw IncorrectSegmentOrder(*last_segment_index_, parent.index.value());
  }
  last_segment_index_ = parent.index.value() + 1;
  next_ = parent.last_archived_block.number.value();
  if (parent.last_archived_block.partial_bytes.value() == 0) {
    // The block under way, if its beginning is known, ended with the parent segment.
    emit_partial();
    next_ = parent.last_archived_block.number.value() + 1;
  } else if (partial_.empty()) {
    ++next_;  // its continuation, which follows, is skipped
  }
}

void BlockReader::emit(std::span<const std::uint8_t> block) {
  sink_(BlockNumber(next_), block);
  ++next_;
}

void BlockReader::emit_partial() {
  if (!partial_.empty()) {
    const std::vector<std::uint8_t> block = std::exchange(partial_, {});
    emit(block);
  }
}

}  // namespace furrow
