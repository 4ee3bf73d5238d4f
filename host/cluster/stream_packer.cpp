// SPDX-License-Identifier: Apache-2.0
#include "host/cluster/stream_packer.hpp"

#include <iterator>
#include <utility>

#include "host/cluster/stream_message.hpp"

namespace furrow::cluster {

ElementTooLarge::ElementTooLarge(std::uint64_t largest, std::uint64_t actual)
    : Error(ErrorKind::kInternal,
            "element of a stream: expected at most " + std::to_string(largest) +
                " bytes with the message around it, actual " + std::to_string(actual),
            {.expected = "at most " + std::to_string(largest), .actual = std::to_string(actual)}) {}

StreamPacker::StreamPacker(std::size_t max_message_size, std::string ack_subject)
    : max_message_size_(max_message_size), ack_subject_(std::move(ack_subject)) {}

std::size_t StreamPacker::list_size() const {
  return encoded_list_size(buffer_.size(), buffer_bytes_);
}

bool StreamPacker::wants_more() const {
  return !has_ended_ && !drains_overflow_ &&
         (buffer_.empty() || list_size() < approximate_max_message_size(max_message_size_));
}

void StreamPacker::add(Bytes element) {
  buffer_bytes_ += element.size();
  buffer_.push_back(std::move(element));
}

PackedMessage StreamPacker::pack() {
  const auto is_last = [this] { return has_ended_ && overflow_.empty(); };
  const auto ack_subject = [&] { return is_last() ? std::string() : ack_subject_; };
  std::size_t size = encoded_stream_message_size(list_size(), ack_subject());
  while (size > max_message_size_) {
    if (buffer_.size() <= 1) {
      throw ElementTooLarge(max_message_size_, size);
    }
    buffer_bytes_ -= buffer_.back().size();
    overflow_.push_front(std::move(buffer_.back()));
    buffer_.pop_back();
    size = encoded_stream_message_size(list_size(), ack_subject());
  }
  PackedMessage message{encode_stream_message(next_index_, buffer_, ack_subject()), next_index_,
                        buffer_.size(), is_last()};
  is_done_ = message.is_last;
  ++next_index_;
  buffer_.assign(std::make_move_iterator(overflow_.begin()),
                 std::make_move_iterator(overflow_.end()));
  overflow_.clear();
  buffer_bytes_ = 0;
  for (const Bytes& element : buffer_) {
    buffer_bytes_ += element.size();
  }
  drains_overflow_ = !buffer_.empty();
  return message;
}

}  // namespace furrow::cluster
