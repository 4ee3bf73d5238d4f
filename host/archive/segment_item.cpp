// SPDX-License-Identifier: Apache-2.0
#include "host/archive/segment_item.hpp"

#include <algorithm>
#include <cstring>
#include <string>

namespace furrow {

std::array<std::uint8_t, kItemPrefixSize> encode_item_prefix(SegmentItemKind kind,
                                                             std::uint32_t length) {
  const LittleEndian<std::uint32_t> encoded_length = length;
  std::array<std::uint8_t, kItemPrefixSize> prefix;
  prefix[0] = static_cast<std::uint8_t>(kind);
  std::memcpy(prefix.data() + 1, &encoded_length, sizeof encoded_length);
  return prefix;
}

std::array<std::uint8_t, kParentHeaderItemSize> encode_parent_header_item(
    const SegmentHeader& header) {
  std::array<std::uint8_t, kParentHeaderItemSize> item;
  item[0] = static_cast<std::uint8_t>(SegmentItemKind::kParentSegmentHeader);
  std::memcpy(item.data() + 1, &header, sizeof header);
  return item;
}

MalformedSegment::MalformedSegment(std::size_t offset, const std::string& reason)
    : MalformedData("segment item at byte " + std::to_string(offset) + ": " + reason),
      offset_(offset) {}

std::optional<SegmentItem> SegmentItemReader::next() {
  if (position_ == segment_.size()) {
    return std::nullopt;
  }
  const auto kind = static_cast<SegmentItemKind>(segment_[position_]);
  SegmentItem item;
  switch (kind) {
    case SegmentItemKind::kPadding:
      item = read_padding();
      break;
    case SegmentItemKind::kParentSegmentHeader:
      item = read_parent_header();
      break;
    case SegmentItemKind::kBlock:
    case SegmentItemKind::kBlockStart:
    case SegmentItemKind::kBlockContinuation:
      item = read_data();
      break;
    default:
      throw MalformedSegment(
          position_, "expected a kind of 0 to 4, actual " + std::to_string(segment_[position_]));
  }
  item.kind = kind;
  item.offset = position_;
  position_ += item.encoded_size;
  return item;
}

SegmentItem SegmentItemReader::read_padding() {
  const auto rest = segment_.subspan(position_);
  const auto end =
      std::find_if(rest.begin(), rest.end(), [](std::uint8_t byte) { return byte != 0; });
  SegmentItem item;
  item.encoded_size = static_cast<std::size_t>(end - rest.begin());
  return item;
}

SegmentItem SegmentItemReader::read_parent_header() {
  const std::size_t left = segment_.size() - position_;
  if (left < kParentHeaderItemSize) {
    throw MalformedSegment(position_, "a parent segment header needs " +
                                          std::to_string(kParentHeaderItemSize) + " bytes, " +
                                          std::to_string(left) + " are left");
  }
  SegmentItem item;
  std::memcpy(&item.parent_header, segment_.data() + position_ + 1, sizeof item.parent_header);
  item.encoded_size = kParentHeaderItemSize;
  return item;
}

SegmentItem SegmentItemReader::read_data() {
  const std::size_t left = segment_.size() - position_;
  if (left < kItemPrefixSize) {
    throw MalformedSegment(position_, "the length of a block needs " +
                                          std::to_string(kItemPrefixSize) + " bytes, " +
                                          std::to_string(left) + " are left");
  }
  LittleEndian<std::uint32_t> encoded_length;
  std::memcpy(&encoded_length, segment_.data() + position_ + 1, sizeof encoded_length);
  const std::size_t length = encoded_length.value();
  if (length > kSegmentSize - 4 || length > left - kItemPrefixSize) {
    throw MalformedSegment(position_,
                           "expected at most " +
                               std::to_string(std::min(kSegmentSize - 4, left - kItemPrefixSize)) +
                               " bytes of block data, actual length " + std::to_string(length));
  }
  SegmentItem item;
  item.data = segment_.subspan(position_ + kItemPrefixSize, length);
  item.encoded_size = kItemPrefixSize + length;
  return item;
}

}  // namespace furrow
