// SPDX-License-Identifier: Apache-2.0
// The side of a stream that sends (docs/spec/07-cluster-protocol.md, section 6.2):
//
//   requester                                   responder
//      │ ── request, reply subject R ──────────────► │
//      │ ◄── R: Continue 0, acknowledge at A ─────── │  subscribed to A before
//      │ ◄── R: Continue 1 ───────────────────────── │  does not wait for the first one
//      │ ─── A: 0 ─────────────────────────────────► │
//      │ ◄── R: Continue 2 ───────────────────────── │  after 0 is acknowledged
//      │ ─── A: 1 ─────────────────────────────────► │
//      │ ◄── R: Last 3 ───────────────────────────── │  after 1; is not acknowledged
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>

#include "host/cluster/bus.hpp"
#include "host/cluster/identifiers.hpp"
#include "host/cluster/message.hpp"

namespace furrow::cluster {

/// Where the elements of a stream come from, encoded.
class ElementSource {
 public:
  struct Polled {
    std::optional<Bytes> element = {};
    bool has_ended = false;  ///< there is none now, and there will be none
  };

  virtual ~ElementSource() = default;
  /// Waits for the next element. None when there are no more, or a stop was requested.
  [[nodiscard]] virtual std::optional<Bytes> next(const std::stop_token& stop) = 0;
  /// The next element if it is ready now.
  [[nodiscard]] virtual Polled poll() = 0;
};

struct StreamResponderOptions {
  /// How long the requester may take to acknowledge a message.
  std::chrono::milliseconds acknowledgement_timeout = std::chrono::seconds(60);
  UlidSource draw_ulid = cluster::draw_ulid;
};

/// What came of a stream. The requester is not told of any but the first: it sees nothing more.
struct StreamSent {
  enum class Outcome {
    kComplete,             ///< the last message is out; nobody confirms it
    kNotAcknowledged,      ///< the requester is gone, or stopped taking
    kWronglyAcknowledged,  ///< it is another stream that it has, or none of the protocol
    kStopped,
  };
  Outcome outcome = Outcome::kComplete;
  std::uint32_t n_messages = 0;
  std::string reason = {};  ///< what was expected and what came, where it is not complete
};

/// Sends the elements of the source to `response_subject` until they are out or nobody takes them. In
/// memory there are at most the elements of one message and the next one; besides, what the connection
/// keeps of the two messages that may be unacknowledged. On the calling thread. Throws ElementTooLarge
/// for an element that fits into no message, what the source throws, and what Bus::publish throws; the
/// requester sees nothing more then, either.
StreamSent respond_stream(Bus& bus, const std::string& response_subject, ElementSource& source,
                          const StreamResponderOptions& options, const std::stop_token& stop);

}  // namespace furrow::cluster
