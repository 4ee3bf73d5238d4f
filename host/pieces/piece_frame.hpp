// SPDX-License-Identifier: Apache-2.0
// How a batch of pieces travels over HTTP (docs/formats/piece-http.md): the list of indices that is
// asked for, and the stream of frames that answers it.
//
//   request  u64 index, u64 index, ...          little-endian, nothing else
//
//   frame    0  u64  piece index
//            8  u32  status: 0 found, 1 not found, 2 failed
//           12  u32  length of the body
//           16       BLAKE3 of the body, 32 bytes
//           48       body: the piece, nothing, or a message in UTF-8
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "furrow/piece.hpp"

#include "host/store/buffer_pool.hpp"

namespace furrow {

enum class PieceFrameStatus : std::uint32_t { kFound = 0, kNotFound = 1, kFailed = 2 };

struct PieceFrameHeader {
  LittleEndian<std::uint64_t> piece_index;
  LittleEndian<std::uint32_t> status;
  LittleEndian<std::uint32_t> length;
  Hash hash;
};
inline constexpr std::size_t kPieceFrameHeaderSize = 48;
static_assert(sizeof(PieceFrameHeader) == kPieceFrameHeaderSize && alignof(PieceFrameHeader) == 1);

/// Longest message of a failed piece; longer ones are cut.
inline constexpr std::size_t kMaxPieceFrameMessage = 1024;

PieceFrameHeader piece_frame_header(PieceIndex index, PieceFrameStatus status,
                                    std::span<const std::uint8_t> body);

std::vector<std::uint8_t> encode_piece_request(std::span<const PieceIndex> indices);
/// Throws InvalidBytesLength for a length that is no multiple of 8, MalformedData for an empty list
/// or one of more than `max_pieces`.
std::vector<PieceIndex> decode_piece_request(std::span<const std::uint8_t> bytes,
                                             std::size_t max_pieces);

/// Decodes a stream of frames that arrives in parts of any size. Bodies are received into the
/// buffers that they stay in. Thread-compatible.
class PieceFrameReader {
 public:
  /// Called with each whole frame, whose hash was verified. The body is kPieceSize bytes long, none
  /// or at most kMaxPieceFrameMessage, depending on the status.
  using OnFrame = std::function<void(PieceIndex, PieceFrameStatus, Slice body)>;

  /// `what` names the stream in messages.
  explicit PieceFrameReader(std::string what) : what_(std::move(what)) {}

  /// Takes the next bytes. Throws MalformedData for an unknown status, InvalidBytesLength for a
  /// length that the status does not allow, ChecksumMismatch, and what `on_frame` throws; the
  /// stream cannot be gone on with then. Between calls nobody else may use `pool` unless
  /// is_between_frames().
  void read(std::span<const std::uint8_t> bytes, BufferPool& pool, const OnFrame& on_frame);

  /// Whether the stream may end here.
  [[nodiscard]] bool is_between_frames() const { return header_size_ == 0; }

 private:
  void check_header() const;
  void finish(BufferPool& pool, const OnFrame& on_frame);

  std::string what_;
  PieceFrameHeader header_;
  std::size_t header_size_ = 0;      // bytes of it that are here
  std::span<std::uint8_t> missing_;  // the part of the body that is not
};

}  // namespace furrow
