// SPDX-License-Identifier: Apache-2.0
// The side of a stream that asks and takes (docs/spec/07-cluster-protocol.md, section 6.3; the picture is
// in stream_responder.hpp). Taking late is what holds the sender back: a message is acknowledged when it
// is taken, and the sender stops after one more.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>

#include "host/cluster/bus.hpp"
#include "host/cluster/identifiers.hpp"
#include "host/cluster/message.hpp"
#include "host/cluster/request.hpp"
#include "host/cluster/stream_message.hpp"

namespace furrow::cluster {

struct StreamRequesterOptions {
  /// How long the responder may be silent. The protocol has no limit here, but a responder that died
  /// would be waited for without end.
  std::chrono::milliseconds idle_timeout = std::chrono::minutes(5);
  UlidSource draw_ulid = cluster::draw_ulid;
  /// Whose subjects and messages.
  Network network = Network::kAbundance;
};

/// Why no more elements come. Whether all came, only the first says; the layer above has to know what
/// it expects also then.
struct StreamEnd {
  enum class Reason {
    kLast,
    kNoElements,       ///< a Continue without elements, which is none of the protocol
    kUnexpectedIndex,  ///< messages are lost, doubled, or from elsewhere
    kMalformed,
    kNoResponders,  ///< nobody is subscribed to what was asked
    kIdle,
    kStopped,
    kClosed,  ///< the connection
  };
  Reason reason = Reason::kLast;
  std::string text = {};  ///< what was expected and what came

  [[nodiscard]] bool is_complete() const { return reason == Reason::kLast; }
};

/// The messages of a stream, each acknowledged before it is given out. Of one thread.
class StreamMessages {
 public:
  using Decode = std::function<StreamMessage(std::span<const std::uint8_t>)>;

  /// Subscribes, then publishes the request. Throws what Bus::publish throws. `bus` must outlive this.
  StreamMessages(Bus& bus, const std::string& subject, std::span<const std::uint8_t> request,
                 Decode decode, const StreamRequesterOptions& options);

  struct Taken {
    StreamMessage message;
    Bytes payload;
  };
  /// The next message with elements; none when the stream has ended. Throws what Bus::publish throws.
  [[nodiscard]] std::optional<Taken> next(const std::stop_token& stop);
  /// None while it goes on.
  [[nodiscard]] const std::optional<StreamEnd>& end() const { return end_; }

 private:
  std::optional<Taken> take(BusMessage message);
  std::nullopt_t finish(StreamEnd::Reason reason, std::string text);

  Bus& bus_;
  const std::string subject_;
  const Decode decode_;
  const std::chrono::milliseconds idle_timeout_;
  std::unique_ptr<BusSubscription> messages_;  // gone with the end of the stream
  std::uint32_t expected_index_ = 0;
  std::optional<StreamEnd> end_;
};

/// The elements of a stream that answers a Request. Of one thread. In memory are one message, as it
/// came, and those that may arrive unacknowledged; a sender that sends more loses them, which ends the
/// stream as a message out of order.
template <class Request>
class StreamRequest {
 public:
  using Element = typename Request::Element;

  /// As StreamMessages. `instance` of requests that have one.
  StreamRequest(Bus& bus, const std::optional<SubjectToken>& instance, const Request& request,
                const StreamRequesterOptions& options = {})
      : network_(options.network),
        messages_(
            bus, subject_of<Request>(instance, network_), encode_message(request, network_),
            [network = network_](std::span<const std::uint8_t> payload) {
              return decode_stream_message<Element>(payload, network);
            },
            options) {}

  /// The next element; none when no more comes, for which end() has the reason.
  [[nodiscard]] std::optional<Element> next(const std::stop_token& stop) {
    while (left_ == 0) {
      taken_ = messages_.next(stop);
      if (!taken_) {
        return std::nullopt;
      }
      left_ = taken_->message.n_elements;
      offset_ = taken_->message.elements_offset;
    }
    MessageReader in(Element::kName, std::span(taken_->payload).subspan(offset_), network_);
    Element element = decode_from<Element>(in);
    offset_ += in.offset();
    if (--left_ == 0) {
      taken_.reset();
    }
    return element;
  }

  /// None while the stream goes on.
  [[nodiscard]] const std::optional<StreamEnd>& end() const { return messages_.end(); }

 private:
  Network network_;
  StreamMessages messages_;
  std::optional<StreamMessages::Taken> taken_;
  std::size_t left_ = 0;
  std::size_t offset_ = 0;
};

}  // namespace furrow::cluster
