// SPDX-License-Identifier: Apache-2.0
#include "host/cluster/stream_responder.hpp"

#include <memory>
#include <utility>

#include "host/cluster/stream_message.hpp"
#include "host/cluster/stream_packer.hpp"
#include "host/cluster/subjects.hpp"

namespace furrow::cluster {
namespace {

// Two are on their way at most; what a peer sends beyond that says nothing that counts.
constexpr PendingLimits kAcknowledgementLimits{.messages = 8, .bytes = 1024};

/// The sending of one stream.
class Sending {
 public:
  Sending(Bus& bus, const std::string& response_subject, ElementSource& source,
          const StreamResponderOptions& options, const std::stop_token& stop)
      : bus_(bus),
        response_subject_(response_subject),
        source_(source),
        options_(options),
        stop_(stop),
        ack_subject_(kStreamAcknowledgement.with(
            {options.draw_ulid().to_string(), "acknowledgement subject"})),
        packer_(bus.max_payload(), ack_subject_) {}

  StreamSent send() {
    while (!packer_.is_done() && fill() && publish()) {
    }
    return std::move(sent_);
  }

 private:
  /// Takes what is ready, and waits when nothing is there to be sent. False when a stop was requested.
  bool fill() {
    while (packer_.wants_more()) {
      if (packer_.is_empty()) {
        std::optional<Bytes> element = source_.next(stop_);
        if (stop_.stop_requested()) {
          sent_.outcome = StreamSent::Outcome::kStopped;
          sent_.reason = "a stop was requested";
          return false;
        }
        take(std::move(element), true);
      } else if (ElementSource::Polled polled = source_.poll();
                 !take(std::move(polled.element), polled.has_ended)) {
        break;
      }
    }
    return true;
  }

  /// False when there was nothing to take and more is to come.
  bool take(std::optional<Bytes> element, bool ended_without) {
    if (element) {
      packer_.add(*std::move(element));
      return true;
    }
    if (ended_without) {
      packer_.end();
    }
    return ended_without;
  }

  /// Sends the next message. False when the one before the last is not acknowledged as it should be.
  bool publish() {
    const PackedMessage message = packer_.pack();
    if (!message.is_last && acknowledgements_ == nullptr) {
      acknowledgements_ = bus_.subscribe(ack_subject_, {}, kAcknowledgementLimits);
    }
    bus_.publish(response_subject_, message.payload);
    ++sent_.n_messages;
    return message.is_last || message.index == 0 || wait_for_acknowledgement(message.index - 1);
  }

  bool wait_for_acknowledgement(std::uint32_t index) {
    const Received received =
        acknowledgements_->next(bus_.clock().after(options_.acknowledgement_timeout), stop_);
    const auto abandon = [this, index](StreamSent::Outcome outcome, const std::string& actual) {
      sent_.outcome = outcome;
      sent_.reason = "acknowledgement: expected " + std::to_string(index) + ", actual " + actual;
      return false;
    };
    switch (received.waited) {
      case Waited::kMessage:
        break;
      case Waited::kTimeout:
        return abandon(StreamSent::Outcome::kNotAcknowledged, "none in time");
      case Waited::kStopped:
        return abandon(StreamSent::Outcome::kStopped, "none before a stop was requested");
      case Waited::kEnded:
        throw BusError("stream to " + response_subject_ + ": the connection was closed");
    }
    try {
      const auto acknowledged = decode_message<StreamAcknowledgement>(received.message.payload);
      if (acknowledged.index != index) {
        return abandon(StreamSent::Outcome::kWronglyAcknowledged,
                       std::to_string(acknowledged.index));
      }
      return true;
    } catch (const MalformedMessage& error) {
      return abandon(StreamSent::Outcome::kWronglyAcknowledged, error.what());
    }
  }

  Bus& bus_;
  const std::string& response_subject_;
  ElementSource& source_;
  const StreamResponderOptions& options_;
  const std::stop_token& stop_;
  const std::string ack_subject_;
  StreamPacker packer_;
  std::unique_ptr<BusSubscription> acknowledgements_;
  StreamSent sent_;
};

}  // namespace

StreamSent respond_stream(Bus& bus, const std::string& response_subject, ElementSource& source,
                          const StreamResponderOptions& options, const std::stop_token& stop) {
  return Sending(bus, response_subject, source, options, stop).send();
}

}  // namespace furrow::cluster
