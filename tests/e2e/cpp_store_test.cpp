// SPDX-License-Identifier: Apache-2.0
// The C++ interface with real pieces, which only a real archive has: those of the store that
// FURROW_TEST_STORE names.
#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "furrow/furrow.hpp"

namespace {

using Buffer = std::vector<std::uint8_t>;

class CppStore : public testing::Test {
 protected:
  static std::string directory() {
    const char* const name = std::getenv("FURROW_TEST_STORE");
    return name != nullptr ? name : "FURROW_TEST_STORE is not set";
  }

  Buffer piece(std::uint64_t index) {
    Buffer bytes(FURROW_PIECE_SIZE);
    EXPECT_EQ(store_.get_piece(index, bytes), furrow::Outcome::kDone);
    return bytes;
  }

  /// Of segment 0, as the manifest has it (docs/formats/manifest.md).
  static Buffer super_segment_header() {
    const auto json = nlohmann::json::parse(std::ifstream(directory() + "/manifest.json"));
    const std::string hex = json["manifest"]["segments"][0]["super_segment_header"];
    Buffer bytes;
    for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
      bytes.push_back(static_cast<std::uint8_t>(std::stoul(hex.substr(i, 2), nullptr, 16)));
    }
    return bytes;
  }

  furrow::Library library_;
  furrow::PieceSource store_ = furrow::PieceSource::open_store(library_, directory());
};

TEST_F(CppStore, KnowsItsHistoryAndItsPiecesAreValid) {
  EXPECT_EQ(store_.history().history_size, 1U);
  EXPECT_NE(furrow::to_hash(store_.history().genesis_root), furrow::Hash());
  const Buffer header = super_segment_header();
  // docs/spec/05, section 8: the root after the index, the number of segments at the end.
  furrow::Hash root{};
  std::copy_n(header.begin() + 8, root.size(), root.begin());
  const std::uint32_t num_segments = header.at(88);
  Buffer of_seven = piece(7);
  furrow::verify_piece(library_, of_seven, 7, header);
  EXPECT_TRUE(furrow::is_piece_valid(library_, of_seven, 7, root, num_segments));
  EXPECT_FALSE(furrow::is_piece_valid(library_, of_seven, 8, root, num_segments));
  ++of_seven[FURROW_PIECE_SIZE / 2];
  EXPECT_THROW(furrow::verify_piece(library_, of_seven, 7, header), furrow::Error);
  try {
    piece(256);
    FAIL() << "there is one segment";
  } catch (const furrow::Error& error) {
    EXPECT_EQ(error.kind(), FURROW_ERROR_PIECE_MISSING) << error.what();
    EXPECT_EQ(error.fields().piece_index, 256U);
  }
}

TEST_F(CppStore, APieceIsRebuiltFromOthersOfItsSegment) {
  std::vector<Buffer> given;
  for (std::uint64_t position = 100; position < 229; ++position) {
    given.push_back(piece(position));
  }
  ++given.front()[FURROW_PIECE_SIZE / 2];  // so that 128 are left
  furrow::RebuildRequest request;
  request.piece_index = 7;
  request.threads = 0;
  for (std::size_t i = 0; i < given.size(); ++i) {
    request.pieces[100 + i] = given[i];
  }
  const Buffer header = super_segment_header();
  for (const furrow::Bytes known : {furrow::Bytes(header), furrow::Bytes()}) {
    request.super_segment_header = known;
    Buffer rebuilt(FURROW_PIECE_SIZE);
    EXPECT_EQ(furrow::rebuild_piece(library_, request, rebuilt), 1U);
    EXPECT_EQ(rebuilt, piece(7));
  }
}

}  // namespace
