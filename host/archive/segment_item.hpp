// SPDX-License-Identifier: Apache-2.0
// Items of a segment (docs/spec/05-archiving-and-pieces.md, section 4.1). They follow one another
// from byte 0 of the segment; what remains at its end is padding.
//
//   padding               00
//   block                 01  u32 length  bytes
//   block start           02  u32 length  bytes
//   block continuation    03  u32 length  bytes
//   parent segment header 04  segment header, 84 bytes
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>

#include "furrow/errors.hpp"

#include "host/primitives/segment_header.hpp"

namespace furrow {

/// The kind is the first byte of an item.
enum class SegmentItemKind : std::uint8_t {
  kPadding = 0,
  kBlock = 1,
  kBlockStart = 2,
  kBlockContinuation = 3,
  kParentSegmentHeader = 4,
};

/// Bytes in front of the data of a block, block start or block continuation.
inline constexpr std::size_t kItemPrefixSize = 5;
inline constexpr std::size_t kParentHeaderItemSize = 1 + sizeof(SegmentHeader);
/// A segment with less room than this takes no further item: prefix and one byte of data.
inline constexpr std::size_t kLeastItemRoom = kItemPrefixSize + 1;

/// Kind and length of a block, block start or block continuation.
std::array<std::uint8_t, kItemPrefixSize> encode_item_prefix(SegmentItemKind kind,
                                                             std::uint32_t length);
std::array<std::uint8_t, kParentHeaderItemSize> encode_parent_header_item(
    const SegmentHeader& header);

/// An item as it stands in a segment.
struct SegmentItem {
  SegmentItemKind kind = SegmentItemKind::kPadding;
  /// Place of its first byte in the segment.
  std::size_t offset = 0;
  /// All its bytes. A run of padding is one item.
  std::size_t encoded_size = 0;
  /// Data of a block or a part of one; a view of the segment.
  std::span<const std::uint8_t> data;
  /// Only for a parent segment header.
  SegmentHeader parent_header;
};

/// Bytes of a segment that are no items. The message names the place.
class MalformedSegment : public MalformedData {
 public:
  MalformedSegment(std::size_t offset, const std::string& reason);
  [[nodiscard]] std::size_t offset() const noexcept { return offset_; }

 private:
  std::size_t offset_;
};

/// Takes a segment apart, item by item. Thread-compatible; refers to the bytes it was given.
class SegmentItemReader {
 public:
  explicit SegmentItemReader(std::span<const std::uint8_t> segment) : segment_(segment) {}

  /// The next item; none at the end. Throws MalformedSegment for an unknown kind, a length above
  /// kSegmentSize - 4, and an item that reaches beyond the end.
  std::optional<SegmentItem> next();

 private:
  SegmentItem read_padding();
  SegmentItem read_parent_header();
  SegmentItem read_data();

  std::span<const std::uint8_t> segment_;
  std::size_t position_ = 0;
};

}  // namespace furrow
