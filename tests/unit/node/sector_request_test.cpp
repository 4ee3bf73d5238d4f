// SPDX-License-Identifier: Apache-2.0
// One sector asked of one plotter, which sends what the protocol has, and what it has not
// (docs/spec/07-cluster-protocol.md, sections 7.3 and 7.4).
#include "host/node/sector_request.hpp"

#include <chrono>

#include <gtest/gtest.h>

#include "tests/unit/cluster/stream_fixture.hpp"
#include "tests/unit/node/made_up_plotter.hpp"

namespace furrow::test {
namespace {

using cluster::Bytes;
using cluster::PlottingProgress;
using node::SectorAnswer;

constexpr SectorIndex kSector{7};

class SectorRequest : public testing::Test {
 protected:
  SectorRequest() {
    request_.sector_index = kSector;
    request_.pieces_in_sector = 1;
  }

  /// Asks a plotter that answers with these elements.
  SectorAnswer ask(const std::vector<Bytes>& elements, const std::stop_token& stop = {}) {
    const MadeUpPlotter plotter(server_, "P", [&](const auto&) { return elements; });
    return request(stop);
  }
  SectorAnswer request(const std::stop_token& stop = {}) {
    return node::request_sector(
        *bus_, {"P", "plotter"}, request_,
        {.on_event = [this](const PlottingEvent& event) { events_.push_back(event.index()); }},
        stop);
  }
  static std::string wrong(const SectorAnswer& answer) {
    const auto* const what = std::get_if<SectorAnswer::Wrong>(&answer.what);
    return what != nullptr ? what->reason : "not wrong";
  }
  static std::string lost(const SectorAnswer& answer) {
    const auto* const what = std::get_if<SectorAnswer::Lost>(&answer.what);
    return what != nullptr ? what->reason : "not lost";
  }
  static std::string refused(const SectorAnswer& answer) {
    const auto* const what = std::get_if<SectorAnswer::Refused>(&answer.what);
    return what != nullptr ? what->reason : "not refused";
  }

  MemoryServer server_{1, std::size_t{64} << 20};
  std::unique_ptr<MemoryBus> bus_ = server_.connect();
  cluster::PlotSectorRequest request_;
  const PlottedSector plotted_ = made_up_plotted(kSector);
  const std::vector<std::uint8_t> bytes_ = made_up_bytes(kSector);
  std::vector<std::size_t> events_;
};

TEST_F(SectorRequest, BringsTheSectorAndTellsHowFarItIs) {
  const SectorAnswer answer = ask(elements_of(plotted_, bytes_, 5));
  const auto& sector = std::get<node::ReceivedSector>(answer.what);
  EXPECT_EQ(sector.plotted_sector, plotted_);
  EXPECT_EQ(sector.bytes, bytes_);
  EXPECT_EQ(events_, (std::vector<std::size_t>{
                         PlottingEvent(Downloading{}).index(), PlottingEvent(Downloaded{}).index(),
                         PlottingEvent(Encoding{}).index(), PlottingEvent(Encoded{}).index()}));
}

TEST_F(SectorRequest, TellsAPlotterThatIsFullFromOneThatFails) {
  EXPECT_TRUE(std::holds_alternative<SectorAnswer::Occupied>(
      ask({encode_message(PlottingProgress{PlottingProgress::Occupied{}})}).what));
}

TEST_F(SectorRequest, SaysWhatThePlotterSays) {
  EXPECT_EQ(refused(ask({encode_message(PlottingProgress{PlottingProgress::Failed{"no pieces"}})})),
            "no pieces");
}

TEST_F(SectorRequest, SaysThatTheBytesFailed) {
  std::vector<Bytes> elements = elements_of(plotted_, bytes_);
  elements.back() = encode_message(
      PlottingProgress{PlottingProgress::SectorChunk{cluster::RemoteFailure{"disk on fire"}}});
  EXPECT_EQ(refused(ask(elements)), "disk on fire");
}

TEST_F(SectorRequest, NeverTakesAPartForTheWhole) {
  std::vector<Bytes> elements = elements_of(plotted_, bytes_, 3);
  elements.pop_back();
  const std::string reason = lost(ask(elements));
  EXPECT_NE(reason.find("expected " + std::to_string(bytes_.size()) + " bytes"), std::string::npos)
      << reason;
}

TEST_F(SectorRequest, NeverTakesMoreThanASectorHas) {
  std::vector<Bytes> elements = elements_of(plotted_, bytes_);
  elements.push_back(cluster::encode_sector_chunk(Bytes{0}));
  EXPECT_NE(wrong(ask(elements)).find("actual at least " + std::to_string(bytes_.size() + 1)),
            std::string::npos);
}

TEST_F(SectorRequest, WantsASectorFinishedBeforeItsBytes) {
  EXPECT_NE(wrong(ask({cluster::encode_sector_chunk(bytes_)})).find("before it is said"),
            std::string::npos);
}

TEST_F(SectorRequest, WantsASectorFinishedOnce) {
  std::vector<Bytes> elements = elements_of(plotted_, bytes_);
  elements.insert(elements.end() - 2, elements[5]);
  EXPECT_NE(wrong(ask(elements)).find("second time"), std::string::npos);
}

TEST_F(SectorRequest, NoticesThatNobodyIsThere) {
  EXPECT_NE(lost(request()).find("nobody is subscribed"), std::string::npos);
}

TEST_F(SectorRequest, NoticesAPlotterThatIsSilentForAMinute) {
  const MadeUpPlotter plotter(server_, "P", [](const auto&) { return std::vector<Bytes>(); });
  const auto before = server_.now();
  EXPECT_NE(lost(request()).find("none in time"), std::string::npos);
  EXPECT_EQ(server_.now() - before, 60s);
}

TEST_F(SectorRequest, AnEndThatGoesWrongTakesNothingFromAWholeSector) {
  server_.add_peer("ab.plotter.P.plot-sector", [&](const cluster::BusMessage& message) {
    server_.publish(message.reply_subject, continue_message(0, elements_of(plotted_, bytes_)));
    // The plotter dies here: there is no Last.
  });
  const SectorAnswer answer = request();
  EXPECT_EQ(std::get<node::ReceivedSector>(answer.what).bytes, bytes_);
}

TEST_F(SectorRequest, AStopEndsIt) {
  std::stop_source stop;
  const MadeUpPlotter plotter(server_, "P", [&](const auto&) {
    stop.request_stop();
    return std::vector<Bytes>();
  });
  EXPECT_TRUE(std::holds_alternative<SectorAnswer::Stopped>(request(stop.get_token()).what));
}

TEST_F(SectorRequest, AfterAStopTheBytesOfAFinishedSectorStillCome) {
  std::stop_source stop;
  server_.add_peer("ab.plotter.P.plot-sector", [&](const cluster::BusMessage& message) {
    const std::vector<Bytes> elements = elements_of(plotted_, bytes_);
    server_.publish(message.reply_subject,
                    continue_message(0, {elements.begin(), elements.end() - 1}));
    stop.request_stop();
    server_.publish(message.reply_subject, last_message(1, {elements.back()}));
  });
  EXPECT_TRUE(std::holds_alternative<node::ReceivedSector>(request(stop.get_token()).what));
}

TEST_F(SectorRequest, AfterAStopAPlotterThatOnlyPingsIsNotWaitedForLong) {
  std::stop_source stop;
  std::string reply_subject;
  std::uint32_t index = 0;
  server_.add_peer("ab.plotter.P.plot-sector", [&](const cluster::BusMessage& message) {
    reply_subject = message.reply_subject;
    std::vector<Bytes> elements = elements_of(plotted_, bytes_);
    elements.resize(6);  // finished, but no bytes
    server_.publish(reply_subject, continue_message(index++, elements));
    stop.request_stop();
  });
  server_.set_weather({.least_delay = 10s, .most_delay = 10s});
  server_.add_peer(kAckSubject, [&](const cluster::BusMessage&) {
    server_.publish(reply_subject, continue_message(index++, {ping()}));
  });
  EXPECT_TRUE(std::holds_alternative<SectorAnswer::Stopped>(request(stop.get_token()).what));
}

}  // namespace
}  // namespace furrow::test
