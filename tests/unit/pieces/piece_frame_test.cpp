// SPDX-License-Identifier: Apache-2.0
// Frames of pieces, in parts of every size, and what is wrong with them.
#include <random>

#include <gtest/gtest.h>

#include "tests/support/made_up_piece.hpp"
#include "tests/unit/pieces/http_piece_fixture.hpp"

namespace furrow {
namespace {

using test::frame;
using test::made_up_piece;

struct Read {
  std::uint64_t index;
  PieceFrameStatus status;
  std::string body;
  bool operator==(const Read&) const = default;
};

std::span<const std::uint8_t> as_bytes(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

/// Reads the stream in parts of sizes that `next_size` gives.
template <class NextSize>
std::vector<Read> read_all(std::string_view stream, NextSize next_size, bool* is_whole = nullptr) {
  BufferPool pool({.capacity = 4 << 20});
  PieceFrameReader reader("stream");
  std::vector<Read> result;
  while (!stream.empty()) {
    const std::string_view part = stream.substr(0, next_size());
    stream.remove_prefix(part.size());
    reader.read(as_bytes(part), pool, [&](PieceIndex index, PieceFrameStatus status, Slice body) {
      result.push_back({index.value(), status, std::string(test::text_of(body.bytes()))});
    });
  }
  if (is_whole != nullptr) {
    *is_whole = reader.is_between_frames();
  }
  return result;
}

std::vector<Read> read_whole(std::string_view stream) {
  return read_all(stream, [&] { return stream.size() + 1; });
}

const std::string kMessage = "is damaged";

std::string example_stream() {
  return frame(PieceIndex(5), PieceFrameStatus::kFound, bytes_of(*made_up_piece(PieceIndex(5)))) +
         frame(PieceIndex(UINT64_MAX), PieceFrameStatus::kNotFound, {}) +
         frame(PieceIndex(0), PieceFrameStatus::kFailed, as_bytes(kMessage)) +
         frame(PieceIndex(6), PieceFrameStatus::kFound, bytes_of(*made_up_piece(PieceIndex(6))));
}

std::vector<Read> example_frames() {
  const auto body = [](std::uint64_t i) {
    return std::string(test::text_of(bytes_of(*made_up_piece(PieceIndex(i)))));
  };
  return {{5, PieceFrameStatus::kFound, body(5)},
          {UINT64_MAX, PieceFrameStatus::kNotFound, ""},
          {0, PieceFrameStatus::kFailed, kMessage},
          {6, PieceFrameStatus::kFound, body(6)}};
}

TEST(PieceFrame, LooksAsDocumented) {
  const std::string text = frame(PieceIndex(0x0102), PieceFrameStatus::kFailed, as_bytes("abc"));
  ASSERT_EQ(text.size(), 51U);
  EXPECT_EQ(text.substr(0, 16), std::string("\x02\x01\0\0\0\0\0\0\x02\0\0\0\x03\0\0\0", 16));
  const Hash hash = blake3(as_bytes("abc"));
  EXPECT_EQ(text.substr(16, 32), test::text_of(hash.bytes));
  EXPECT_EQ(text.substr(48), "abc");
}

TEST(PieceFrame, ReadInPartsOfAnySize) {
  const std::string stream = example_stream();
  for (const std::size_t size : {std::size_t{7}, std::size_t{47}, std::size_t{48}, std::size_t{49},
                                 std::size_t{65536}, kPieceSize + 48, stream.size()}) {
    bool is_whole = false;
    EXPECT_TRUE(read_all(
                    stream, [&] { return size; }, &is_whole) == example_frames())
        << size;
    EXPECT_TRUE(is_whole);
  }
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  for (int i = 0; i < 20; ++i) {
    EXPECT_TRUE(read_all(stream, [&] { return 1 + random() % (1U << (random() % 20)); }) ==
                example_frames());
  }
}

TEST(PieceFrame, EndsOnlyBetweenFrames) {
  const std::string stream = frame(PieceIndex(1), PieceFrameStatus::kNotFound, {}) +
                             frame(PieceIndex(2), PieceFrameStatus::kFailed, as_bytes(kMessage));
  for (std::size_t size = 0; size <= stream.size(); ++size) {
    bool is_whole = true;
    read_all(
        std::string_view(stream).substr(0, size), [] { return 1000; }, &is_whole);
    EXPECT_EQ(is_whole, size == 0 || size == 48 || size == stream.size()) << size;
  }
}

TEST(PieceFrame, RulesOfStatusAndLength) {
  const auto with = [](std::uint32_t status, std::uint32_t length) {
    PieceFrameHeader header = piece_frame_header(PieceIndex(1), PieceFrameStatus::kFound, {});
    header.status = status;
    header.length = length;
    return std::string(test::text_of(bytes_of(header)));
  };
  EXPECT_THROW(read_whole(with(0, 0)), InvalidBytesLength);
  EXPECT_THROW(read_whole(with(0, kPieceSize - 1)), InvalidBytesLength);
  EXPECT_THROW(read_whole(with(0, kPieceSize + 1)), InvalidBytesLength);
  EXPECT_THROW(read_whole(with(1, 1)), InvalidBytesLength);
  EXPECT_THROW(read_whole(with(2, kMaxPieceFrameMessage + 1)), InvalidBytesLength);
  EXPECT_THROW(read_whole(with(2, UINT32_MAX)), InvalidBytesLength);
  EXPECT_THROW(read_whole(with(3, 0)), MalformedData);
  EXPECT_THROW(read_whole(with(UINT32_MAX, 0)), MalformedData);
  EXPECT_EQ(read_whole(with(2, 0)).size(), 1U);
}

TEST(PieceFrame, EveryFlippedBitOfHeaderAndBodyIsNoticed) {
  const std::string sound = frame(PieceIndex(3), PieceFrameStatus::kFailed, as_bytes(kMessage));
  const std::vector<Read> expected = read_whole(sound);
  for (std::size_t bit = 0; bit < 8 * sound.size(); ++bit) {
    std::string flipped = sound;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << (bit % 8)));
    bool is_noticed = false;
    try {
      bool is_whole = false;
      const std::vector<Read> read = read_all(
          flipped, [] { return 1000; }, &is_whole);
      // Another index is noticed by who knows what was asked for.
      is_noticed = !is_whole || (read.size() == 1 && read[0].index != 3);
    } catch (const Error&) {
      is_noticed = true;
    }
    EXPECT_TRUE(is_noticed) << "bit " << bit;
  }
}

TEST(PieceRequest, ComesBackAndHasRules) {
  const std::vector<PieceIndex> indices = {PieceIndex(0), PieceIndex(UINT64_MAX), PieceIndex(0)};
  const std::vector<std::uint8_t> bytes = encode_piece_request(indices);
  EXPECT_EQ(bytes.size(), 24U);
  EXPECT_EQ(decode_piece_request(bytes, 3), indices);
  EXPECT_THROW(decode_piece_request(bytes, 2), MalformedData);
  EXPECT_THROW(decode_piece_request({}, 3), MalformedData);
  for (std::size_t size = 1; size < bytes.size(); ++size) {
    if (size % 8 != 0) {
      EXPECT_THROW(decode_piece_request(std::span(bytes).first(size), 3), InvalidBytesLength);
    }
  }
}

TEST(PieceEtag, IsTheHashInQuotes) {
  const Hash hash = blake3(as_bytes("x"));
  const std::string tag = etag_of(hash);
  EXPECT_EQ(tag.size(), 66U);
  EXPECT_EQ(hash_in_etag(tag), hash);
  EXPECT_EQ(hash_in_etag(" " + tag + "\t"), hash);
  for (const std::string& other : {std::string(), std::string("\""), "W/" + tag, tag.substr(1),
                                   tag.substr(0, 65), '"' + std::string(64, 'g') + '"'}) {
    EXPECT_EQ(hash_in_etag(other), std::nullopt) << other;
  }
  EXPECT_FALSE(names_etag("", tag));
  EXPECT_FALSE(names_etag("\"x\", ,", tag));
  EXPECT_TRUE(names_etag("\"x\",W/" + tag, tag));
}

}  // namespace
}  // namespace furrow
