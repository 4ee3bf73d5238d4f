// SPDX-License-Identifier: Apache-2.0
#include "host/node/stream_places.hpp"

#include <algorithm>
#include <thread>
#include <utility>

#include "host/base/threads.hpp"

namespace furrow::node {

/// Members are of the mutex, but for `elements` and `stopping`, which are thread-safe.
struct StreamPlaces::Stream {
  std::unique_ptr<WalkedElements> elements = {};
  std::stop_source stopping = {};
  bool gives_way = false;
  bool is_over = false;
  std::jthread thread = {};  // last: it uses all of the above
};

StreamPlaces::StreamPlaces(std::size_t most, std::chrono::milliseconds patience)
    : most_(std::max<std::size_t>(most, 1)), patience_(patience) {}

StreamPlaces::~StreamPlaces() {
  end(std::chrono::milliseconds(0));
}

std::uint64_t StreamPlaces::gave_way() const {
  const Lock lock(mutex_);
  return gave_way_;
}

bool StreamPlaces::start(std::unique_ptr<WalkedElements> elements, Send send,
                         const std::stop_token& stop) {
  const Lock lock(mutex_);
  reap();
  while (streams_.size() >= most_) {
    wait_for_change(stop);
    if (stop.stop_requested()) {
      return false;
    }
    reap();
  }
  Stream& stream = streams_.emplace_back();
  stream.elements = std::move(elements);
  try {
    stream.thread = start_thread("piece-stream", [this, &stream, send = std::move(send)] {
      send(*stream.elements, stream.stopping.get_token());
      const Lock ending(mutex_);
      stream.is_over = true;
      ended_.notify_all();
    });
  } catch (...) {
    streams_.pop_back();
    throw;
  }
  return true;
}

/// Until a stream is over. Asks one to give way when there is one that may be asked.
void StreamPlaces::wait_for_change(const std::stop_token& stop) {
  const WalkedElements::Clock::time_point now = WalkedElements::Clock::now();
  // Nobody becomes due before this: whoever is not waited for now has all of his time before him.
  WalkedElements::Clock::time_point next_look = now + patience_;
  Stream* slowest = nullptr;
  WalkedElements::Clock::time_point since = now;
  bool one_gives_way = false;
  for (Stream& stream : streams_) {
    one_gives_way = one_gives_way || stream.gives_way;
    if (const auto waiting = stream.elements->waiting_since(); waiting && *waiting < since) {
      since = *waiting;
      slowest = &stream;
    }
  }
  if (slowest != nullptr && !one_gives_way) {
    if (now - since >= patience_) {
      slowest->gives_way = true;
      slowest->stopping.request_stop();
      ++gave_way_;
    } else {
      next_look = since + patience_;
    }
  }
  ended_.wait_until(mutex_, stop, next_look, [this]() FURROW_REQUIRES(mutex_) {
    return std::ranges::any_of(streams_, &Stream::is_over);
  });
}

/// What is over has left the mutex behind: joining its thread does not wait for anything of ours.
void StreamPlaces::reap() {
  streams_.remove_if([](const Stream& stream) { return stream.is_over; });
}

bool StreamPlaces::all_over() const {
  return std::ranges::all_of(streams_, &Stream::is_over);
}

void StreamPlaces::end(std::chrono::milliseconds farewell) {
  const Lock lock(mutex_);
  for (Stream& stream : streams_) {
    stream.elements->end_early();
  }
  ended_.wait_for(mutex_, farewell, [this]() FURROW_REQUIRES(mutex_) { return all_over(); });
  for (Stream& stream : streams_) {
    stream.stopping.request_stop();
  }
  ended_.wait(mutex_, [this]() FURROW_REQUIRES(mutex_) { return all_over(); });
  reap();
}

}  // namespace furrow::node
