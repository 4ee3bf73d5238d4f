// SPDX-License-Identifier: Apache-2.0
#include "host/pieces/pooled_piece.hpp"

#include "furrow/errors.hpp"

namespace furrow {
namespace {

constexpr std::size_t kAlignment = 64;
constexpr std::size_t kSlotSize = (kPieceSize + kAlignment - 1) / kAlignment * kAlignment;

}  // namespace

PiecePtr piece_in(Slice slice) {
  if (slice.size() != kPieceSize) {
    throw InvalidBytesLength("piece", kPieceSize, slice.size());
  }
  const auto owner = std::make_shared<const Slice>(std::move(slice));
  return {owner, reinterpret_cast<const Piece*>(owner->bytes().data())};
}

PiecePools::Lease PiecePools::take() {
  Lease lease = pools_.take([this] {
    return std::make_unique<BufferPool>(BufferPoolOptions{
        .capacity = BufferPool::kSlots * kSlotSize, .alignment = kAlignment, .source = source_});
  });
  static_cast<void>(lease->get_data_owned());  // a message that its last user left unfinished
  return lease;
}

}  // namespace furrow
