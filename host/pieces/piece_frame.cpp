// SPDX-License-Identifier: Apache-2.0
#include "host/pieces/piece_frame.hpp"

#include <algorithm>
#include <cstring>

#include "furrow/errors.hpp"

#include "host/archive/piece_validation.hpp"
#include "host/base/hex.hpp"
#include "host/crypto/blake3.hpp"

namespace furrow {

PieceFrameHeader piece_frame_header(PieceIndex index, PieceFrameStatus status,
                                    std::span<const std::uint8_t> body) {
  return {index.value(), static_cast<std::uint32_t>(status),
          static_cast<std::uint32_t>(body.size()), blake3(body)};
}

std::vector<std::uint8_t> encode_piece_request(std::span<const PieceIndex> indices) {
  std::vector<std::uint8_t> bytes;
  bytes.reserve(indices.size() * sizeof(std::uint64_t));
  for (const PieceIndex index : indices) {
    const LittleEndian<std::uint64_t> value(index.value());
    const auto part = bytes_of(value);
    bytes.insert(bytes.end(), part.begin(), part.end());
  }
  return bytes;
}

std::vector<PieceIndex> decode_piece_request(std::span<const std::uint8_t> bytes,
                                             std::size_t max_pieces) {
  constexpr std::size_t kSize = sizeof(std::uint64_t);
  const std::size_t count = bytes.size() / kSize;
  if (bytes.size() % kSize != 0) {
    throw InvalidBytesLength("list of pieces", (count + 1) * kSize, bytes.size());
  }
  if (count == 0 || count > max_pieces) {
    throw MalformedData("list of pieces: expected 1 to " + std::to_string(max_pieces) +
                        ", actual " + std::to_string(count));
  }
  std::vector<PieceIndex> indices;
  indices.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    LittleEndian<std::uint64_t> value;
    std::memcpy(&value, bytes.data() + i * kSize, kSize);
    indices.emplace_back(value.value());
  }
  return indices;
}

void PieceFrameReader::read(std::span<const std::uint8_t> bytes, BufferPool& pool,
                            const OnFrame& on_frame) {
  while (!bytes.empty()) {
    if (header_size_ < kPieceFrameHeaderSize) {
      const std::size_t n = std::min(bytes.size(), kPieceFrameHeaderSize - header_size_);
      std::memcpy(mutable_bytes_of(header_).data() + header_size_, bytes.data(), n);
      header_size_ += n;
      bytes = bytes.subspan(n);
      if (header_size_ < kPieceFrameHeaderSize) {
        return;
      }
      check_header();
      // All at once: a message that grows part by part may outgrow its gap and be copied.
      missing_ = pool.get_writable(header_.length.value());
    }
    const std::size_t n = std::min(bytes.size(), missing_.size());
    if (n != 0) {
      std::memcpy(missing_.data(), bytes.data(), n);
      missing_ = missing_.subspan(n);
      bytes = bytes.subspan(n);
    }
    if (missing_.empty()) {
      finish(pool, on_frame);
    }
  }
}

void PieceFrameReader::check_header() const {
  const std::string what = what_ + ": " + describe_piece(PieceIndex(header_.piece_index.value()));
  const std::uint64_t length = header_.length.value();
  switch (static_cast<PieceFrameStatus>(header_.status.value())) {
    case PieceFrameStatus::kFound:
      if (length != kPieceSize) {
        throw InvalidBytesLength(what, kPieceSize, length);
      }
      return;
    case PieceFrameStatus::kNotFound:
      if (length != 0) {
        throw InvalidBytesLength(what + ", which is not there", 0, length);
      }
      return;
    case PieceFrameStatus::kFailed:
      if (length > kMaxPieceFrameMessage) {
        throw InvalidBytesLength(what + ", its message", kMaxPieceFrameMessage, length);
      }
      return;
  }
  throw MalformedData(what + ": expected status 0 to 2, actual " +
                      std::to_string(header_.status.value()));
}

void PieceFrameReader::finish(BufferPool& pool, const OnFrame& on_frame) {
  Slice body = pool.get_data_owned();
  const PieceIndex index(header_.piece_index.value());
  const Hash actual = blake3(body.bytes());
  if (actual != header_.hash) {
    throw ChecksumMismatch(what_ + ": " + describe_piece(index), to_hex(header_.hash.bytes),
                           to_hex(actual.bytes));
  }
  header_size_ = 0;
  on_frame(index, static_cast<PieceFrameStatus>(header_.status.value()), std::move(body));
}

}  // namespace furrow
