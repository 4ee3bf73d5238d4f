// SPDX-License-Identifier: Apache-2.0
// The messages of a stream of elements of one type (docs/spec/07-cluster-protocol.md, section 6.1).
//
//   0  u8       0: Continue, 1: Last
//   1  u32      index, from 0, one more each time; little-endian, as all here
//   5  compact  n, number of elements: 1, 2 or 4 bytes
//      n        elements, one after another
//      string   where to acknowledge; of Continue alone: b8 and 46 bytes of text
//
// and what acknowledges one: its index, u32.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "host/base/printable.hpp"
#include "host/cluster/message.hpp"
#include "host/cluster/subjects.hpp"

namespace furrow::cluster {

struct StreamAcknowledgement {
  static constexpr std::string_view kName = "stream acknowledgement";
  std::uint32_t index = 0;
  bool operator==(const StreamAcknowledgement&) const = default;
  static void visit(auto& self, auto& field) { field("index", self.index); }
};

/// A message that was looked at as a whole, so that delivering its elements cannot fail. They stay
/// encoded until somebody takes them: a hostile message of many small elements takes no more memory
/// than it has bytes.
struct StreamMessage {
  bool is_last = false;
  std::uint32_t index = 0;
  std::size_t n_elements = 0;
  std::size_t elements_offset = 0;  ///< in the payload
  std::string ack_subject;          ///< empty for Last

  /// `skip_element` reads one element. Throws MalformedMessage.
  template <class SkipElement>
  static StreamMessage decode(std::string_view name, std::span<const std::uint8_t> payload,
                              SkipElement skip_element, Network network) {
    MessageReader in(name, payload, network);
    in.look_only();  // elements are decoded when they are taken
    StreamMessage message;
    in.enter("stream message");
    message.is_last = in.variant(2) == 1;
    in.enter("stream index");
    message.index = in.u32();
    in.enter("stream elements");
    message.n_elements = in.list_length(kNoLimit);
    message.elements_offset = in.offset();
    for (std::size_t i = 0; i < message.n_elements; ++i) {
      skip_element(in);
    }
    if (!message.is_last) {
      in.enter("acknowledgement subject");
      message.ack_subject = in.text();
      if (!is_publish_subject(message.ack_subject)) {
        in.refuse("a subject to publish to", excerpt(message.ack_subject));
      }
    }
    return message;
  }
};

template <class Element>
StreamMessage decode_stream_message(std::span<const std::uint8_t> payload,
                                    Network network = Network::kAbundance) {
  return StreamMessage::decode(
      Element::kName, payload, [](MessageReader& in) { (void)decode_from<Element>(in); }, network);
}

/// The payload around elements that are encoded already; an empty `ack_subject` makes a Last.
[[nodiscard]] Bytes encode_stream_message(std::uint32_t index, std::span<const Bytes> elements,
                                          std::string_view ack_subject);

/// Bytes of a list of that many elements with so many bytes together.
[[nodiscard]] std::size_t encoded_list_size(std::size_t n_elements, std::size_t n_bytes);
/// Bytes of the payload around a list of that size.
[[nodiscard]] std::size_t encoded_stream_message_size(std::size_t list_size,
                                                      std::string_view ack_subject);

}  // namespace furrow::cluster
