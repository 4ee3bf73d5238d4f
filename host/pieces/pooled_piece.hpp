// SPDX-License-Identifier: Apache-2.0
// Pieces in the memory of buffer pools: a download is received where the piece stays, and a
// sector's worth of pieces needs no allocation for each (docs/spec/08-storage-components.md, part
// 4).
#pragma once

#include <cstddef>
#include <memory>
#include <utility>

#include "furrow/piece.hpp"

#include "host/base/lease_pool.hpp"
#include "host/store/buffer_pool.hpp"

namespace furrow {

/// The piece whose bytes a slice holds. The slice is dropped with the last share in the piece, on
/// whatever thread that is. Throws InvalidBytesLength unless it has the size of a piece.
PiecePtr piece_in(Slice slice);

/// Buffer pools with room for eight pieces each, one for each batch of downloads under way.
/// Thread-safe.
///
/// Memory: at most 8 times 1049600 bytes for each batch under way and for each idle pool that is
/// kept; what pieces have touched of a pool stays in memory as long as the pool, or a piece in it.
/// Pieces that find no room, because eight of their pool are still in use, lie in system memory.
class PiecePools {
 public:
  /// A pool for as long as a batch takes. The pieces that were made of it outlive it.
  using Lease = LeasePool<BufferPool>::Lease;

  /// Blocks come from `source`. What goes to a device is copied into pinned memory later, so plain
  /// memory does. Of the pools that come back, `n_kept` wait for the next batch.
  explicit PiecePools(BlockSource source = make_page_block,
                      std::size_t n_kept = LeasePool<BufferPool>::kKeepAll)
      : source_(std::move(source)), pools_(n_kept) {}
  PiecePools(const PiecePools&) = delete;
  PiecePools& operator=(const PiecePools&) = delete;
  /// Pre: no lease is left.
  ~PiecePools() = default;

  /// An idle pool without a message, or else a new one. Throws what the source throws.
  [[nodiscard]] Lease take();
  [[nodiscard]] std::size_t n_idle() const { return pools_.n_idle(); }

 private:
  BlockSource source_;
  LeasePool<BufferPool> pools_;
};

}  // namespace furrow
