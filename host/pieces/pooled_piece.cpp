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

PiecePools::Lease::~Lease() {
  if (pool_) {
    static_cast<void>(pool_->get_data_owned());
    const Lock lock(owner_->mutex_);
    --owner_->n_leased_;
    if (owner_->idle_.size() < owner_->n_kept_) {
      owner_->idle_.push_back(std::move(pool_));  // never grows: take() has made room
    }
  }
}

PiecePools::Lease PiecePools::take() {
  const Lock lock(mutex_);
  if (!idle_.empty()) {
    std::unique_ptr<BufferPool> pool = std::move(idle_.back());
    idle_.pop_back();
    ++n_leased_;
    return {*this, std::move(pool)};
  }
  idle_.reserve(n_leased_ + 1);
  auto pool = std::make_unique<BufferPool>(BufferPoolOptions{
      .capacity = BufferPool::kSlots * kSlotSize, .alignment = kAlignment, .source = source_});
  ++n_leased_;
  return {*this, std::move(pool)};
}

std::size_t PiecePools::n_idle() const {
  const Lock lock(mutex_);
  return idle_.size();
}

}  // namespace furrow
