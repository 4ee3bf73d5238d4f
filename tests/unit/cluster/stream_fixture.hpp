// SPDX-License-Identifier: Apache-2.0
// What tests of streams have in common: elements, sources, and the messages that peers send.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "host/cluster/plotter_messages.hpp"
#include "host/cluster/stream_message.hpp"
#include "host/cluster/stream_responder.hpp"
#include "tests/support/memory_bus.hpp"

namespace furrow::test {

using namespace std::chrono_literals;

/// Identifiers in order, so that two runs are alike.
inline cluster::UlidSource ulids_from(std::uint64_t first) {
  return [next = first]() mutable { return Ulid::from_parts(next++, {}); };
}

/// An element of so many bytes: a chunk of a sector.
inline cluster::Bytes element_of(std::size_t n_bytes) {
  return cluster::encode_sector_chunk(cluster::Bytes(n_bytes, 0x5A));
}
inline cluster::Bytes ping() {
  return cluster::encode_message(cluster::PlottingProgress{cluster::PlottingProgress::Ping{}});
}

/// Gives its elements, each at its time of a clock; by default all are there at once.
class ScriptedSource final : public cluster::ElementSource {
 public:
  struct Step {
    cluster::Bytes element;
    std::chrono::milliseconds after{0};  ///< the element before
  };

  ScriptedSource(cluster::BusClock& clock, std::vector<Step> steps)
      : clock_(clock), steps_(steps.begin(), steps.end()) {
    begin_next();
  }
  ScriptedSource(cluster::BusClock& clock, const std::vector<cluster::Bytes>& elements)
      : clock_(clock) {
    for (const cluster::Bytes& element : elements) {
      steps_.push_back({element});
    }
    begin_next();
  }
  /// Its end comes so long after its last element.
  void end_after(std::chrono::milliseconds time) {
    end_after_ = time;
    begin_next();
  }

  std::optional<cluster::Bytes> next(const std::stop_token& stop) override {
    if (!clock_.sleep_until(ready_at_, stop) || steps_.empty()) {
      return std::nullopt;
    }
    return take();
  }
  Polled poll() override {
    if (clock_.now() < ready_at_) {
      return {};
    }
    if (steps_.empty()) {
      return {.element = {}, .has_ended = true};
    }
    return {.element = take(), .has_ended = false};
  }
  [[nodiscard]] std::size_t left() const { return steps_.size(); }

 private:
  cluster::Bytes take() {
    cluster::Bytes element = std::move(steps_.front().element);
    steps_.pop_front();
    begin_next();
    return element;
  }
  void begin_next() {
    ready_at_ = clock_.after(steps_.empty() ? end_after_ : steps_.front().after);
  }

  cluster::BusClock& clock_;
  std::deque<Step> steps_;
  std::chrono::milliseconds end_after_{0};
  cluster::BusClock::TimePoint ready_at_;
};

/// A message of a stream as one sees it pass.
struct Seen {
  bool is_last = false;
  std::uint32_t index = 0;
  std::size_t n_elements = 0;
  std::string ack_subject;
  bool operator==(const Seen&) const = default;
};
inline Seen seen(const cluster::BusMessage& message) {
  const auto decoded = cluster::decode_stream_message<cluster::PlottingProgress>(message.payload);
  return {decoded.is_last, decoded.index, decoded.n_elements, decoded.ack_subject};
}

inline cluster::Bytes ack(std::uint32_t index) {
  return cluster::encode_message(cluster::StreamAcknowledgement{index});
}

inline const std::string kAckSubject = "stream-response-ack.01ARZ3NDEKTSV4RRFFQ69G5FAV";

inline cluster::Bytes continue_message(std::uint32_t index,
                                       const std::vector<cluster::Bytes>& elements) {
  return cluster::encode_stream_message(index, elements, kAckSubject);
}
inline cluster::Bytes last_message(std::uint32_t index,
                                   const std::vector<cluster::Bytes>& elements) {
  return cluster::encode_stream_message(index, elements, {});
}

}  // namespace furrow::test
