// SPDX-License-Identifier: Apache-2.0
// A plotter node behind a real server, and a farmer that talks to it.
#pragma once

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "host/cluster/stream_requester.hpp"
#include "host/node/plotter_node.hpp"
#include "host/plotting/cpu_records_encoder.hpp"
#include "host/plotting/plot_sector.hpp"
#include "tests/support/nats_test.hpp"
#include "tests/unit/pieces/made_up_pieces.hpp"
#include "tools/vectors/autonomys_inputs.hpp"

namespace furrow::test {

using namespace std::chrono_literals;
using cluster::PlottingProgress;

/// Made-up pieces of Autonomys for every index.
class MadeUpAutonomysGetter final : public AutonomysPieceGetter {
 public:
  void get_pieces(std::span<const PieceIndex> indices, const Sink& sink,
                  std::stop_token /*stop*/) override {
    for (const PieceIndex index : indices) {
      sink(index, AutonomysPieceAnswer::found(
                      vectors::made_up_autonomys_piece("scalars", 1000, 2000, index.value())));
    }
  }
};

/// What a farmer asks for, and the sector of it, made without a cluster.
inline cluster::PlotSectorRequest example_request() {
  cluster::PlotSectorRequest request;
  request.public_key.bytes.fill(0xAA);
  request.shard_commitments_root.bytes.fill(0xBB);
  request.sector_index = SectorIndex(7);
  request.pieces_in_sector = 2;
  return request;
}
inline std::optional<node::MadeSector> make_by_cpu(const SectorPlan& plan,
                                                   const Observer<const PlottingEvent&>& on_event,
                                                   const std::stop_token& stop) {
  MadeUpGetter abundance;
  MadeUpAutonomysGetter autonomys;
  const PieceGetterRef pieces =
      plan.network == Network::kAbundance ? PieceGetterRef(abundance) : PieceGetterRef(autonomys);
  CpuRecordsEncoder encoder({.threads = 1});
  node::MadeSector made;
  std::optional<PlottedSector> plotted = plot_sector(
      plan, {.download = {.piece_getter = pieces}, .encoder = encoder, .on_event = on_event},
      made.sector.bytes, stop);
  if (!plotted.has_value()) {
    return std::nullopt;
  }
  made.plotted_sector = *std::move(plotted);
  return made;
}
struct ExampleSector {
  PlottedSector plotted_sector;
  std::vector<std::uint8_t> bytes;
};
inline ExampleSector make_example(Network network) {
  auto sector = make_by_cpu(node::plan_of(network, example_request(), 1000), {}, {}).value();
  return {std::move(sector.plotted_sector), std::move(sector.sector.bytes)};
}
inline const ExampleSector& example_sector() {
  static const ExampleSector made = make_example(Network::kAbundance);
  return made;
}

/// What happened, for threads that wait for it.
class Happened {
 public:
  void add(const std::string& what) {
    const std::lock_guard lock(mutex_);
    all_.push_back(what);
    changed_.notify_all();
  }
  /// Whether it happens so often within ten seconds.
  [[nodiscard]] bool wait_for(const std::string& what, std::ptrdiff_t times = 1) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, 10s,
                             [&] { return std::count(all_.begin(), all_.end(), what) >= times; });
  }
  [[nodiscard]] std::vector<std::string> all() {
    const std::lock_guard lock(mutex_);
    return all_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> all_;
};

/// The elements of one answer.
struct Answer {
  std::vector<std::string> events;  ///< names, without pings
  std::size_t pings = 0;
  std::string error;
  std::optional<PlottedSector> plotted_sector;
  std::vector<std::uint8_t> bytes;
  std::size_t longest_chunk = 0;
  cluster::StreamEnd end;
};

class NodeTest : public NatsTest {
 protected:
  void SetUp() override {
    NatsTest::SetUp();
    if (IsSkipped()) {
      return;
    }
    start_server();
    farmer_ = connect();
  }
  void TearDown() override { end_.request_stop(); }

  /// Until it can be asked.
  void start(node::SectorMaker make_sector, node::PlotterNodeOptions options = {}) {
    options.on_event = [this](const node::NodeEvent& event) {
      static constexpr std::array kNames = {"accepted", "occupied",  "delivered",
                                            "failed",   "abandoned", "malformed"};
      happened_.add(kNames.at(event.what.index()));
    };
    options.place_check_interval = 20ms;
    id_ = options.id;
    network_ = options.network;
    node_bus_ = connect();
    node_.emplace(*node_bus_, std::move(make_sector), options);
    running_ =
        std::jthread([this] { unfinished_ = node_->run(drain_.get_token(), end_.get_token()); });
    ASSERT_TRUE(is_free_within(10s));
  }
  /// Waits until it has ended; how many sectors it left unfinished.
  std::size_t join() {
    running_.join();
    return unfinished_;
  }

  /// What one request for a free plotter gets: its identifier, "none", or "nobody".
  [[nodiscard]] std::string ask_for_free() const {
    try {
      const auto response =
          send_request(*farmer_, std::nullopt, cluster::FreeInstanceRequest{},
                       {.timeout = 10s, .most_delay = 0ms, .network = network_}, {});
      return response->plotter_id.value_or("none");
    } catch (const cluster::RequestUnanswered&) {
      return "nobody";
    }
  }
  [[nodiscard]] bool is_free_within(std::chrono::milliseconds time) const {
    return is_told_within(id_.to_string(), time);
  }
  /// Asks for a free plotter until the answer is that one.
  [[nodiscard]] bool is_told_within(const std::string& answer,
                                    std::chrono::milliseconds time) const {
    const auto until = std::chrono::steady_clock::now() + time;
    while (std::chrono::steady_clock::now() < until) {
      if (ask_for_free() == answer) {
        return true;
      }
      std::this_thread::sleep_for(10ms);
    }
    return false;
  }

  [[nodiscard]] Answer ask(const cluster::PlotSectorRequest& request) const {
    cluster::StreamRequest<cluster::PlotSectorRequest> stream(
        *farmer_, cluster::SubjectToken(id_.to_string(), "plotter id"), request,
        {.idle_timeout = 20s, .network = network_});
    Answer answer;
    while (auto element = stream.next({})) {
      static constexpr std::array kNames = {"Occupied",   "Ping",        "Downloading",
                                            "Downloaded", "Encoding",    "Encoded",
                                            "Finished",   "SectorChunk", "Failed"};
      const std::string name = kNames.at(element->event.index());
      if (name == "Ping") {
        ++answer.pings;
      } else if (answer.events.empty() || name != "SectorChunk" || answer.events.back() != name) {
        answer.events.push_back(name);
      }
      if (auto* const finished = std::get_if<PlottingProgress::Finished>(&element->event)) {
        answer.plotted_sector = std::move(finished->plotted_sector);
      } else if (auto* const chunk = std::get_if<PlottingProgress::SectorChunk>(&element->event)) {
        const auto& data = std::get<cluster::Bytes>(chunk->data);
        answer.bytes.insert(answer.bytes.end(), data.begin(), data.end());
        answer.longest_chunk = std::max(answer.longest_chunk, data.size());
      } else if (auto* const failed = std::get_if<PlottingProgress::Failed>(&element->event)) {
        answer.error = failed->error;
      }
    }
    answer.end = stream.end().value();
    return answer;
  }

  std::unique_ptr<cluster::Bus> farmer_;
  std::unique_ptr<cluster::Bus> node_bus_;
  cluster::PlotterId id_;
  Network network_ = Network::kAbundance;
  Happened happened_;
  std::stop_source drain_;
  std::stop_source end_;
  std::optional<node::PlotterNode> node_;
  std::size_t unfinished_ = 0;
  std::jthread running_;
};

}  // namespace furrow::test
