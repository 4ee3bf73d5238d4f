// SPDX-License-Identifier: Apache-2.0
#include "host/cluster/request.hpp"

namespace furrow::cluster {
namespace {

/// The answer, or why there is none; nothing when a stop was requested.
struct Attempt {
  std::optional<Bytes> answer = {};
  std::optional<NoAnswer> no_answer = {};
};

/// Each attempt has an inbox of its own, so that a late answer is not taken for that of the next.
Attempt attempt(Bus& bus, const std::string& subject, std::span<const std::uint8_t> payload,
                const RequestOptions& options, const std::stop_token& stop) {
  const std::string inbox = kRequestInbox.with({options.draw_ulid().to_string(), "inbox"});
  // One answer is taken; a second has nothing to say.
  const auto answers = bus.subscribe(inbox, {}, {.messages = 1, .bytes = bus.max_payload()});
  bus.publish(subject, payload, {.reply_subject = inbox});
  Received received = answers->next(bus.clock().after(options.timeout), stop);
  switch (received.waited) {
    case Waited::kMessage:
      if (received.message.no_responders) {
        return {.no_answer = NoAnswer::kNoResponders};
      }
      return {.answer = std::move(received.message.payload)};
    case Waited::kTimeout:
      return {.no_answer = NoAnswer::kTimeout};
    case Waited::kStopped:
      return {};
    case Waited::kEnded:
      break;
  }
  throw BusError("request to " + subject + ": the connection was closed");
}

}  // namespace

RequestUnanswered::RequestUnanswered(const std::string& subject, NoAnswer last, unsigned attempts)
    : Error(ErrorKind::kUnavailable,
            "request to " + subject + ": expected an answer, actual: " +
                (last == NoAnswer::kNoResponders ? "nobody is subscribed" : "none in time") + ", " +
                std::to_string(attempts) + " attempts",
            {.expected = "an answer",
             .actual = last == NoAnswer::kNoResponders ? "nobody is subscribed" : "none in time"}),
      reason_(last),
      attempts_(attempts) {}

std::optional<std::chrono::milliseconds> DoublingDelay::next() {
  if (delay_ > left_) {
    return std::nullopt;
  }
  const std::chrono::milliseconds delay = delay_;
  left_ -= delay;
  delay_ *= 2;
  return delay;
}

bool wait_until_heard(Bus& bus, const UlidSource& draw_ulid, const std::stop_token& stop) {
  // The server takes what one connection sends in its order: what we have sent to ourselves comes back
  // behind the subscriptions.
  const std::string subject = kRequestInbox.with({draw_ulid().to_string(), "inbox"});
  const auto inbox = bus.subscribe(subject);
  bus.publish(subject, {});
  const Waited waited = inbox->next(BusClock::TimePoint::max(), stop).waited;
  if (waited == Waited::kEnded) {
    throw BusError("subscriptions: the connection was closed before the server had them");
  }
  return waited == Waited::kMessage;
}

std::optional<Bytes> request_payload(Bus& bus, const std::string& subject,
                                     std::span<const std::uint8_t> payload,
                                     const RequestOptions& options, const std::stop_token& stop) {
  DoublingDelay delays(options.most_delay);
  for (unsigned attempts = 1;; ++attempts) {
    Attempt outcome = attempt(bus, subject, payload, options, stop);
    if (!outcome.no_answer) {
      return std::move(outcome.answer);
    }
    const std::optional<std::chrono::milliseconds> delay = delays.next();
    if (!delay) {
      throw RequestUnanswered(subject, *outcome.no_answer, attempts);
    }
    if (!bus.clock().sleep_until(bus.clock().after(*delay), stop)) {
      return std::nullopt;
    }
  }
}

}  // namespace furrow::cluster
