// SPDX-License-Identifier: Apache-2.0
#include "host/cluster/stream_requester.hpp"

#include <utility>

#include "host/cluster/subjects.hpp"

namespace furrow::cluster {
namespace {

/// Two messages may be unacknowledged, one more comes when the first of them is; the next one only when
/// somebody breaks the rules.
constexpr std::size_t kPendingMessages = 3;

}  // namespace

StreamMessages::StreamMessages(Bus& bus, const std::string& subject,
                               std::span<const std::uint8_t> request, Decode decode,
                               const StreamRequesterOptions& options)
    : bus_(bus),
      subject_(subject),
      decode_(std::move(decode)),
      idle_timeout_(options.idle_timeout) {
  const std::string response_subject =
      kStreamResponse.with({options.draw_ulid().to_string(), "response subject"});
  messages_ = bus_.subscribe(
      response_subject, {},
      {.messages = kPendingMessages, .bytes = kPendingMessages * bus_.max_payload()});
  bus_.publish(subject_, request, {.reply_subject = response_subject});
}

std::nullopt_t StreamMessages::finish(StreamEnd::Reason reason, std::string text) {
  end_ = StreamEnd{reason, "stream from " + subject_ + ": " + std::move(text)};
  messages_.reset();
  return std::nullopt;
}

std::optional<StreamMessages::Taken> StreamMessages::next(const std::stop_token& stop) {
  if (end_) {
    return std::nullopt;
  }
  Received received = messages_->next(bus_.clock().after(idle_timeout_), stop);
  switch (received.waited) {
    case Waited::kMessage:
      return take(std::move(received.message));
    case Waited::kTimeout:
      return finish(
          StreamEnd::Reason::kIdle,
          "expected message " + std::to_string(expected_index_) + ", actual: none in time");
    case Waited::kStopped:
      return finish(StreamEnd::Reason::kStopped, "a stop was requested");
    case Waited::kEnded:
      break;
  }
  return finish(StreamEnd::Reason::kClosed, "the connection was closed");
}

std::optional<StreamMessages::Taken> StreamMessages::take(BusMessage message) {
  if (message.no_responders) {
    return finish(StreamEnd::Reason::kNoResponders, "nobody is subscribed");
  }
  Taken taken{.message = {}, .payload = std::move(message.payload)};
  try {
    taken.message = decode_(taken.payload);
  } catch (const MalformedMessage& error) {
    return finish(StreamEnd::Reason::kMalformed, error.what());
  }
  if (taken.message.index != expected_index_) {
    return finish(StreamEnd::Reason::kUnexpectedIndex,
                  "expected message " + std::to_string(expected_index_) + ", actual " +
                      std::to_string(taken.message.index));
  }
  ++expected_index_;
  if (taken.message.is_last) {
    finish(StreamEnd::Reason::kLast, "complete");
  } else {
    bus_.publish(taken.message.ack_subject,
                 encode_message(StreamAcknowledgement{taken.message.index}));
    if (taken.message.n_elements == 0) {
      return finish(
          StreamEnd::Reason::kNoElements,
          "message " + std::to_string(taken.message.index) + ": expected elements, actual: none");
    }
  }
  if (taken.message.n_elements == 0) {
    return std::nullopt;
  }
  return taken;
}

}  // namespace furrow::cluster
