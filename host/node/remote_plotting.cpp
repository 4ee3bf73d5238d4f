// SPDX-License-Identifier: Apache-2.0
#include "host/node/remote_plotting.hpp"

#include <algorithm>
#include <exception>
#include <utility>

#include "host/base/foreign_error.hpp"
#include "host/base/threads.hpp"
#include "host/node/sector_check.hpp"

namespace furrow::node {

using cluster::SubjectToken;

namespace {

using Clock = std::chrono::steady_clock;

/// Pauses that double.
class Pauses {
 public:
  Pauses(std::chrono::milliseconds least, std::chrono::milliseconds most)
      : next_(least), most_(most) {}
  std::chrono::milliseconds next() { return std::exchange(next_, std::min(2 * next_, most_)); }

 private:
  std::chrono::milliseconds next_;
  const std::chrono::milliseconds most_;
};

}  // namespace

/// One call of make_sectors.
class RemotePlotting::Farm {
 public:
  Farm(RemotePlotting& plotting, const PublicKey& public_key, const SectorSource& next,
       const Observer<SectorIndex, const PlottingEvent&>& on_event, const SectorSink& write)
      : plotting_(plotting),
        public_key_(public_key),
        next_(next),
        on_event_(on_event),
        write_(write) {}

  /// The life of a worker.
  void work(const std::stop_token& stop) {
    const RemotePlottingOptions& options = plotting_.options_;
    while (options.gate == nullptr ? !stop.stop_requested() : options.gate->wait(stop)) {
      const std::optional<Permits::Permit> permit = plotting_.in_flight_.acquire(stop);
      if (!permit.has_value()) {
        return;
      }
      const std::optional<SectorPlan> plan = next_sector();
      if (!plan.has_value()) {
        return;
      }
      try {
        const auto start = Clock::now();
        const std::optional<ReceivedSector> sector = obtain(*plan, stop);
        if (!sector.has_value()) {
          return;
        }
        report(plan->sector_index, Writing{});
        write(*sector);
        report(plan->sector_index, Finished{Clock::now() - start});
      } catch (...) {
        report(plan->sector_index, Failed{message_of(std::current_exception())});
        throw;
      }
    }
  }

 private:
  std::optional<SectorPlan> next_sector() {
    const Lock lock(next_mutex_);
    return with_typed_errors("the source of sectors", next_);
  }
  void write(const ReceivedSector& sector) {
    const Lock lock(write_mutex_);
    with_typed_errors("the sink of sectors", [&] { write_(sector.plotted_sector, sector.bytes); });
  }
  void report(SectorIndex index, const PlottingEvent& event) {
    const Lock lock(event_mutex_);
    on_event_(index, event);
  }

  /// From whichever plotter makes it in the end; none when a stop was requested.
  std::optional<ReceivedSector> obtain(const SectorPlan& plan, const std::stop_token& stop) {
    const cluster::PlotSectorRequest request{.public_key = public_key_,
                                             .shard_commitments_root = plan.shard_commitments_root,
                                             .sector_index = plan.sector_index,
                                             .farmer_protocol_info = plan.protocol_info,
                                             .pieces_in_sector = plan.pieces_in_sector};
    const RemotePlottingOptions& options = plotting_.options_;
    Pauses after_failure(options.least_pause, options.most_pause_after_failure);
    Pauses when_occupied(options.least_pause, options.most_pause_without_plotter);
    for (bool was_occupied = false;;) {
      const std::optional<SubjectToken> plotter = plotting_.find_plotter(stop);
      if (!plotter.has_value()) {
        return std::nullopt;
      }
      SectorAnswer answer = ask(*plotter, request, stop);
      std::string failure;
      if (auto* const sector = std::get_if<ReceivedSector>(&answer.what)) {
        try {
          plotting_.check_(plan, *sector, stop);
          return std::move(*sector);
        } catch (const WrongSector& error) {
          failure = error.what();
          plotting_.distrust(*plotter, failure);
        }
      } else if (std::holds_alternative<SectorAnswer::Stopped>(answer.what)) {
        return std::nullopt;
      } else if (std::holds_alternative<SectorAnswer::Occupied>(answer.what)) {
        // Somebody was faster. The next plotter is asked at once, but a plotter that calls itself free
        // for ever not without a pause.
        if (std::exchange(was_occupied, true) && !pause(when_occupied.next(), stop)) {
          return std::nullopt;
        }
        continue;
      } else if (const auto* const wrong = std::get_if<SectorAnswer::Wrong>(&answer.what)) {
        failure = wrong->reason;
        plotting_.distrust(*plotter, failure);
      } else if (const auto* const refused = std::get_if<SectorAnswer::Refused>(&answer.what)) {
        failure = "plotter " + plotter->text() + " says: " + refused->reason;
      } else {
        failure = std::get<SectorAnswer::Lost>(answer.what).reason;
      }
      answer = {};  // its bytes are of no use while the next ones come
      report(plan.sector_index, TryingAgain{failure, /*is_at_the_end=*/false});
      if (!pause(after_failure.next(), stop)) {
        return std::nullopt;
      }
    }
  }

  SectorAnswer ask(const SubjectToken& plotter, const cluster::PlotSectorRequest& request,
                   const std::stop_token& stop) {
    count_under_way(1);
    try {
      SectorAnswer answer = request_sector(
          plotting_.bus_, plotter, request,
          {.ping_timeout = plotting_.options_.ping_timeout,
           .on_event = [&](const PlottingEvent& event) { report(request.sector_index, event); }},
          stop);
      count_under_way(-1);
      return answer;
    } catch (...) {
      count_under_way(-1);
      throw;
    }
  }
  void count_under_way(int change) {
    const Lock lock(plotting_.mutex_);
    plotting_.under_way_ += static_cast<std::size_t>(change);
  }
  bool pause(std::chrono::milliseconds time, const std::stop_token& stop) {
    cluster::BusClock& clock = plotting_.bus_.clock();
    return clock.sleep_until(clock.after(time), stop);
  }

  RemotePlotting& plotting_;
  const PublicKey& public_key_;
  const SectorSource& next_;
  const Observer<SectorIndex, const PlottingEvent&>& on_event_;
  const SectorSink& write_;
  Mutex next_mutex_;   // of calls of next_
  Mutex write_mutex_;  // of calls of write_
  Mutex event_mutex_;  // of calls of on_event_
};

RemotePlotting::RemotePlotting(cluster::Bus& bus, CheckReceived check,
                               RemotePlottingOptions options)
    : bus_(bus),
      check_(std::move(check)),
      options_(std::move(options)),
      in_flight_(options_.in_flight) {}

PlotResult RemotePlotting::make_sectors(const PublicKey& public_key, const SectorSource& next,
                                        const Observer<SectorIndex, const PlottingEvent&>& on_event,
                                        const SectorSink& write, const std::stop_token& stop) {
  Farm farm(*this, public_key, next, on_event, write);
  ThreadGroup workers(stop);
  workers.start_up_to(options_.in_flight, "remote-sector",
                      [&](std::size_t) { farm.work(workers.end()); });
  workers.finish();
  return {stop.stop_requested() ? PlotOutcome::kCancelled : PlotOutcome::kFinished, {}};
}

std::optional<SubjectToken> RemotePlotting::find_plotter(const std::stop_token& stop) {
  const std::optional<Permits::Permit> turn = asking_.acquire(stop);
  if (!turn.has_value()) {
    return std::nullopt;
  }
  Pauses pauses(options_.least_pause, options_.most_pause_without_plotter);
  for (unsigned n_asked = 1; !stop.stop_requested(); ++n_asked) {
    if (std::optional<SubjectToken> plotter = ask_for_plotter(stop)) {
      return plotter;
    }
    // Once may be chance, and when some work for us there is nothing to tell.
    if (!stop.stop_requested() && n_asked == 2 && !is_any_under_way()) {
      options_.on_warning(
          "no plotter of the cluster says that it is free; asking again until one does");
    }
    bus_.clock().sleep_until(bus_.clock().after(pauses.next()), stop);
  }
  return std::nullopt;
}

bool RemotePlotting::is_any_under_way() const {
  const Lock lock(mutex_);
  return under_way_ != 0;
}

/// None when there is none now.
std::optional<SubjectToken> RemotePlotting::ask_for_plotter(const std::stop_token& stop) {
  try {
    const std::optional<cluster::FreeInstanceResponse> response =
        send_request(bus_, std::nullopt, cluster::FreeInstanceRequest{}, options_.request, stop);
    if (!response.has_value() || !response->plotter_id.has_value()) {
      return std::nullopt;
    }
    const Lock lock(mutex_);
    if (distrusted_.contains(*response->plotter_id)) {
      return std::nullopt;
    }
    return SubjectToken(*response->plotter_id, "plotter id");
  } catch (const cluster::RequestUnanswered&) {
  } catch (const cluster::MalformedMessage&) {
  } catch (const InvalidArgument&) {  // an identifier that one cannot publish to
  }
  return std::nullopt;
}

void RemotePlotting::distrust(const SubjectToken& plotter, const std::string& reason) {
  const bool is_new = [&] {
    const Lock lock(mutex_);
    return distrusted_.insert(plotter.text()).second;
  }();
  if (is_new) {
    options_.on_warning("plotter " + plotter.text() +
                        " is asked no more, because of what it sent: " + reason);
  }
}

}  // namespace furrow::node
