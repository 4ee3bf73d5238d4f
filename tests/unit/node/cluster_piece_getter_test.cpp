// SPDX-License-Identifier: Apache-2.0
// Pieces out of a cluster whose caches and controller are functions of the test.
#include "host/node/cluster_piece_getter.hpp"

#include <algorithm>
#include <set>

#include <gtest/gtest.h>

#include "host/base/foreign_error.hpp"
#include "host/cluster/chain_messages.hpp"
#include "host/cluster/stream_message.hpp"
#include "host/pieces/source_errors.hpp"
#include "host/pieces/store_piece_getter.hpp"
#include "tests/support/made_up_piece.hpp"
#include "tests/support/memory_bus.hpp"
#include "tests/unit/archive/archive_tree.hpp"

namespace furrow::test {
namespace {

using namespace std::chrono_literals;
using namespace furrow::cluster;

const PieceCacheId kCache{Ulid::parse("01ARZ3NDEKTSV4RRFFQ69G5FAV")};

/// A piece of the example store, which has the history that its manifest tells.
PiecePtr real_piece(std::uint64_t index) {
  static StorePieceGetter store(example_store().store, {});
  const PieceIndex wanted(index);
  PiecePtr piece;
  store.get_pieces({&wanted, 1}, [&](PieceIndex, PieceAnswer answer) { piece = answer.piece; }, {});
  return piece;
}
PiecePtr damaged_piece(std::uint64_t index) {
  auto piece = std::make_shared<Piece>(*real_piece(index));
  piece->record[100].bytes[3] ^= 1U;
  return piece;
}

class ClusterPieces : public testing::Test {
 protected:
  ClusterPieces() : server_(1, std::size_t{64} << 20) {
    add_request<SuperSegmentHeadersRequest>(
        "ab.controller.super-segment-headers", [this](const SuperSegmentHeadersRequest& request) {
          ++n_header_requests_;
          const Manifest manifest = Manifest::load(example_store().store / "manifest.json");
          SuperSegmentHeadersResponse response;
          for (const SuperSegmentIndex index : request.super_segment_indices) {
            response.headers.push_back(index.value() == 0 && knows_headers_
                                           ? std::optional(manifest.segments[0].super_segment)
                                           : std::nullopt);
          }
          return response;
        });
    add_stream<FindPiecesRequest>(
        "ab.controller._.find-pieces-in-cache", [this](const FindPiecesRequest& request) {
          std::vector<Bytes> found;
          for (const PieceIndex index : request.piece_indices) {
            if (in_cache_.contains(index.value())) {
              found.push_back(encode_message(FoundPiece{
                  index, {kCache, CacheOffset(static_cast<std::uint32_t>(index.value() + 5))}}));
            }
          }
          return found;
        });
    add_stream<ReadPiecesRequest>("ab.cache." + kCache.to_string() + ".read-pieces",
                                  [this](const ReadPiecesRequest& request) {
                                    std::vector<Bytes> slots;
                                    for (const CacheOffset offset : request.offsets) {
                                      slots.push_back(encode_message(ReadPiecesElement{
                                          CacheSlot{offset, in_cache_.at(offset.value() - 5)}}));
                                    }
                                    return slots;
                                  });
    add_stream<PiecesRequest>("ab.controller.pieces", [this](const PiecesRequest& request) {
      std::vector<Bytes> pieces;
      for (const PieceIndex index : request.piece_indices) {
        asked_of_controller_.push_back(index.value());
        if (at_controller_.contains(index.value())) {
          pieces.push_back(
              encode_message(PiecesElement{{index, {at_controller_.at(index.value())}}}));
        }
      }
      return pieces;
    });
  }

  template <class Request>
  void add_request(const std::string& subject, auto answer) {
    server_.add_peer(subject, [this, answer](const BusMessage& message) {
      if (!is_controller_silent_) {
        server_.publish(message.reply_subject,
                        encode_message(answer(decode_message<Request>(message.payload))));
      }
    });
  }
  template <class Request>
  void add_stream(const std::string& subject, auto elements) {
    server_.add_peer(subject, [this, elements](const BusMessage& message) {
      server_.publish(
          message.reply_subject,
          encode_stream_message(0, elements(decode_message<Request>(message.payload)), {}));
    });
  }

  struct Answers {
    std::map<std::uint64_t, PiecePtr> found;
    std::map<std::uint64_t, std::string> failed;
    std::set<std::uint64_t> not_found;
  };
  Answers get(const std::vector<std::uint64_t>& indices) {
    const std::vector<PieceIndex> wanted(indices.begin(), indices.end());
    Answers answers;
    std::set<std::uint64_t> answered;
    const auto sink = [&](PieceIndex index, const PieceAnswer& answer) {
      EXPECT_TRUE(answered.insert(index.value()).second) << "answered twice: " << index.value();
      if (answer.piece != nullptr) {
        answers.found[index.value()] = answer.piece;
      } else if (answer.error == nullptr) {
        answers.not_found.insert(index.value());
      } else {
        answers.failed[index.value()] = message_of(answer.error);
      }
    };
    getter_.get_pieces(wanted, sink, {});
    return answers;
  }

  MemoryServer server_;
  std::unique_ptr<MemoryBus> bus_ = server_.connect();
  bool knows_headers_ = true;
  bool is_controller_silent_ = false;
  std::map<std::uint64_t, std::optional<IndexedPiece>> in_cache_;
  std::map<std::uint64_t, PiecePtr> at_controller_;
  std::vector<std::uint64_t> asked_of_controller_;
  int n_header_requests_ = 0;
  std::vector<std::string> warnings_;
  node::SuperSegmentHeaders headers_{*bus_};
  node::ClusterPieceGetter getter_{
      *bus_,
      headers_,
      {.pieces = {.on_warning = [this](const std::string& line) { warnings_.push_back(line); }}}};
};

TEST_F(ClusterPieces, ComeFromCachesAndTheRestFromTheController) {
  in_cache_[1] = IndexedPiece{PieceIndex(1), {real_piece(1)}};
  in_cache_[2] = IndexedPiece{PieceIndex(9), {real_piece(9)}};  // replaced meanwhile
  in_cache_[3] = std::nullopt;                                  // removed meanwhile
  at_controller_[2] = real_piece(2);
  at_controller_[3] = real_piece(3);
  const Answers answers = get({1, 2, 3, 4});
  ASSERT_EQ(answers.found.size(), 3U);
  for (const auto& [index, piece] : answers.found) {
    EXPECT_TRUE(same_piece(*piece, *real_piece(index))) << index;
  }
  EXPECT_EQ(asked_of_controller_, (std::vector<std::uint64_t>{2, 3, 4}));
  EXPECT_EQ(answers.not_found, std::set<std::uint64_t>{4});
  EXPECT_EQ(n_header_requests_, 1);
  EXPECT_EQ(getter_.unverified(), 0U);
}

TEST_F(ClusterPieces, ThatAreDamagedAreAskedForElsewhere) {
  in_cache_[1] = IndexedPiece{PieceIndex(1), {damaged_piece(1)}};
  at_controller_[1] = real_piece(1);
  in_cache_[2] = IndexedPiece{PieceIndex(2), {real_piece(7)}};  // another one under its name
  const Answers answers = get({1, 2});
  EXPECT_TRUE(same_piece(*answers.found.at(1), *real_piece(1)));
  EXPECT_NE(answers.failed.at(2).find("piece 2"), std::string::npos);
  ASSERT_EQ(warnings_.size(), 1U);
  EXPECT_NE(warnings_[0].find("cache " + kCache.to_string()), std::string::npos) << warnings_[0];
}

TEST_F(ClusterPieces, ThatAreDamagedAreOneLineForEachSource) {
  for (const std::uint64_t index : {1, 2, 3}) {
    in_cache_[index] = IndexedPiece{PieceIndex(index), {damaged_piece(index)}};
    at_controller_[index] = damaged_piece(index);
  }
  EXPECT_EQ(get({1, 2, 3}).failed.size(), 3U);
  ASSERT_EQ(warnings_.size(), 2U);
  for (const std::string& line : warnings_) {
    EXPECT_NE(line.find("3 faults, the first: piece 1"), std::string::npos) << line;
  }
}

TEST_F(ClusterPieces, ThatNobodyAskedForEndAStreamThatDoesNotEnd) {
  MemoryServer server(1, std::size_t{64} << 20);
  const auto bus = server.connect();
  server.add_peer("ab.controller.pieces", [&](const BusMessage& message) {
    const std::vector<Bytes> twice(2,
                                   encode_message(PiecesElement{{PieceIndex(9), {real_piece(9)}}}));
    server.publish(message.reply_subject, encode_stream_message(0, twice, "ack.here"));
  });
  node::SuperSegmentHeaders headers(*bus);
  node::ClusterPieceGetter getter(*bus, headers, {});
  const PieceIndex wanted(3);
  EXPECT_THROW(getter.get_pieces({&wanted, 1}, [](PieceIndex, const PieceAnswer&) { FAIL(); }, {}),
               SourceUnavailable);
}

TEST_F(ClusterPieces, OfWhichNobodyKnowsTheHeaderArePassedOnAndCounted) {
  is_controller_silent_ = true;
  at_controller_[1] = real_piece(1);
  at_controller_[2] = damaged_piece(2);
  EXPECT_EQ(get({1, 2}).found.size(), 2U);
  EXPECT_EQ(getter_.unverified(), 2U);
  // It is asked again only later, and then it answers.
  is_controller_silent_ = false;
  EXPECT_EQ(get({2}).found.size(), 1U);
  EXPECT_EQ(n_header_requests_, 0);
  bus_->clock().sleep_until(bus_->clock().after(61s), {});
  EXPECT_EQ(get({2}).failed.size(), 1U);
  EXPECT_EQ(get({1}).found.size(), 1U);
  EXPECT_EQ(n_header_requests_, 1);
  EXPECT_EQ(getter_.unverified(), 3U);
}

TEST_F(ClusterPieces, OfASuperSegmentThatTheControllerDoesNotKnowAreRefused) {
  knows_headers_ = false;
  at_controller_[1] = real_piece(1);
  EXPECT_NE(get({1}).failed.at(1).find("super segment"), std::string::npos);
}

TEST_F(ClusterPieces, OfNobodyAreASourceThatIsAway) {
  MemoryServer empty;
  const auto bus = empty.connect();
  node::SuperSegmentHeaders headers(*bus);
  node::ClusterPieceGetter getter(*bus, headers, {});
  const PieceIndex wanted(3);
  EXPECT_THROW(getter.get_pieces({&wanted, 1}, [](PieceIndex, const PieceAnswer&) { FAIL(); }, {}),
               SourceUnavailable);
}

TEST_F(ClusterPieces, SayWhatTheirSegmentIs) {
  EXPECT_THROW((void)getter_.identity(SegmentIndex(0), {}), SourceUnavailable);
  at_controller_[31] = damaged_piece(31);
  at_controller_[62] = real_piece(62);
  const Manifest manifest = Manifest::load(example_store().store / "manifest.json");
  const SegmentIdentity expected = manifest.segment_identity(SegmentIndex(0));
  const SegmentIdentity identity = getter_.identity(SegmentIndex(0), {});
  EXPECT_EQ(identity.root, expected.root);
  EXPECT_EQ(identity.shard, expected.shard);
  EXPECT_EQ(identity.super_segment, expected.super_segment);
}

TEST_F(ClusterPieces, AreNotWaitedForBeyondAStopRequest) {
  std::stop_source stop;
  stop.request_stop();
  const PieceIndex wanted(3);
  const auto before = server_.now();
  getter_.get_pieces(
      {&wanted, 1}, [&](PieceIndex, const PieceAnswer&) { FAIL(); }, stop.get_token());
  EXPECT_EQ(server_.now(), before);
}

}  // namespace
}  // namespace furrow::test
