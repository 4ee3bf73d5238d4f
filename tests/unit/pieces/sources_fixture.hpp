// SPDX-License-Identifier: Apache-2.0
// Sources that fail when a test wants them to, and a clock for waiting for them.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <stdexcept>
#include <utility>
#include <vector>

#include "host/pieces/piece_sources.hpp"
#include "host/pieces/source_errors.hpp"
#include "tests/unit/pieces/made_up_pieces.hpp"

namespace furrow::test {

/// Lets a test keep a hand on a getter that PieceSources owns.
class Shared : public PieceGetter {
 public:
  explicit Shared(PieceGetter& getter) : getter_(getter) {}
  void get_pieces(std::span<const PieceIndex> indices, const Sink& sink,
                  std::stop_token stop) override {
    getter_.get_pieces(indices, sink, stop);
  }

 private:
  PieceGetter& getter_;
};

/// Fails as a whole while is_down, in one of two ways.
class Unreliable : public MadeUpGetter {
 public:
  std::atomic<bool> is_down = false;
  bool throws = true;
  std::exception_ptr with = std::make_exception_ptr(HttpConnectionFailed("refused"));
  int n_calls = 0;
  void get_pieces(std::span<const PieceIndex> indices, const Sink& sink,
                  std::stop_token stop) override {
    ++n_calls;
    if (!is_down) {
      MadeUpGetter::get_pieces(indices, sink, stop);
    } else if (throws) {
      throw std::runtime_error("out of order");
    } else {
      for (const PieceIndex index : indices) {
        sink(index, PieceAnswer::failed(with));
      }
    }
  }
};

inline std::vector<PieceSource> named(
    std::initializer_list<std::pair<const char*, PieceGetter*>> list) {
  std::vector<PieceSource> sources;
  for (const auto& [name, getter] : list) {
    sources.push_back({name, std::make_unique<Shared>(*getter)});
  }
  return sources;
}

/// Options with a clock that stands still but for waiting, and that remember what was said.
struct Scene {
  using Clock = PieceSourcesOptions::Clock;
  std::shared_ptr<Clock::time_point> now =
      std::make_shared<Clock::time_point>(Clock::duration(std::chrono::hours(1)));
  std::vector<std::chrono::milliseconds> waits;
  std::vector<PieceSourceEvent> events;
  std::vector<std::uint64_t> bad;
  int n_reports = 0;
  std::function<void()> on_wait;

  PieceSourcesOptions options() {
    PieceSourcesOptions result;
    result.backoff = std::chrono::seconds(10);
    result.max_backoff = std::chrono::seconds(35);
    result.patience = std::chrono::seconds(0);
    result.now = [now = now] { return *now; };
    result.sleep_until = [this](Clock::time_point until, const std::stop_token&) {
      waits.push_back(std::chrono::ceil<std::chrono::milliseconds>(until - *now));
      *now = std::max(*now, until);
      if (on_wait) {
        on_wait();
      }
    };
    result.on_event = [this](const PieceSourceEvent& event) { events.push_back(event); };
    result.on_bad_answer = [this](const PieceSource&, PieceIndex index, const auto&) {
      bad.push_back(index.value());
    };
    result.on_faults = [this] { ++n_reports; };
    return result;
  }
  [[nodiscard]] std::vector<PieceSourceEvent::Change> changes() const {
    std::vector<PieceSourceEvent::Change> result;
    for (const PieceSourceEvent& event : events) {
      result.push_back(event.change);
    }
    return result;
  }
};
using Change = PieceSourceEvent::Change;
using Waits = std::vector<std::chrono::milliseconds>;

}  // namespace furrow::test
