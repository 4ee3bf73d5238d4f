// SPDX-License-Identifier: Apache-2.0
// Pieces of Autonomys out of a cluster whose caches and controller are functions of the test.
#include "host/node/autonomys_pieces.hpp"

#include <map>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "host/base/foreign_error.hpp"
#include "host/cluster/stream_message.hpp"
#include "tests/support/memory_bus.hpp"
#include "tools/vectors/autonomys_inputs.hpp"

namespace furrow::test {
namespace {

using namespace furrow::cluster;
using P = AutonomysPiece;

constexpr Network kNetwork = Network::kAutonomys;
const PieceCacheId kCache{Ulid::parse("01ARZ3NDEKTSV4RRFFQ69G5FAV")};

std::shared_ptr<P> some_piece(std::uint64_t index) {
  return vectors::made_up_autonomys_piece("scalars", 10, 20, index);
}
/// One chunk is no number below the modulus.
std::shared_ptr<P> spoilt_piece(std::uint64_t index) {
  auto piece = some_piece(index);
  piece->record[77].bytes.fill(0xFF);
  return piece;
}

class AutonomysPieces : public testing::Test {
 protected:
  AutonomysPieces() : server_(1, std::size_t{64} << 20) {
    add_stream<FindPiecesRequest>(
        "subspace.controller._.find-pieces-in-cache", [this](const FindPiecesRequest& request) {
          std::vector<Bytes> found;
          for (const PieceIndex index : request.piece_indices) {
            if (in_cache_.contains(index.value())) {
              found.push_back(encode_message(
                  FoundPiece{index,
                             {kCache, CacheOffset(static_cast<std::uint32_t>(index.value()))}},
                  kNetwork));
            }
          }
          return found;
        });
    add_stream<ReadPiecesRequestOf<P>>(
        "subspace.cache." + kCache.to_string() + ".read-pieces",
        [this](const ReadPiecesRequestOf<P>& request) {
          std::vector<Bytes> slots;
          for (const CacheOffset offset : request.offsets) {
            const IndexedPieceOf<P> piece{PieceIndex(offset.value()),
                                          {in_cache_.at(offset.value())}};
            slots.push_back(
                encode_message(ReadPiecesElementOf<P>{CacheSlotOf<P>{offset, piece}}, kNetwork));
          }
          return slots;
        });
    add_stream<PiecesRequestOf<P>>(
        "subspace.controller.pieces", [this](const PiecesRequestOf<P>& request) {
          std::vector<Bytes> pieces;
          for (const PieceIndex index : request.piece_indices) {
            if (at_controller_.contains(index.value())) {
              pieces.push_back(encode_message(
                  PiecesElementOf<P>{{index, {at_controller_.at(index.value())}}}, kNetwork));
            }
          }
          return pieces;
        });
  }

  template <class Request>
  void add_stream(const std::string& subject, auto elements) {
    server_.add_peer(subject, [this, elements](const BusMessage& message) {
      const auto request = decode_message<Request>(message.payload, kNetwork);
      server_.publish(message.reply_subject, encode_stream_message(0, elements(request), {}));
    });
  }

  MemoryServer server_;
  std::unique_ptr<MemoryBus> bus_ = server_.connect();
  std::map<std::uint64_t, std::shared_ptr<P>> in_cache_;
  std::map<std::uint64_t, std::shared_ptr<P>> at_controller_;
  std::vector<std::string> warnings_;
};

TEST_F(AutonomysPieces, AChunkThatIsNoElementIsAnErrorOfThatPieceAndAskedForElsewhere) {
  in_cache_[1] = some_piece(1);
  in_cache_[2] = spoilt_piece(2);
  at_controller_[2] = some_piece(2);
  in_cache_[3] = spoilt_piece(3);
  at_controller_[3] = spoilt_piece(3);
  const auto getter = node::make_autonomys_pieces(
      *bus_, {.on_warning = [this](const std::string& line) { warnings_.push_back(line); }});
  const std::vector<PieceIndex> wanted = {PieceIndex(1), PieceIndex(2), PieceIndex(3),
                                          PieceIndex(4)};
  std::map<std::uint64_t, AutonomysPieceAnswer> answers;
  getter->get_pieces(wanted,
                     [&](PieceIndex index, AutonomysPieceAnswer answer) {
                       EXPECT_TRUE(answers.emplace(index.value(), std::move(answer)).second);
                     },
                     {});
  ASSERT_EQ(answers.size(), 4U);
  for (const std::uint64_t index : {1, 2}) {
    ASSERT_NE(answers[index].piece, nullptr) << index;
    EXPECT_TRUE(std::ranges::equal(bytes_of(*answers[index].piece), bytes_of(*some_piece(index))));
  }
  ASSERT_NE(answers[3].error, nullptr);
  const std::string why = message_of(answers[3].error);
  EXPECT_NE(why.find("piece 3: chunk 77"), std::string::npos) << why;
  EXPECT_EQ(answers[4].piece, nullptr);
  EXPECT_EQ(answers[4].error, nullptr);
  EXPECT_EQ(warnings_.size(), 2U);  // one of the cache, one of the controller
}

}  // namespace
}  // namespace furrow::test
