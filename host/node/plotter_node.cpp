// SPDX-License-Identifier: Apache-2.0
#include "host/node/plotter_node.hpp"

#include <algorithm>
#include <exception>
#include <memory>
#include <utility>

#include "host/base/foreign_error.hpp"
#include "host/base/threads.hpp"
#include "host/cluster/request.hpp"
#include "host/cluster/stream_packer.hpp"
#include "host/primitives/sector_id.hpp"

namespace furrow::node {

using cluster::BusClock;
using cluster::BusMessage;
using cluster::Bytes;
using cluster::PlottingProgress;
using cluster::Received;
using cluster::StreamSent;
using cluster::Waited;

namespace {

using Clock = std::chrono::steady_clock;

/// What farmers are told of an event; none of those that are none of their business.
struct Progress {
  PlottingElements& elements;

  void operator()(const Downloading&) const { elements.tell({PlottingProgress::Downloading{}}); }
  void operator()(const Downloaded& event) const {
    elements.tell({PlottingProgress::Downloaded{time(event.duration)}});
  }
  void operator()(const Encoding&) const { elements.tell({PlottingProgress::Encoding{}}); }
  void operator()(const Encoded& event) const {
    elements.tell({PlottingProgress::Encoded{time(event.duration)}});
  }
  // How it ends, the node says itself, and what is made again begins with Downloading.
  void operator()(const auto&) const {}

  static cluster::Duration time(std::chrono::duration<double> time) {
    return cluster::Duration::from(std::chrono::duration_cast<std::chrono::nanoseconds>(time));
  }
};

/// A stream of one element.
class OneElement final : public cluster::ElementSource {
 public:
  explicit OneElement(Bytes element) : element_(std::move(element)) {}
  std::optional<Bytes> next(const std::stop_token&) override {
    return std::exchange(element_, std::nullopt);
  }
  Polled poll() override { return {.element = {}, .has_ended = true}; }

 private:
  std::optional<Bytes> element_;
};

[[noreturn]] void throw_closed(const std::string& subject) {
  throw cluster::BusError("subscription to " + subject + ": the connection was closed");
}

std::string subject_of_requests(const PlotterNodeOptions& options) {
  return cluster::PlotSectorRequest::kSubject.with({options.id.to_string(), "plotter id"},
                                                   options.network);
}

}  // namespace

SectorPlan plan_of(Network network, const cluster::PlotSectorRequest& request,
                   std::uint16_t most_pieces_in_sector) {
  const auto refuse = [](const std::string& what, const std::string& expected,
                         std::uint16_t actual) {
    throw InvalidArgument("plot sector request: " + what + ": expected " + expected + ", actual " +
                              std::to_string(actual),
                          {.expected = expected, .actual = std::to_string(actual)});
  };
  if (request.pieces_in_sector == 0 || request.pieces_in_sector > most_pieces_in_sector) {
    refuse("pieces in sector", "1 to " + std::to_string(most_pieces_in_sector),
           request.pieces_in_sector);
  }
  if (request.farmer_protocol_info.max_pieces_in_sector == 0) {
    refuse("max pieces in sector", "at least 1", 0);
  }
  return {.network = network,
          .public_key_hash = public_key_hash(request.public_key),
          .shard_commitments_root = request.shard_commitments_root,
          .sector_index = request.sector_index,
          .protocol_info = request.farmer_protocol_info,
          .pieces_in_sector = request.pieces_in_sector};
}

/// One sector, from the request to the last byte: a thread that plots and one that sends.
class PlotterNode::Job {
 public:
  Job(PlotterNode& node, const SectorPlan& plan, std::string response_subject,
      Permits::Permit place)
      : node_(node),
        plan_(plan),
        response_subject_(std::move(response_subject)),
        place_(std::move(place)),
        elements_(node.bus_.clock(), node.options_.ping_interval,
                  cluster::approximate_max_message_size(node.bus_.max_payload())) {}

  /// Throws ResourceExhausted; the job is over then.
  void start() {
    thread_ = start_thread("cluster-sector", [this] { run(); });
  }
  [[nodiscard]] bool is_over() const { return is_over_; }
  /// The farmer is told that the sector will not come.
  void stop_plotting() { plotting_.request_stop(); }
  void stop_sending() { sending_.request_stop(); }

 private:
  void run() {
    node_.tell(NodeEvent::Accepted{}, plan_.sector_index);
    {
      std::jthread plotter;
      try {
        plotter = start_thread("plot-sector", [this] { plot(); });
      } catch (const ResourceExhausted& error) {
        fail(error.what());
        elements_.end();
      }
      send();
      if (!abandoned_.empty()) {
        plotting_.request_stop();
      }
    }
    if (!abandoned_.empty()) {
      node_.tell(NodeEvent::Abandoned{abandoned_}, plan_.sector_index);
    } else if (!failure_.empty()) {
      node_.tell(NodeEvent::Failed{failure_}, plan_.sector_index);
    } else {
      node_.tell(NodeEvent::Delivered{Clock::now() - begin_}, plan_.sector_index);
    }
    elements_.drop();
    place_.reset();  // the bytes are gone
    node_.end_of(is_over_);
  }

  void plot() {
    try {
      std::optional<MadeSector> made = node_.make_sector_(
          plan_, [this](const PlottingEvent& event) { std::visit(Progress{elements_}, event); },
          plotting_.get_token());
      if (made.has_value()) {
        elements_.finish({std::move(made->plotted_sector), Progress::time(Clock::now() - begin_)},
                         std::move(made->sector));
      } else {
        fail("the plotter was asked to end");
      }
    } catch (...) {
      fail(message_of(std::current_exception()));
    }
    elements_.end();
  }

  void fail(const std::string& reason) {
    failure_ = reason;
    elements_.fail(reason);
  }

  void send() {
    try {
      const StreamSent sent = respond_stream(node_.bus_, response_subject_, elements_,
                                             node_.options_.stream, sending_.get_token());
      if (sent.outcome != StreamSent::Outcome::kComplete) {
        abandoned_ = sent.reason;
      }
    } catch (...) {
      abandoned_ = message_of(std::current_exception());
    }
  }

  PlotterNode& node_;
  const SectorPlan plan_;
  const std::string response_subject_;
  std::optional<Permits::Permit> place_;
  const Clock::time_point begin_ = Clock::now();
  PlottingElements elements_;
  std::string failure_;    // of the thread that plots, then of the other
  std::string abandoned_;  // of the thread that sends
  std::stop_source plotting_;
  std::stop_source sending_;
  std::atomic<bool> is_over_ = false;
  std::jthread thread_;  // last: it uses all of the above
};

PlotterNode::PlotterNode(cluster::Bus& bus, SectorMaker make_sector, PlotterNodeOptions options)
    : bus_(bus),
      make_sector_(std::move(make_sector)),
      options_(std::move(options)),
      places_(options_.places) {}

PlotterNode::~PlotterNode() = default;

void PlotterNode::tell(decltype(NodeEvent::what) what, SectorIndex sector_index) const {
  options_.on_event({std::move(what), sector_index});
}

void PlotterNode::end_of(std::atomic<bool>& is_over) {
  const Lock lock(mutex_);
  is_over = true;
  job_ended_.notify_all();
}

std::size_t PlotterNode::run(const std::stop_token& drain, const std::stop_token& end) {
  // Before anybody is told the identifier.
  const std::string subject = subject_of_requests(options_);
  const auto requests = bus_.subscribe(subject, options_.id.to_string());
  std::stop_source serving;
  const auto stop_serving = [&] { serving.request_stop(); };
  const std::stop_callback on_drain(drain, stop_serving);
  const std::stop_callback on_end(end, stop_serving);
  if (!wait_until_heard(bus_, options_.stream.draw_ulid, serving.get_token())) {
    return 0;
  }
  options_.on_ready();
  std::exception_ptr error;
  {
    ThreadGroup threads(serving.get_token());
    try {
      threads.start("free-instance", [&] { offer(threads.end()); });
      threads.take_part([&] { serve(*requests, subject, threads.end()); });
      threads.finish();
    } catch (...) {
      error = std::current_exception();
    }
  }
  const std::size_t unfinished = finish_jobs(end, error != nullptr);
  if (error != nullptr) {
    std::rethrow_exception(error);
  }
  return unfinished;
}

void PlotterNode::offer(const std::stop_token& stop) {
  using cluster::FreeInstanceRequest;
  const std::string subject = FreeInstanceRequest::kSubject.without_instance(options_.network);
  const auto answer = [&](const BusMessage& request) {
    const bool is_free = !stop.stop_requested() && places_.free() > 0;
    if (!request.reply_subject.empty()) {
      cluster::FreeInstanceResponse response;
      if (is_free) {
        response.plotter_id = options_.id.to_string();
      }
      try {
        bus_.publish(request.reply_subject, encode_message(response));
      } catch (const Error& error) {
        // A subject that is none, or a connection that has been away for too long: of one that is
        // closed, next() tells.
        tell(NodeEvent::Malformed{error.what()}, {});
      }
    }
    return is_free;
  };
  BusClock& clock = bus_.clock();
  while (!stop.stop_requested()) {
    if (places_.free() == 0) {
      clock.sleep_until(clock.after(options_.place_check_interval), stop);
      continue;
    }
    const auto requests =
        bus_.subscribe(subject, FreeInstanceRequest::kSubject.queue_group({}, options_.network));
    while (true) {
      const Received received = requests->next(BusClock::TimePoint::max(), stop);
      if (received.waited == Waited::kEnded) {
        throw_closed(subject);
      }
      if (received.waited != Waited::kMessage || !answer(received.message)) {
        break;
      }
    }
    requests->unsubscribe();
    // Those that the server had sent by then are ours to answer, and nobody else's.
    for (Received left = requests->next(BusClock::TimePoint::max(), {});
         left.waited == Waited::kMessage; left = requests->next(BusClock::TimePoint::max(), {})) {
      answer(left.message);
    }
  }
}

void PlotterNode::serve(cluster::BusSubscription& requests, const std::string& subject,
                        const std::stop_token& stop) {
  while (true) {
    const Received received = requests.next(BusClock::TimePoint::max(), stop);
    if (received.waited == Waited::kEnded) {
      throw_closed(subject);
    }
    if (received.waited != Waited::kMessage) {
      break;
    }
    take(received.message);
  }
  requests.unsubscribe();
  for (Received left = requests.next(BusClock::TimePoint::max(), {});
       left.waited == Waited::kMessage; left = requests.next(BusClock::TimePoint::max(), {})) {
    refuse(left.message.reply_subject, {PlottingProgress::Occupied{}});
  }
}

void PlotterNode::take(const BusMessage& message) {
  jobs_.remove_if([](const Job& job) { return job.is_over(); });
  if (message.reply_subject.empty()) {
    return tell(NodeEvent::Malformed{"plot sector request: nobody waits for an answer"}, {});
  }
  cluster::PlotSectorRequest request;
  try {
    request =
        cluster::decode_message<cluster::PlotSectorRequest>(message.payload, options_.network);
  } catch (const cluster::MalformedMessage& error) {
    return tell(NodeEvent::Malformed{error.what()}, {});
  }
  const auto fail = [&](const std::string& reason) {
    refuse(message.reply_subject, {PlottingProgress::Failed{reason}});
    tell(NodeEvent::Failed{reason}, request.sector_index);
  };
  std::optional<Permits::Permit> place = places_.try_acquire();
  if (!place.has_value()) {
    refuse(message.reply_subject, {PlottingProgress::Occupied{}});
    return tell(NodeEvent::Occupied{}, request.sector_index);
  }
  try {
    const SectorPlan plan = plan_of(options_.network, request, options_.most_pieces_in_sector);
    jobs_.emplace_back(*this, plan, message.reply_subject, *std::move(place));
    try {
      jobs_.back().start();
    } catch (...) {
      jobs_.pop_back();
      throw;
    }
  } catch (const Error& error) {
    fail(error.what());
  }
}

void PlotterNode::refuse(const std::string& response_subject, const PlottingProgress& answer) {
  if (response_subject.empty()) {
    return;
  }
  OneElement element(encode_message(answer));
  try {
    // One message, which nobody acknowledges: nothing to wait for.
    static_cast<void>(respond_stream(bus_, response_subject, element, options_.stream, {}));
  } catch (const Error& error) {
    tell(NodeEvent::Malformed{error.what()}, {});
  }
}

std::size_t PlotterNode::finish_jobs(const std::stop_token& end, bool is_disconnected) {
  const Lock lock(mutex_);
  const auto all_over = [this] {
    return std::ranges::all_of(jobs_, [](const Job& job) { return job.is_over(); });
  };
  std::size_t unfinished = 0;
  if (is_disconnected || !job_ended_.wait(mutex_, end, all_over)) {
    for (Job& job : jobs_) {
      unfinished += job.is_over() ? 0U : 1U;
      job.stop_plotting();
    }
    job_ended_.wait_for(mutex_, options_.farewell, all_over);
  }
  for (Job& job : jobs_) {
    job.stop_sending();
  }
  {
    const Unlocked unlocked(mutex_);
    jobs_.clear();
  }
  return unfinished;
}

}  // namespace furrow::node
