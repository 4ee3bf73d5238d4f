// SPDX-License-Identifier: Apache-2.0
// Requests with one answer (docs/spec/07-cluster-protocol.md, section 5).
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <stop_token>
#include <string>

#include "furrow/errors.hpp"

#include "host/cluster/bus.hpp"
#include "host/cluster/identifiers.hpp"
#include "host/cluster/message.hpp"
#include "host/cluster/subjects.hpp"

namespace furrow::cluster {

struct RequestOptions {
  /// How long each attempt waits for its answer.
  std::chrono::milliseconds timeout = std::chrono::minutes(5);
  /// Of all delays between attempts together; zero: one attempt.
  std::chrono::milliseconds most_delay = std::chrono::seconds(60);
  UlidSource draw_ulid = cluster::draw_ulid;
  /// Whose subjects and messages.
  Network network = Network::kAbundance;
};

/// Why an attempt had no answer.
enum class NoAnswer {
  kTimeout,       ///< somebody may have got the request, nobody has answered it
  kNoResponders,  ///< nobody is subscribed
};

/// No attempt was answered.
class RequestUnanswered : public Error {
 public:
  RequestUnanswered(const std::string& subject, NoAnswer last, unsigned attempts);
  /// Of the last attempt.
  [[nodiscard]] NoAnswer reason() const noexcept { return reason_; }
  [[nodiscard]] unsigned attempts() const noexcept { return attempts_; }

 private:
  NoAnswer reason_;
  unsigned attempts_;
};

/// Delays of 1, 2, 4, 8 ... seconds, none when they would come to more than `most` together.
class DoublingDelay {
 public:
  explicit DoublingDelay(std::chrono::milliseconds most) : left_(most) {}
  [[nodiscard]] std::optional<std::chrono::milliseconds> next();

 private:
  std::chrono::milliseconds left_;
  std::chrono::milliseconds delay_ = std::chrono::seconds(1);
};

/// Waits until the server has taken all subscriptions that this connection has made: only from then on
/// others can be told to ask there. False when a stop was requested. Throws what Bus::publish throws, and
/// BusError.
[[nodiscard]] bool wait_until_heard(Bus& bus, const UlidSource& draw_ulid,
                                    const std::stop_token& stop);

/// The payload of the answer; none when a stop was requested. Throws RequestUnanswered after the last
/// attempt, and what Bus::publish throws.
[[nodiscard]] std::optional<Bytes> request_payload(Bus& bus, const std::string& subject,
                                                   std::span<const std::uint8_t> payload,
                                                   const RequestOptions& options,
                                                   const std::stop_token& stop);

/// Subject of a request, by its instance where it has one.
template <class Request>
[[nodiscard]] std::string subject_of(const std::optional<SubjectToken>& instance,
                                     Network network = Network::kAbundance) {
  return Request::kSubject.has_instance() ? Request::kSubject.with(instance.value(), network)
                                          : Request::kSubject.without_instance(network);
}

/// The answer; none when a stop was requested. Throws as request_payload, and MalformedMessage for an
/// answer that does not decode, which is not asked for again.
template <class Request>
[[nodiscard]] std::optional<typename Request::Response> send_request(
    Bus& bus, const std::optional<SubjectToken>& instance, const Request& request,
    const RequestOptions& options, const std::stop_token& stop) {
  const std::optional<Bytes> answer =
      request_payload(bus, subject_of<Request>(instance, options.network),
                      encode_message(request, options.network), options, stop);
  if (!answer) {
    return std::nullopt;
  }
  return decode_message<typename Request::Response>(*answer, options.network);
}

}  // namespace furrow::cluster
