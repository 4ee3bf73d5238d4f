// SPDX-License-Identifier: Apache-2.0
// Arbitrary bytes as messages of a cluster: decoding throws a typed error, or gives a message that
// encodes to the bytes that were read, however they came about. The first byte chooses the type out of
// those of the target.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <vector>

#include "host/cluster/message.hpp"
#include "host/cluster/stream_message.hpp"

namespace furrow::test {

inline void require(bool holds) {
  if (!holds) {
    std::abort();
  }
}

inline void require_beginning(const cluster::Bytes& again, std::span<const std::uint8_t> payload) {
  require(again.size() <= payload.size() &&
          std::equal(again.begin(), again.end(), payload.begin()));
}

template <class Message>
void fuzz_message(std::span<const std::uint8_t> payload) {
  try {
    require_beginning(cluster::encode_message(cluster::decode_message<Message>(payload)), payload);
  } catch (const cluster::MalformedMessage& error) {
    require(error.fields().offset.value() <= payload.size());
  }
}

template <class Element>
void fuzz_stream(std::span<const std::uint8_t> payload) {
  try {
    const auto stream = cluster::decode_stream_message<Element>(payload);
    // What was looked at once cannot fail when its elements are taken.
    cluster::MessageReader in(Element::kName, payload.subspan(stream.elements_offset));
    std::vector<cluster::Bytes> elements;
    for (std::size_t i = 0; i < stream.n_elements; ++i) {
      elements.push_back(cluster::encode_message(cluster::decode_from<Element>(in)));
    }
    require_beginning(cluster::encode_stream_message(stream.index, elements, stream.ack_subject),
                      payload);
  } catch (const cluster::MalformedMessage& error) {
    require(error.fields().offset.value() <= payload.size());
  }
}

using Fuzz = void (*)(std::span<const std::uint8_t>);

inline int fuzz_one_of(std::span<const Fuzz> types, std::span<const std::uint8_t> input) {
  if (!input.empty()) {
    types[input.front() % types.size()](input.subspan(1));
  }
  return 0;
}

}  // namespace furrow::test
