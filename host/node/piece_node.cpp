// SPDX-License-Identifier: Apache-2.0
#include "host/node/piece_node.hpp"

#include <algorithm>
#include <exception>
#include <utility>

#include "host/base/foreign_error.hpp"
#include "host/base/threads.hpp"
#include "host/cluster/request.hpp"

namespace furrow::node {

using cluster::BusClock;
using cluster::BusMessage;
using cluster::Received;
using cluster::StreamSent;
using cluster::SubjectToken;
using cluster::Waited;

namespace {

/// Of readings that wait for a reader; those behind them wait in the subscription, which has its limit.
constexpr std::size_t kMostReadings = 16;

}  // namespace

SubjectToken default_cache_group() {
  return {"default", "cache group"};
}

PieceNode::PieceNode(cluster::Bus& bus, PieceStock& stock, ChainInfo chain,
                     PieceNodeOptions options)
    : bus_(bus),
      stock_(stock),
      chain_(std::move(chain)),
      options_(std::move(options)),
      readings_(kMostReadings),
      places_(options_.places, options_.patience) {}

PieceNode::~PieceNode() = default;

PieceNodeCounters PieceNode::counters() const {
  return {.requests = requests_,
          .streams = streams_,
          .malformed = malformed_,
          .abandoned = abandoned_,
          .gave_way = places_.gave_way(),
          .dropped = dropped_};
}

void PieceNode::run(const std::stop_token& stop) {
  std::vector<Service> services;
  add_controller(services);
  add_cache(services);
  for (Service& service : services) {
    service.subscription = bus_.subscribe(service.subject, service.group, service.limits);
  }
  std::stop_source serving;
  const auto stop_serving = [&] { serving.request_stop(); };
  const std::stop_callback on_stop(stop, stop_serving);
  const std::stop_callback on_gone(stock_.gone(), stop_serving);
  std::exception_ptr error;
  {
    ThreadGroup readers;
    try {
      readers.start_up_to(std::max<std::size_t>(options_.readers, 1), "piece-reader",
                          [this](std::size_t) { read(); });
      ThreadGroup threads(serving.get_token());
      threads.take_part([&] {  // so that one that does not start ends those that have
        for (Service& service : services) {
          threads.start("piece-requests",
                        [this, &service, end = threads.end()] { serve(service, end); });
        }
        if (wait_until_heard(bus_, options_.stream.draw_ulid, threads.end())) {
          options_.on_ready();
        }
      });
      threads.finish();
    } catch (...) {
      error = std::current_exception();
    }
    readings_.close();  // what is in it is read before they end
  }
  places_.end(error == nullptr ? options_.farewell : std::chrono::milliseconds(0));
  if (error != nullptr) {
    std::rethrow_exception(error);
  }
  stock_.rethrow_if_gone();
}

void PieceNode::serve(Service& service, const std::stop_token& stop) {
  cluster::BusSubscription& requests = *service.subscription;
  while (true) {
    const Received received = requests.next(BusClock::TimePoint::max(), stop);
    if (received.waited == Waited::kEnded) {
      throw cluster::BusError("subscription to " + service.subject + ": the connection was closed");
    }
    if (received.waited != Waited::kMessage) {
      break;
    }
    service.take(received.message, stop);
  }
  requests.unsubscribe();
  // What is on its way to us is ours to answer, and nobody else's.
  const BusClock::TimePoint deadline = bus_.clock().after(options_.farewell);
  for (Received left = requests.next(deadline, {}); left.waited == Waited::kMessage;
       left = requests.next(deadline, {})) {
    service.take(left.message, stop);
  }
  dropped_ += requests.dropped();
}

void PieceNode::read() {
  while (const std::optional<Reading> reading = readings_.receive()) {
    try {
      (*reading)();
    } catch (...) {
      // Whoever asked hears nothing, as the protocol has it.
      ++dropped_;
      options_.on_refused(message_of(std::current_exception()));
    }
  }
}

void PieceNode::send(const std::string& reply_subject, WalkedElements& elements,
                     const std::stop_token& stop) {
  try {
    const StreamSent sent = respond_stream(bus_, reply_subject, elements, options_.stream, stop);
    if (sent.outcome == StreamSent::Outcome::kComplete) {
      ++streams_;
    } else {
      ++abandoned_;
      options_.on_refused("stream to " + reply_subject + " after " +
                          std::to_string(sent.n_messages) + " messages: " + sent.reason);
    }
  } catch (...) {
    ++dropped_;
    options_.on_refused("stream to " + reply_subject + ": " + message_of(std::current_exception()));
  }
}

}  // namespace furrow::node
