// SPDX-License-Identifier: Apache-2.0
#include "host/node/plotting_elements.hpp"

#include <gtest/gtest.h>

#include "tests/unit/cluster/stream_fixture.hpp"

namespace furrow::test {
namespace {

using cluster::Bytes;
using cluster::PlottingProgress;
using node::PlottingElements;

Bytes bytes_of_event(const decltype(PlottingProgress::event)& event) {
  return encode_message(PlottingProgress{event});
}

class Elements : public testing::Test {
 protected:
  Bytes next() {
    const std::optional<Bytes> element = elements_.next({});
    EXPECT_TRUE(element.has_value());
    return element.value_or(Bytes{});
  }

  MemoryServer server_;
  std::unique_ptr<MemoryBus> bus_ = server_.connect();
  PlottingElements elements_{bus_->clock(), 10s, 1000};
};

TEST_F(Elements, BeginWithAPing) {
  EXPECT_EQ(next(), ping());
  EXPECT_FALSE(elements_.poll().element);
  elements_.tell({PlottingProgress::Downloading{}});
  EXPECT_EQ(next(), bytes_of_event(PlottingProgress::Downloading{}));
}

TEST_F(Elements, HaveAPingForEachIntervalInWhichNothingHappens) {
  const auto begin = server_.now();
  for (int i = 0; i < 4; ++i) {
    EXPECT_EQ(next(), ping());
    EXPECT_EQ(server_.now() - begin, i * 10s);
  }
}

TEST_F(Elements, HaveNoBurstOfPingsForWhoComesLate) {
  EXPECT_EQ(next(), ping());
  bus_->clock().sleep_until(bus_->clock().after(35s), {});
  EXPECT_EQ(elements_.poll().element, ping());
  EXPECT_FALSE(elements_.poll().element);
  const auto late = server_.now();
  EXPECT_EQ(next(), ping());
  EXPECT_EQ(server_.now() - late, 10s);
}

TEST_F(Elements, EndWithTheSectorInChunks) {
  EXPECT_EQ(next(), ping());
  std::vector<std::uint8_t> sector(2500);
  for (std::size_t i = 0; i < sector.size(); ++i) {
    sector[i] = static_cast<std::uint8_t>(i % 251);
  }
  const PlottingProgress::Finished finished{.plotted_sector = {}, .time = {3, 5}};
  elements_.finish(finished, {sector});
  elements_.end();
  EXPECT_EQ(next(), bytes_of_event(finished));
  EXPECT_EQ(next(), cluster::encode_sector_chunk(std::span(sector).subspan(0, 1000)));
  bus_->clock().sleep_until(bus_->clock().after(10s), {});
  EXPECT_EQ(next(), ping()) << "while chunks are under way, too";
  EXPECT_EQ(next(), cluster::encode_sector_chunk(std::span(sector).subspan(1000, 1000)));
  EXPECT_EQ(next(), cluster::encode_sector_chunk(std::span(sector).subspan(2000, 500)));
  EXPECT_TRUE(elements_.poll().has_ended);
  EXPECT_FALSE(elements_.next({}));
  bus_->clock().sleep_until(bus_->clock().after(60s), {});
  EXPECT_FALSE(elements_.next({})) << "a ping behind the end";
}

TEST_F(Elements, EndWithAnError) {
  EXPECT_EQ(next(), ping());
  elements_.fail("boom");
  elements_.end();
  EXPECT_EQ(next(), bytes_of_event(PlottingProgress::Failed{"boom"}));
  EXPECT_TRUE(elements_.poll().has_ended);
}

TEST_F(Elements, AreDroppedWhenNobodyTakesThem) {
  elements_.finish({}, {std::vector<std::uint8_t>(5000)});
  elements_.end();
  elements_.drop();
  EXPECT_TRUE(elements_.poll().has_ended);
}

TEST_F(Elements, AreNotWaitedForBeyondAStopRequest) {
  EXPECT_EQ(next(), ping());
  std::stop_source stop;
  stop.request_stop();
  const auto before = server_.now();
  EXPECT_FALSE(elements_.next(stop.get_token()));
  EXPECT_EQ(server_.now(), before);
}

}  // namespace
}  // namespace furrow::test
