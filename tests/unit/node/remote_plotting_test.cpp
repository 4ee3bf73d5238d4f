// SPDX-License-Identifier: Apache-2.0
// Sectors by plotters of a cluster that are good, full, forgetful, dead or liars.
#include "host/node/remote_plotting.hpp"

#include <map>
#include <mutex>

#include <gtest/gtest.h>

#include "host/base/threads.hpp"
#include "host/node/sector_check.hpp"
#include "tests/unit/cluster/stream_fixture.hpp"
#include "tests/unit/node/made_up_plotter.hpp"

namespace furrow::test {
namespace {

using cluster::Bytes;
using cluster::PlotSectorRequest;
using cluster::PlottingProgress;

std::vector<Bytes> good(const PlotSectorRequest& request) {
  return elements_of(made_up_plotted(request.sector_index), made_up_bytes(request.sector_index));
}
std::vector<Bytes> silent(const PlotSectorRequest&) {
  return {};
}
std::vector<Bytes> occupied(const PlotSectorRequest&) {
  return {encode_message(PlottingProgress{PlottingProgress::Occupied{}})};
}

std::vector<Bytes> failed(const PlotSectorRequest&) {
  return {encode_message(PlottingProgress{PlottingProgress::Failed{"no pieces"}})};
}

class RemotePlotting : public testing::Test {
 protected:
  /// Who asks for a free plotter is told these, one after the other, and round again.
  void say_free(std::vector<std::string> ids) {
    server_.add_peer("ab.plotter.free-instance", [this, ids](const cluster::BusMessage& message) {
      const std::string& id = ids[n_questions_++ % ids.size()];
      server_.publish(message.reply_subject, encode_message(cluster::FreeInstanceResponse{
                                                 id.empty() ? std::nullopt : std::optional(id)}));
    });
  }

  /// Plots sectors 0 to n - 1; those that were written are in written_.
  PlotResult plot(std::uint16_t n, std::size_t in_flight = 1) {
    node::RemotePlotting plotting(
        *bus_,
        [](const SectorPlan& plan, const node::ReceivedSector& sector, const std::stop_token&) {
          if (sector.bytes != made_up_bytes(plan.sector_index)) {
            throw node::WrongSector(plan.sector_index, "other bytes");
          }
        },
        {.in_flight = in_flight, .on_warning = [this](const std::string& line) {
           const std::lock_guard lock(mutex_);
           warnings_.push_back(line);
         }});
    std::uint16_t next = 0;
    const SectorSource source = [&]() -> std::optional<SectorPlan> {
      if (next == n) {
        return std::nullopt;
      }
      SectorPlan plan;
      plan.sector_index = SectorIndex(next++);
      plan.pieces_in_sector = 1;
      return plan;
    };
    const SectorSink sink = [&](const PlottedSector& sector, std::span<const std::uint8_t> bytes) {
      if (on_write_) {
        on_write_(sector.sector_index);
      }
      written_[sector.sector_index].assign(bytes.begin(), bytes.end());
    };
    // Time belongs to the workers, not to who waits for them.
    const MemoryServer::Away away(server_);
    const UseThreadHooks hooks(std::make_shared<ThreadHooks>(
        ThreadHooks{.on_start =
                        [this](const char*) {
                          taking_part() = std::make_unique<MemoryServer::Participant>(server_);
                        },
                    .on_end = [](const char*) { taking_part().reset(); }}));
    return plotting.make_sectors(
        {}, source,
        [this](SectorIndex index, const PlottingEvent& event) {
          if (const auto* const again = std::get_if<TryingAgain>(&event)) {
            again_.push_back(again->error);
          } else if (std::holds_alternative<Finished>(event)) {
            finished_.push_back(index);
          } else if (std::holds_alternative<Failed>(event)) {
            failed_.push_back(index);
          }
        },
        sink, stop_.get_token());
  }
  static std::unique_ptr<MemoryServer::Participant>& taking_part() {
    thread_local std::unique_ptr<MemoryServer::Participant> participant;
    return participant;
  }
  [[nodiscard]] bool are_written(std::uint16_t n) const {
    for (std::uint16_t i = 0; i < n; ++i) {
      const auto found = written_.find(SectorIndex(i));
      if (found == written_.end() || found->second != made_up_bytes(SectorIndex(i))) {
        return false;
      }
    }
    return written_.size() == n && finished_.size() == n;
  }

  MemoryServer server_{1, std::size_t{64} << 20};
  std::unique_ptr<MemoryBus> bus_ = server_.connect();
  std::stop_source stop_;
  std::function<void(SectorIndex)> on_write_;
  std::size_t n_questions_ = 0;
  std::map<SectorIndex, std::vector<std::uint8_t>> written_;
  std::vector<SectorIndex> finished_;
  std::vector<SectorIndex> failed_;
  std::vector<std::string> again_;
  std::mutex mutex_;
  std::vector<std::string> warnings_;
};

TEST_F(RemotePlotting, EverySectorIsWrittenOnce) {
  const MadeUpPlotter a(server_, "A", good);
  const MadeUpPlotter b(server_, "B", good);
  say_free({"A", "B"});
  EXPECT_EQ(plot(6, 3).outcome, PlotOutcome::kFinished);
  EXPECT_TRUE(are_written(6));
  EXPECT_EQ(a.requests().size() + b.requests().size(), 6U);
  EXPECT_TRUE(again_.empty());
}

TEST_F(RemotePlotting, AFullPlotterIsNoFailure) {
  const MadeUpPlotter full(server_, "FULL", occupied);
  const MadeUpPlotter free(server_, "FREE", good);
  say_free({"FULL", "", "FULL", "FREE"});
  EXPECT_EQ(plot(2).outcome, PlotOutcome::kFinished);
  EXPECT_TRUE(are_written(2));
  EXPECT_TRUE(again_.empty());
  EXPECT_EQ(full.requests().size(), 4U);
}

TEST_F(RemotePlotting, WaitsForPlottersAndSaysSoOnce) {
  const MadeUpPlotter plotter(server_, "A", good);
  say_free({"", "", "", "", "", "", "A"});
  const auto before = server_.now();
  EXPECT_EQ(plot(1).outcome, PlotOutcome::kFinished);
  EXPECT_TRUE(are_written(1));
  EXPECT_EQ(server_.now() - before, 1s + 2s + 4s + 3 * 5s);
  ASSERT_EQ(warnings_.size(), 1U);
  EXPECT_NE(warnings_[0].find("no plotter"), std::string::npos);
}

TEST_F(RemotePlotting, AnotherPlotterMakesTheSectorOfOneThatDies) {
  const MadeUpPlotter dead(server_, "DEAD", silent);
  const MadeUpPlotter alive(server_, "ALIVE", good);
  say_free({"DEAD", "ALIVE"});
  const auto before = server_.now();
  EXPECT_EQ(plot(1).outcome, PlotOutcome::kFinished);
  EXPECT_TRUE(are_written(1));
  EXPECT_EQ(again_.size(), 1U);
  EXPECT_EQ(server_.now() - before, 60s + 1s);  // without a ping, then a pause
}

TEST_F(RemotePlotting, ALiarIsFoundOutAndAskedNoMore) {
  const MadeUpPlotter liar(server_, "LIAR", [](const PlotSectorRequest& request) {
    return elements_of(made_up_plotted(request.sector_index), made_up_bytes(SectorIndex(99)));
  });
  const MadeUpPlotter honest(server_, "HONEST", good);
  say_free({"LIAR", "HONEST"});
  EXPECT_EQ(plot(4).outcome, PlotOutcome::kFinished);
  EXPECT_TRUE(are_written(4));
  EXPECT_EQ(liar.requests().size(), 1U);
  ASSERT_EQ(warnings_.size(), 1U);
  EXPECT_NE(warnings_[0].find("LIAR"), std::string::npos);
  EXPECT_NE(warnings_[0].find("other bytes"), std::string::npos);
}

TEST_F(RemotePlotting, ASectorThatFailsIsAskedForAgainEverMoreSlowly) {
  std::size_t n = 0;
  const MadeUpPlotter plotter(server_, "A", [&](const PlotSectorRequest& request) {
    return ++n < 10 ? failed(request) : good(request);
  });
  say_free({"A"});
  const auto before = server_.now();
  EXPECT_EQ(plot(1).outcome, PlotOutcome::kFinished);
  EXPECT_TRUE(are_written(1));
  EXPECT_EQ(again_.size(), 9U);
  EXPECT_EQ(server_.now() - before, 1s + 2s + 4s + 8s + 16s + 32s + 3 * 60s);
}

TEST_F(RemotePlotting, AnIdentifierThatOneCannotPublishToIsNone) {
  const MadeUpPlotter plotter(server_, "A", good);
  say_free({"not a token", "*", "a.b", "A"});
  EXPECT_EQ(plot(1).outcome, PlotOutcome::kFinished);
  EXPECT_TRUE(are_written(1));
}

TEST_F(RemotePlotting, AStopEndsIt) {
  const MadeUpPlotter plotter(server_, "A", [this](const PlotSectorRequest& request) {
    if (request.sector_index == SectorIndex(1)) {
      stop_.request_stop();
    }
    return std::vector<Bytes>();
  });
  say_free({"A"});
  EXPECT_EQ(plot(3, 2).outcome, PlotOutcome::kCancelled);
  EXPECT_TRUE(written_.empty());
}

TEST_F(RemotePlotting, WhatTheFarmCannotWriteEndsIt) {
  const MadeUpPlotter plotter(server_, "A", good);
  say_free({"A"});
  on_write_ = [](SectorIndex index) {
    if (index == SectorIndex(1)) {
      throw IoError("write", "plot.bin", "the disk is gone");
    }
  };
  EXPECT_THROW(plot(3), IoError);
  EXPECT_EQ(failed_, std::vector<SectorIndex>{SectorIndex(1)});
  EXPECT_EQ(written_.size(), 1U);
}

}  // namespace
}  // namespace furrow::test
