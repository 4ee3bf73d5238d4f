// SPDX-License-Identifier: Apache-2.0
// A piece node and requesters that are slow, dead, or no requesters at all, over a real server.
#include <latch>

#include "tests/unit/node/piece_node_fixture.hpp"

namespace furrow::test {
namespace {

TEST_F(PieceNodeTest, DropsWhatIsNoRequest) {
  start();
  const std::string pieces_subject = cluster::PiecesRequest::kSubject.without_instance();
  const cluster::Bytes list = encode_message(cluster::PiecesRequest{{PieceIndex(1)}});
  const auto inbox = requester_->subscribe("inbox");
  requester_->publish(pieces_subject, cluster::Bytes{1, 2, 3}, {.reply_subject = "inbox"});
  requester_->publish(pieces_subject, cluster::Bytes{0xFE, 0xFF, 0xFF, 0xFF},
                      {.reply_subject = "inbox"});  // a billion of them, in four bytes
  requester_->publish(pieces_subject, {}, {.reply_subject = "inbox"});
  requester_->publish(pieces_subject, list);  // without a reply subject
  requester_->publish(cluster::PieceRequest::kSubject.without_instance(), cluster::Bytes{7},
                      {.reply_subject = "inbox"});
  requester_->publish(cluster::ReadPieceRequest::kSubject.with(*cache_), {},
                      {.reply_subject = "inbox"});
  requester_->publish(
      cluster::SuperSegmentHeadersRequest::kSubject.without_instance(),
      encode_message(cluster::SuperSegmentHeadersRequest{std::vector<SuperSegmentIndex>(1001)}),
      {.reply_subject = "inbox"});
  EXPECT_TRUE(comes_true([&] { return node_->counters().malformed == 7; }))
      << node_->counters().malformed;
  EXPECT_EQ(inbox->next(requester_->clock().now(), {}).waited, cluster::Waited::kTimeout);
  EXPECT_EQ(pieces({PieceIndex(1)}).size(), 1U);
}

TEST_F(PieceNodeTest, AbandonsAStreamThatIsNotAcknowledgedAndNoOther) {
  start({.stream = {.acknowledgement_timeout = 2s}});
  DeadRequester dead(*requester_, "dead", indices_up_to(10));
  EXPECT_EQ(pieces(indices_up_to(20)).size(), 20U);
  EXPECT_TRUE(comes_true([&] { return node_->counters().abandoned == 1; }));
  EXPECT_EQ(dead.messages(200ms), 2U);
  EXPECT_EQ(node_->counters().streams, 1U);
  EXPECT_EQ(node_->counters().gave_way, 0U);
}

TEST_F(PieceNodeTest, AbandonsAStreamThatIsAcknowledgedWrongly) {
  start();
  const auto messages = requester_->subscribe("stream-response.wrong");
  requester_->publish(cluster::PiecesRequest::kSubject.without_instance(),
                      encode_message(cluster::PiecesRequest{indices_up_to(5)}),
                      {.reply_subject = "stream-response.wrong"});
  const cluster::Received first = messages->next(requester_->clock().after(10s), {});
  ASSERT_EQ(first.waited, cluster::Waited::kMessage);
  // The acknowledgement subject is the last of the message.
  const std::string ack(first.message.payload.end() - 46, first.message.payload.end());
  requester_->publish(ack, cluster::Bytes{9, 0, 0, 0});
  EXPECT_TRUE(comes_true([&] { return node_->counters().abandoned == 1; }));
}

TEST_F(PieceNodeTest, DeadRequestersGiveWayToOthers) {
  start({.places = 2, .patience = 300ms});
  DeadRequester first(*requester_, "first", indices_up_to(10));
  DeadRequester second(*requester_, "second", indices_up_to(10));
  EXPECT_EQ(first.messages(500ms), 2U);
  EXPECT_EQ(second.messages(500ms), 2U);
  EXPECT_EQ(node_->counters().abandoned, 0U) << "nobody wants their places";
  EXPECT_EQ(pieces(indices_up_to(10)).size(), 10U);
  EXPECT_TRUE(comes_true([&] { return node_->counters().abandoned == 1; }));
  EXPECT_EQ(node_->counters().gave_way, 1U);
  EXPECT_EQ(pieces(indices_up_to(10)).size(), 10U) << "the place is free again";
  EXPECT_EQ(node_->counters().gave_way, 1U);
}

TEST_F(PieceNodeTest, ManyDeadRequestersHoldUpNoSingleAnswerAndAreOutlived) {
  start({.places = 2, .patience = 50ms});
  std::vector<std::unique_ptr<DeadRequester>> dead;
  for (int i = 0; i < 20; ++i) {
    dead.push_back(std::make_unique<DeadRequester>(*requester_, "dead-" + std::to_string(i),
                                                   indices_up_to(10)));
  }
  EXPECT_TRUE(ask(cluster::PieceRequest{PieceIndex(3)}).piece.has_value());
  EXPECT_TRUE(ask(cluster::FindPieceRequest{PieceIndex(3)}, SubjectToken("_", "group")).found);
  EXPECT_EQ(pieces(indices_up_to(10)).size(), 10U);
  EXPECT_GE(node_->counters().gave_way, 18U);
}

TEST_F(PieceNodeTest, AHangingDiskHoldsUpNoAnswerFromMemory) {
  std::latch disk(1);
  std::atomic<int> n_hanging = 0;
  getter_.before = [&](PieceIndex) {
    ++n_hanging;
    disk.wait();
  };
  start({.readers = 2});
  std::vector<std::jthread> waiting;
  for (std::uint64_t i = 0; i < 6; ++i) {
    waiting.emplace_back(
        [this, i] { EXPECT_TRUE(ask(cluster::PieceRequest{PieceIndex(i)}).piece.has_value()); });
  }
  waiting.emplace_back([this] { EXPECT_EQ(pieces({PieceIndex(9)}).size(), 1U); });
  EXPECT_TRUE(comes_true([&] { return n_hanging == 3; })) << n_hanging;
  EXPECT_EQ(ask(cluster::SuperSegmentRootRequest{SegmentIndex(9)}).root, std::nullopt);
  EXPECT_TRUE(ask(cluster::FindPieceRequest{PieceIndex(3)}, SubjectToken("_", "group")).found);
  disk.count_down();
  waiting.clear();
  stop();
}

TEST_F(PieceNodeTest, EndsItsStreamsAsCompleteWhenItEnds) {
  start();
  cluster::StreamRequest<cluster::PiecesRequest> answer(
      *requester_, std::nullopt, {indices_up_to(100)}, {.idle_timeout = 20s});
  ASSERT_TRUE(answer.next({}).has_value());
  stop_.request_stop();
  std::size_t n = 1;
  while (answer.next({})) {
    ++n;
  }
  EXPECT_TRUE(answer.end()->is_complete()) << answer.end()->text;
  EXPECT_LT(n, 10U);
  running_.join();
  EXPECT_EQ(node_->counters().streams, 1U);
  EXPECT_THROW((void)ask(cluster::PieceRequest{PieceIndex(3)}), cluster::RequestUnanswered);
}

TEST_F(PieceNodeTest, EndsWithoutThoseWhoDoNotRead) {
  start({.places = 1, .farewell = 200ms});
  DeadRequester dead(*requester_, "dead", indices_up_to(10));
  EXPECT_EQ(dead.messages(300ms), 2U);
  // Waits for the place, and is told at the end that nothing comes.
  std::jthread waiting([this] { EXPECT_TRUE(pieces(indices_up_to(3)).empty()); });
  std::this_thread::sleep_for(500ms);
  const auto begin = std::chrono::steady_clock::now();
  stop();
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 5s);
  waiting.join();
  EXPECT_EQ(node_->counters().abandoned, 1U);
}

}  // namespace
}  // namespace furrow::test
