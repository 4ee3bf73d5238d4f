// SPDX-License-Identifier: Apache-2.0
#include "host/cluster/stream_message.hpp"

namespace furrow::cluster {
namespace {

constexpr std::uint8_t kContinue = 0;
constexpr std::uint8_t kLast = 1;

std::size_t compact_size(std::size_t value) {
  return ScaleWriter().compact(value).bytes().size();
}

}  // namespace

Bytes encode_stream_message(std::uint32_t index, std::span<const Bytes> elements,
                            std::string_view ack_subject) {
  ScaleWriter out;
  out.u8(ack_subject.empty() ? kLast : kContinue).u32(index).compact(elements.size());
  for (const Bytes& element : elements) {
    out.raw(element);
  }
  if (!ack_subject.empty()) {
    out.text(ack_subject);
  }
  return out.take();
}

std::size_t encoded_list_size(std::size_t n_elements, std::size_t n_bytes) {
  return compact_size(n_elements) + n_bytes;
}

std::size_t encoded_stream_message_size(std::size_t list_size, std::string_view ack_subject) {
  const std::size_t around = sizeof(std::uint8_t) + sizeof(std::uint32_t) + list_size;
  return ack_subject.empty() ? around
                             : around + compact_size(ack_subject.size()) + ack_subject.size();
}

}  // namespace furrow::cluster
