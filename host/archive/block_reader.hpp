// SPDX-License-Identifier: Apache-2.0
// From segments back to blocks (docs/spec/05-archiving-and-pieces.md, section 13).
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "furrow/errors.hpp"
#include "furrow/types.hpp"

#include "host/primitives/segment_header.hpp"

namespace furrow {

/// A segment names another one as its parent than the one read before it.
class IncorrectSegmentOrder : public Error {
 public:
  IncorrectSegmentOrder(std::uint64_t expected_parent, std::uint64_t actual_parent);
};

/// Takes segments in order, starting with any, and gives the blocks in them. A block that began
/// before the first segment is left out. Holds the bytes of at most one unfinished block.
/// Thread-compatible; after an exception the reader must not be used any more.
class BlockReader {
 public:
  /// Gets each block with its number; the bytes are valid during the call.
  using Sink = std::function<void(BlockNumber, std::span<const std::uint8_t>)>;

  explicit BlockReader(Sink sink) : sink_(std::move(sink)) {}

  /// Reads the 128 source records of the next segment. Throws InvalidBytesLength, MalformedSegment,
  /// IncorrectSegmentOrder.
  void add_segment(std::span<const std::uint8_t> segment);

  /// Ends the reading. A block that ends in the last segment behind the start of it is known to be
  /// complete only from the header of that segment; with it the block is given out, too.
  void finish(const SegmentHeader& last_segment);

 private:
  void begin_segment(const SegmentHeader& parent);
  void emit(std::span<const std::uint8_t> block);
  void emit_partial();

  Sink sink_;
  std::optional<std::uint64_t> last_segment_index_;
  std::uint64_t next_ = 0;
  std::vector<std::uint8_t> partial_;
};

}  // namespace furrow
