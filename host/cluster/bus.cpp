// SPDX-License-Identifier: Apache-2.0
#include "host/cluster/bus.hpp"

#include "host/base/mutex.hpp"
#include "host/base/printable.hpp"
#include "host/cluster/subjects.hpp"

namespace furrow::cluster {
namespace {

void require_publish_subject(const std::string& subject) {
  if (!is_publish_subject(subject)) {
    const std::string expected = "a subject without wildcards and spaces";
    const std::string actual = excerpt(subject);
    throw InvalidArgument("subject to publish to: expected " + expected + ", actual " + actual,
                          {.expected = expected, .actual = actual});
  }
}

}  // namespace

PayloadTooLarge::PayloadTooLarge(const std::string& subject, std::size_t max_payload,
                                 std::size_t actual)
    : Error(ErrorKind::kInvalidArgument,
            "message to " + subject + ": expected at most " + std::to_string(max_payload) +
                " bytes (max_payload of the server), actual " + std::to_string(actual),
            {.expected = "at most " + std::to_string(max_payload),
             .actual = std::to_string(actual)}) {}

MaxPayloadTooSmall::MaxPayloadTooSmall(std::size_t actual)
    : Error(ErrorKind::kMismatch,
            "max_payload of the NATS server: expected at least " +
                std::to_string(kExpectedMessageSize) + ", actual " + std::to_string(actual) +
                "; put `max_payload: 2MB` into its configuration",
            {.expected = "at least " + std::to_string(kExpectedMessageSize),
             .actual = std::to_string(actual)}) {}

BusClock::TimePoint BusClock::after(Duration time) const {
  const TimePoint from = now();
  return time > TimePoint::max() - from ? TimePoint::max() : from + time;
}

bool SteadyBusClock::sleep_until(TimePoint time, const std::stop_token& stop) {
  Mutex mutex;
  ConditionVariable never;
  const Lock lock(mutex);
  never.wait_until(mutex, stop, time, [] { return false; });
  return !stop.stop_requested();
}

void Bus::publish(const std::string& subject, std::span<const std::uint8_t> payload,
                  const PublishOptions& options) {
  require_publish_subject(subject);
  if (!options.reply_subject.empty()) {
    require_publish_subject(options.reply_subject);
  }
  // Of the headers NATS counts every byte: "NATS/1.0\r\nNats-Msg-Id: ID\r\n\r\n".
  constexpr std::size_t kHeadersAround = 27;
  const std::size_t headers =
      options.message_id.empty() ? 0 : kHeadersAround + options.message_id.size();
  if (payload.size() + headers > max_payload()) {
    throw PayloadTooLarge(subject, max_payload(), payload.size() + headers);
  }
  send(subject, payload, options);
}

void require_message_size(const Bus& bus) {
  if (bus.max_payload() < kExpectedMessageSize) {
    throw MaxPayloadTooSmall(bus.max_payload());
  }
}

}  // namespace furrow::cluster
