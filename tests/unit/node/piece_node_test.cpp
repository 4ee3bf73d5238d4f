// SPDX-License-Identifier: Apache-2.0
// What a piece node answers (docs/spec/07-cluster-protocol.md, sections 8 and 9), over a real server.
#include <algorithm>

#include "host/node/cluster_piece_getter.hpp"
#include "host/node/super_segment_headers.hpp"
#include "host/pieces/store_piece_getter.hpp"
#include "tests/unit/archive/archive_tree.hpp"
#include "tests/unit/node/piece_node_fixture.hpp"

namespace furrow::test {
namespace {

TEST_F(PieceNodeTest, TellsOfTheChainWhatTheManifestSays) {
  start();
  const auto info = std::get<cluster::FarmerAppInfo>(ask(cluster::FarmerAppInfoRequest{}).result);
  EXPECT_EQ(info.genesis_root, made_up_manifest().genesis_root());
  EXPECT_TRUE(info.bootstrap_nodes.empty());
  EXPECT_FALSE(info.syncing);
  EXPECT_EQ(info.farming_timeout, (cluster::Duration{3, 200'000'000}));
  FarmerProtocolInfo expected;
  expected.history_size = HistorySize::from_count(2);
  EXPECT_EQ(info.protocol_info, expected);

  const auto headers = ask(cluster::SuperSegmentHeadersRequest{
                               {SuperSegmentIndex(1), SuperSegmentIndex(7), SuperSegmentIndex(0)}})
                           .headers;
  ASSERT_EQ(headers.size(), 3U);
  EXPECT_EQ(headers[0], made_up_manifest().segments[1].super_segment);
  EXPECT_EQ(headers[1], std::nullopt);
  EXPECT_EQ(headers[2], made_up_manifest().segments[0].super_segment);
  EXPECT_TRUE(ask(cluster::SuperSegmentHeadersRequest{}).headers.empty());

  EXPECT_EQ(ask(cluster::SuperSegmentRootRequest{SegmentIndex(1)}).root,
            made_up_manifest().segments[1].super_segment.root);
  EXPECT_EQ(ask(cluster::SuperSegmentRootRequest{SegmentIndex(2)}).root, std::nullopt);
}

TEST_F(PieceNodeTest, FindsPiecesInItsOwnCacheForItsGroupAndForThoseWithoutOne) {
  start(getter_, made_up_manifest(),
        {.cache_group = SubjectToken("blue", "group"),
         .cache_id = {Ulid::parse("01ARZ3NDEKTSV4RRFFQ69G5FAV")}},
        {SegmentIndex(0)});
  const cluster::CachedPlace place{{Ulid::parse("01ARZ3NDEKTSV4RRFFQ69G5FAV")}, CacheOffset(300)};
  for (const char* const name : {"blue", "_"}) {
    const SubjectToken group(name, "group");
    EXPECT_EQ(ask(cluster::FindPieceRequest{PieceIndex(300)}, group).found, place);
    EXPECT_EQ(ask(cluster::FindPieceRequest{PieceIndex(512)}, group).found, std::nullopt);
    EXPECT_EQ(ask(cluster::FindPieceRequest{PieceIndex(3)}, group).found, std::nullopt)
        << "its pack is absent";
    const auto found = stream(
        cluster::FindPiecesRequest{{PieceIndex(9999), PieceIndex(300), PieceIndex(1)}}, group);
    EXPECT_TRUE(found.end.is_complete());
    ASSERT_EQ(found.elements.size(), 1U);
    EXPECT_EQ(found.elements[0], (cluster::FoundPiece{PieceIndex(300), place}));
  }
  EXPECT_THROW(
      (void)ask(cluster::FindPieceRequest{PieceIndex(300)}, SubjectToken("default", "group")),
      cluster::RequestUnanswered);
}

TEST_F(PieceNodeTest, GivesPiecesAsControllerAndLeavesOutWhatItHasNot) {
  getter_.missing = {1};
  getter_.damaged = {2};
  start();
  const auto piece = ask(cluster::PieceRequest{PieceIndex(300)}).piece;
  ASSERT_TRUE(piece.has_value());
  EXPECT_TRUE(same_piece(*piece->piece, *made_up_piece(PieceIndex(300))));
  for (const std::uint64_t index : {1U, 2U, 512U}) {
    EXPECT_EQ(ask(cluster::PieceRequest{PieceIndex(index)}).piece, std::nullopt) << index;
  }
  EXPECT_EQ(pieces({PieceIndex(511), PieceIndex(2), PieceIndex(1), PieceIndex(512), PieceIndex(0)}),
            (std::vector<std::uint64_t>{0, 511}));
  EXPECT_TRUE(pieces({}).empty());
  // Each is told of once, however often it is asked for.
  ASSERT_EQ(problems().size(), 2U);
  EXPECT_TRUE(problems()[0].is_missing);
  EXPECT_EQ(problems()[0].piece_index, PieceIndex(1));
  EXPECT_FALSE(problems()[1].is_missing);
  EXPECT_EQ(problems()[1].piece_index, PieceIndex(2));
  stop();
  const node::PieceStock::Counters counters = stock_->counters();
  EXPECT_EQ(counters.pieces, 3U);
  EXPECT_EQ(counters.missing, 4U);
  EXPECT_EQ(counters.failed, 2U);
  EXPECT_EQ(node_->counters().requests, 4U);
  EXPECT_EQ(node_->counters().streams, 2U);
  EXPECT_EQ(node_->counters().malformed + node_->counters().dropped, 0U);
}

TEST_F(PieceNodeTest, IsACacheWithASlotForEachPiece) {
  getter_.missing = {1};
  getter_.damaged = {2};
  start(getter_, made_up_manifest(), {}, {SegmentIndex(1)});
  const auto single = [&](std::uint32_t offset) {
    return ask(cluster::ReadPieceRequest{CacheOffset(offset)}, cache_).result;
  };
  const auto read = std::get<std::optional<cluster::IndexedPiece>>(single(0));
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(read->piece_index, PieceIndex(0));
  EXPECT_TRUE(same_piece(*read->piece.piece, *made_up_piece(PieceIndex(0))));
  EXPECT_EQ(std::get<0>(single(1)), std::nullopt);
  EXPECT_NE(std::get<RemoteFailure>(single(2)).text.find("piece 2"), std::string::npos);
  EXPECT_NE(std::get<RemoteFailure>(single(512)).text.find("below 512, actual 512"),
            std::string::npos);

  const auto slots =
      stream(cluster::ReadPiecesRequest{{CacheOffset(2), CacheOffset(1), CacheOffset(4'000'000'000),
                                         CacheOffset(5)}},
             cache_);
  EXPECT_TRUE(slots.end.is_complete());
  ASSERT_EQ(slots.elements.size(), 4U);
  EXPECT_EQ(std::get<cluster::CacheSlot>(slots.elements[0].result),
            (cluster::CacheSlot{CacheOffset(1), std::nullopt}));
  EXPECT_TRUE(std::holds_alternative<RemoteFailure>(slots.elements[1].result));
  EXPECT_EQ(std::get<cluster::CacheSlot>(slots.elements[2].result).found->piece_index,
            PieceIndex(5));
  EXPECT_TRUE(std::holds_alternative<RemoteFailure>(slots.elements[3].result));

  const auto index_at = [&](std::uint32_t offset) {
    return ask(cluster::ReadPieceIndexRequest{CacheOffset(offset)}, cache_).result;
  };
  EXPECT_EQ(std::get<0>(index_at(255)), PieceIndex(255));
  EXPECT_EQ(std::get<0>(index_at(256)), std::nullopt) << "its pack is absent";
  EXPECT_TRUE(std::holds_alternative<RemoteFailure>(index_at(512)));

  const auto contents = stream(cluster::ContentsRequest{}, cache_);
  EXPECT_TRUE(contents.end.is_complete());
  ASSERT_EQ(contents.elements.size(), 512U);
  for (std::uint32_t i = 0; i < 512; ++i) {
    const auto expected = i < 256 ? std::optional(PieceIndex(i)) : std::nullopt;
    EXPECT_EQ(std::get<cluster::SlotIndex>(contents.elements[i].result),
              (cluster::SlotIndex{CacheOffset(i), expected}));
  }
}

TEST_F(PieceNodeTest, GivesEachPieceOnceInTheOrderOfTheStore) {
  start();
  EXPECT_EQ(pieces({PieceIndex(7), PieceIndex(3), PieceIndex(7), PieceIndex(3)}),
            (std::vector<std::uint64_t>{3, 7}));
  EXPECT_EQ(getter_.n_asked, 2U);
}

TEST_F(PieceNodeTest, TakesRequestsOfThousandsOfIndices) {
  start();
  std::vector<PieceIndex> indices = indices_up_to(200'000);
  const auto found = stream(cluster::FindPiecesRequest{indices}, SubjectToken("_", "group"));
  EXPECT_TRUE(found.end.is_complete()) << found.end.text;
  EXPECT_EQ(found.elements.size(), 512U);
  indices.erase(indices.begin() + 3, indices.begin() + 512);
  EXPECT_EQ(pieces(indices), (std::vector<std::uint64_t>{0, 1, 2}));
  // Of a cache each has an answer, which makes several messages.
  std::vector<CacheOffset> offsets;
  for (std::uint32_t i = 0; i < 100'000; ++i) {
    offsets.emplace_back(1'000'000 + i);
  }
  const auto slots = stream(cluster::ReadPiecesRequest{offsets}, cache_);
  EXPECT_TRUE(slots.end.is_complete()) << slots.end.text;
  EXPECT_EQ(slots.elements.size(), 100'000U);
}

TEST_F(PieceNodeTest, IsThereAgainAfterTheServer) {
  start();
  EXPECT_EQ(pieces({PieceIndex(1)}).size(), 1U);
  server_->stop();
  server_->start();
  const std::optional<SubjectToken> no_instance;
  EXPECT_TRUE(comes_true([&] {
    try {
      return ask(cluster::PieceRequest{PieceIndex(1)}, no_instance).piece.has_value();
    } catch (const Error&) {
      return false;
    }
  }));
}

TEST_F(PieceNodeTest, GivesAllOfAStoreToAPlotterThatVerifiesIt) {
  const std::filesystem::path path = example_store().store;
  StorePieceGetter store(path);
  start(store, store.manifest(), {});
  std::vector<std::string> warnings;
  node::SuperSegmentHeaders headers(*requester_);
  node::ClusterPieceGetter getter(
      *requester_, headers,
      {.pieces = {.on_warning = [&](const std::string& line) { warnings.push_back(line); }}});
  const std::vector<PieceIndex> indices = indices_up_to(stock_->n_pieces());
  std::map<std::uint64_t, PiecePtr> expected;
  store.get_pieces(
      indices,
      [&](PieceIndex index, const PieceAnswer& answer) { expected[index.value()] = answer.piece; },
      {});
  const Answers answers = get_all(getter, indices);
  ASSERT_EQ(answers.size(), indices.size());
  for (const auto& [index, answer] : answers) {
    ASSERT_NE(answer.piece, nullptr) << index;
    EXPECT_TRUE(same_piece(*answer.piece, *expected.at(index))) << index;
  }
  EXPECT_EQ(getter.unverified(), 0U);
  EXPECT_TRUE(warnings.empty()) << warnings.front();
  EXPECT_TRUE(is_not_found(get_all(getter, {PieceIndex(indices.size())}).begin()->second));
  stop();
}

}  // namespace
}  // namespace furrow::test
