// SPDX-License-Identifier: Apache-2.0
// Which elements of a stream go into which message (docs/spec/07-cluster-protocol.md, section 6.2).
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "furrow/errors.hpp"

#include "host/cluster/message.hpp"

namespace furrow::cluster {

/// Nine tenths of what fits into a message: elements are added until there are so many bytes of them,
/// and the chunks of a sector are at most so long.
[[nodiscard]] constexpr std::size_t approximate_max_message_size(std::size_t max_message_size) {
  return max_message_size / 10 * 9 + max_message_size % 10 * 9 / 10;
}
static_assert(approximate_max_message_size(2'097'152) == 1'887'436);

/// An element that fits into no message of this server: what made it was to look at the limit first.
class ElementTooLarge : public Error {
 public:
  ElementTooLarge(std::uint64_t largest, std::uint64_t actual);
};

/// A message to publish.
struct PackedMessage {
  Bytes payload;
  std::uint32_t index = 0;
  std::size_t n_elements = 0;
  bool is_last = false;
};

/// Holds what was read of the source and not yet sent: at most one message and the element that did
/// not fit into it. Of one thread. In a loop, until is_done():
///
///   while wants_more(): add() the next element that is ready, or end() when there is none left;
///                       leave the loop when none is ready and there is something to pack
///   pack()
class StreamPacker {
 public:
  StreamPacker(std::size_t max_message_size, std::string ack_subject);

  /// Whether the source should be asked. What overflowed a message goes out before anything else is
  /// read; so it is not asked then.
  [[nodiscard]] bool wants_more() const;
  /// Whether nothing was read that could be sent.
  [[nodiscard]] bool is_empty() const { return buffer_.empty(); }
  /// The next element, encoded. Pre: wants_more().
  void add(Bytes element);
  /// The source has no more: known only by asking it beyond its last element.
  void end() { has_ended_ = true; }

  /// The next message. An empty one is the last one. Throws ElementTooLarge. Pre: not is_done(), and
  /// something was added or the source has ended.
  [[nodiscard]] PackedMessage pack();
  /// Whether the last message was packed.
  [[nodiscard]] bool is_done() const { return is_done_; }

 private:
  [[nodiscard]] std::size_t list_size() const;

  const std::size_t max_message_size_;
  const std::string ack_subject_;
  std::vector<Bytes> buffer_;
  std::size_t buffer_bytes_ = 0;
  std::deque<Bytes> overflow_;
  bool drains_overflow_ = false;
  bool has_ended_ = false;
  bool is_done_ = false;
  std::uint32_t next_index_ = 0;
};

}  // namespace furrow::cluster
