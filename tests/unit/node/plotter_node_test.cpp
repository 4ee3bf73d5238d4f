// SPDX-License-Identifier: Apache-2.0
// A node and its farmers (docs/spec/07-cluster-protocol.md, sections 7 and 11), over a real server.
#include <array>
#include <atomic>
#include <latch>

#include "host/cluster/stream_packer.hpp"
#include "tests/unit/node/node_fixture.hpp"

namespace furrow::test {
namespace {

/// The example, at once.
std::optional<node::MadeSector> copy_of_example(const SectorPlan&,
                                                const Observer<const PlottingEvent&>&,
                                                const std::stop_token&) {
  return node::MadeSector{example_sector().plotted_sector, {example_sector().bytes}};
}
/// Waits to be asked to stop.
std::optional<node::MadeSector> never(const SectorPlan&, const Observer<const PlottingEvent&>&,
                                      const std::stop_token& stop) {
  std::mutex mutex;
  std::unique_lock lock(mutex);
  std::condition_variable_any().wait(lock, stop, [] { return false; });
  return std::nullopt;
}

TEST_F(NodeTest, DeliversTheSectorThatIsMadeWithoutACluster) {
  start(make_by_cpu);
  const Answer answer = ask(example_request());
  EXPECT_TRUE(answer.end.is_complete()) << answer.end.text;
  EXPECT_EQ(answer.events, (std::vector<std::string>{"Downloading", "Downloaded", "Encoding",
                                                     "Encoded", "Finished", "SectorChunk"}));
  EXPECT_GE(answer.pings, 1U);
  EXPECT_EQ(answer.plotted_sector, example_sector().plotted_sector);
  EXPECT_EQ(answer.bytes, example_sector().bytes);
  EXPECT_EQ(answer.longest_chunk, cluster::approximate_max_message_size(farmer_->max_payload()));
  EXPECT_TRUE(happened_.wait_for("delivered"));
}

TEST_F(NodeTest, ServesFarmersOfTheNetworkThatItIsToldTo) {
  start(make_by_cpu, {.network = Network::kAutonomys});
  const Answer answer = ask(example_request());
  EXPECT_TRUE(answer.end.is_complete()) << answer.end.text;
  const ExampleSector expected = make_example(Network::kAutonomys);
  EXPECT_EQ(answer.plotted_sector, expected.plotted_sector);
  EXPECT_EQ(answer.bytes, expected.bytes);
  EXPECT_NE(answer.bytes.size(), example_sector().bytes.size());
  network_ = Network::kAbundance;
  EXPECT_EQ(ask_for_free(), "nobody");
}

/// A history of no segments does not decode there (docs/spec/09-autonomys.md, section 13.1).
TEST_F(NodeTest, MeetsWhatIsNoRequestOfItsNetworkWithSilence) {
  start(make_by_cpu, {.network = Network::kAutonomys});
  const std::string subject = cluster::PlotSectorRequest::kSubject.with(
      {id_.to_string(), "plotter id"}, Network::kAutonomys);
  cluster::Bytes bytes = encode_message(example_request(), Network::kAutonomys);
  std::fill_n(bytes.begin() + 34, 8, std::uint8_t{0});
  farmer_->publish(subject, bytes, {.reply_subject = "nowhere"});
  EXPECT_TRUE(happened_.wait_for("malformed"));
  EXPECT_EQ(happened_.all(), std::vector<std::string>{"malformed"});
}

TEST_F(NodeTest, AFullOneLeavesTheGroupAndComesBack) {
  std::latch may_go_on(1);
  start(
      [&](const auto& plan, const auto& on_event, const auto& stop) {
        may_go_on.wait();
        return copy_of_example(plan, on_event, stop);
      },
      {.places = 1});
  Answer first;
  std::jthread farmer([&] { first = ask(example_request()); });
  ASSERT_TRUE(happened_.wait_for("accepted"));
  // Whoever asked before it noticed is told so, everybody after that by the server.
  EXPECT_NE(ask_for_free(), id_.to_string());
  EXPECT_TRUE(is_told_within("nobody", 10s));
  const Answer second = ask(example_request());
  EXPECT_EQ(second.events, std::vector<std::string>{"Occupied"});
  EXPECT_TRUE(second.end.is_complete());
  may_go_on.count_down();
  farmer.join();
  EXPECT_EQ(first.bytes, example_sector().bytes);
  EXPECT_TRUE(is_free_within(10s));
}

TEST_F(NodeTest, TakesAsManyAtOnceAsItHasPlaces) {
  std::latch all_are_here(3);
  start([&](const auto& plan, const auto& on_event, const auto& stop) {
    all_are_here.arrive_and_wait();
    return copy_of_example(plan, on_event, stop);
  });
  std::array<Answer, 3> answers;
  {
    std::vector<std::jthread> farmers;
    for (Answer& answer : answers) {
      farmers.emplace_back([&] { answer = ask(example_request()); });
    }
  }
  for (const Answer& answer : answers) {
    EXPECT_EQ(answer.bytes, example_sector().bytes);
  }
}

TEST_F(NodeTest, AnswersNumbersOfWhichNoSectorIsMadeWithAnError) {
  start(copy_of_example, {.most_pieces_in_sector = 10});
  const auto refuses = [&](const std::string& named, const auto& change) {
    cluster::PlotSectorRequest request = example_request();
    change(request);
    const Answer answer = ask(request);
    EXPECT_EQ(answer.events, std::vector<std::string>{"Failed"});
    EXPECT_NE(answer.error.find(named), std::string::npos) << answer.error;
  };
  refuses("pieces in sector", [](auto& request) { request.pieces_in_sector = 0; });
  refuses("actual 11", [](auto& request) { request.pieces_in_sector = 11; });
  refuses("max pieces in sector",
          [](auto& request) { request.farmer_protocol_info.max_pieces_in_sector = 0; });
  EXPECT_EQ(ask(example_request()).bytes, example_sector().bytes);
}

TEST_F(NodeTest, DropsWhatIsNoRequest) {
  start(copy_of_example);
  const std::string subject =
      cluster::PlotSectorRequest::kSubject.with({id_.to_string(), "plotter id"});
  farmer_->publish(subject, cluster::Bytes{1, 2, 3}, {.reply_subject = "nowhere"});
  farmer_->publish(subject, encode_message(example_request()));  // without a reply subject
  EXPECT_TRUE(happened_.wait_for("malformed", 2));
  EXPECT_EQ(ask(example_request()).bytes, example_sector().bytes);
}

TEST_F(NodeTest, TellsWhyThereIsNoSector) {
  start([](const auto&, const auto&, const auto&) -> std::optional<node::MadeSector> {
    throw std::runtime_error("no pieces today");
  });
  const Answer answer = ask(example_request());
  EXPECT_EQ(answer.events, std::vector<std::string>{"Failed"});
  EXPECT_EQ(answer.error, "no pieces today");
  EXPECT_TRUE(happened_.wait_for("failed"));
  EXPECT_TRUE(is_free_within(10s));
}

TEST_F(NodeTest, PingsWhileNothingElseHappens) {
  start(
      [](const auto& plan, const auto& on_event, const auto& stop) {
        std::this_thread::sleep_for(500ms);
        return copy_of_example(plan, on_event, stop);
      },
      {.ping_interval = 50ms});
  EXPECT_GE(ask(example_request()).pings, 4U);
}

TEST_F(NodeTest, NoticesThatTheFarmerIsGone) {
  std::atomic<bool> was_stopped = false;
  start(
      [&](const auto& plan, const auto& on_event, const auto& stop) {
        auto made = never(plan, on_event, stop);
        was_stopped = true;
        return made;
      },
      {.places = 1, .ping_interval = 20ms, .stream = {.acknowledgement_timeout = 200ms}});
  const auto deaf = farmer_->subscribe("stream-response.deaf");
  farmer_->publish(cluster::PlotSectorRequest::kSubject.with({id_.to_string(), "plotter id"}),
                   encode_message(example_request()), {.reply_subject = "stream-response.deaf"});
  EXPECT_TRUE(happened_.wait_for("abandoned"));
  EXPECT_TRUE(was_stopped);
  EXPECT_TRUE(is_free_within(10s));
}

TEST_F(NodeTest, FinishesWhatItHasWhenItIsToEnd) {
  std::latch may_go_on(1);
  start([&](const auto& plan, const auto& on_event, const auto& stop) {
    may_go_on.wait();
    return copy_of_example(plan, on_event, stop);
  });
  Answer answer;
  std::jthread farmer([&] { answer = ask(example_request()); });
  ASSERT_TRUE(happened_.wait_for("accepted"));
  drain_.request_stop();
  while (ask_for_free() != "nobody") {
    std::this_thread::sleep_for(10ms);
  }
  may_go_on.count_down();
  EXPECT_EQ(join(), 0U);
  farmer.join();
  EXPECT_EQ(answer.bytes, example_sector().bytes);
}

TEST_F(NodeTest, SaysThatASectorWillNotComeWhenItHasNoTimeLeft) {
  start(never);
  Answer answer;
  std::jthread farmer([&] { answer = ask(example_request()); });
  ASSERT_TRUE(happened_.wait_for("accepted"));
  drain_.request_stop();
  end_.request_stop();
  EXPECT_EQ(join(), 1U);
  farmer.join();
  EXPECT_EQ(answer.events, std::vector<std::string>{"Failed"});
  EXPECT_TRUE(answer.end.is_complete()) << answer.end.text;
}

TEST_F(NodeTest, GoesOnWhenTheServerComesBack) {
  start(copy_of_example);
  server_->stop();
  server_->start();
  EXPECT_TRUE(is_free_within(10s));
  EXPECT_EQ(ask(example_request()).bytes, example_sector().bytes);
}

}  // namespace
}  // namespace furrow::test
