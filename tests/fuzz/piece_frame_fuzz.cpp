// SPDX-License-Identifier: Apache-2.0
// Arbitrary bytes as a stream of piece frames: reading throws a typed error, or gives frames that
// encode to the same bytes again, and gives the same whether the stream comes at once or in parts.
// The first byte decides: bits 0 to 6 are the size of the parts, bit 7 has the hash of the first
// frame computed, since no fuzzer guesses it. With 0 the rest is a list of pieces.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <span>
#include <vector>

#include "furrow/errors.hpp"

#include "host/crypto/blake3.hpp"
#include "host/pieces/piece_frame.hpp"

namespace {

using namespace furrow;
using Bytes = std::vector<std::uint8_t>;

void append(Bytes& to, std::span<const std::uint8_t> bytes) {
  to.insert(to.end(), bytes.begin(), bytes.end());
}

/// What was read, encoded again; `has_failed` when an error ended it.
struct Result {
  Bytes bytes;
  bool has_failed = false;
  bool is_between_frames = false;
  bool operator==(const Result&) const = default;
};

Result read(std::span<const std::uint8_t> stream, std::size_t part_size) {
  BufferPool pool({.capacity = 2 << 20});
  PieceFrameReader reader("stream");
  Result result;
  try {
    while (!stream.empty()) {
      const auto part = stream.first(std::min(part_size, stream.size()));
      stream = stream.subspan(part.size());
      reader.read(part, pool, [&](PieceIndex index, PieceFrameStatus status, Slice body) {
        append(result.bytes, bytes_of(piece_frame_header(index, status, body.bytes())));
        append(result.bytes, body.bytes());
      });
    }
    result.is_between_frames = reader.is_between_frames();
  } catch (const Error&) {
    result.has_failed = true;
  }
  return result;
}

void require(bool holds) {
  if (!holds) {
    std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) {
    return 0;
  }
  Bytes stream(data + 1, data + size);
  if (data[0] == 0) {
    try {
      require(encode_piece_request(decode_piece_request(stream, 64)) == stream);
    } catch (const Error&) {
      return 0;
    }
    return 0;
  }
  if ((data[0] & 0x80) != 0 && stream.size() >= kPieceFrameHeaderSize) {
    PieceFrameHeader header;
    std::memcpy(&header, stream.data(), sizeof header);
    const std::size_t length =
        std::min<std::size_t>(header.length.value(), stream.size() - sizeof header);
    header.hash = blake3(std::span(stream).subspan(sizeof header, length));
    std::memcpy(stream.data(), &header, sizeof header);
  }
  const Result whole = read(stream, stream.size() + 1);
  require(whole == read(stream, 1 + (data[0] & 0x7F)));
  require(whole.bytes.size() <= stream.size() &&
          std::equal(whole.bytes.begin(), whole.bytes.end(), stream.begin()));
  require(!whole.is_between_frames || whole.bytes.size() == stream.size());
  return 0;
}
