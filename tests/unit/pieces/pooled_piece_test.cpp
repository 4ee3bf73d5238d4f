// SPDX-License-Identifier: Apache-2.0
// Pieces in slices of buffer pools, and the set of pools.
#include "host/pieces/pooled_piece.hpp"

#include <algorithm>
#include <cstring>
#include <optional>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "furrow/errors.hpp"

namespace furrow {
namespace {

/// Puts a piece into the pool whose bytes are a period of 251 from `start` on.
PiecePtr make_piece(BufferPool& pool, std::size_t start) {
  const std::span<std::uint8_t> bytes = pool.get_writable(kPieceSize);
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    bytes[i] = static_cast<std::uint8_t>((start + i) % 251);
  }
  return piece_in(pool.get_data_owned());
}

bool is_piece(const Piece& piece, std::size_t start) {
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(&piece);
  for (std::size_t i = 0; i < kPieceSize; ++i) {
    if (bytes[i] != (start + i) % 251) {
      return false;
    }
  }
  return true;
}

TEST(PooledPiece, IsTheBytesOfTheSlice) {
  PiecePools pools;
  const PiecePools::Lease lease = pools.take();
  const std::span<std::uint8_t> bytes = lease->get_writable(kPieceSize);
  std::ranges::fill(bytes, std::uint8_t{7});
  const PiecePtr piece = piece_in(lease->get_data_owned());
  EXPECT_EQ(static_cast<const void*>(piece.get()), bytes.data());
  EXPECT_EQ(piece->record[kNumChunks - 1].bytes.back(), 7);
}

TEST(PooledPiece, RefusesAnotherSize) {
  PiecePools pools;
  const PiecePools::Lease lease = pools.take();
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, kPieceSize - 1, kPieceSize + 1}) {
    lease->get_writable(size);
    try {
      piece_in(lease->get_data_owned());
      ADD_FAILURE() << size << " bytes are a piece";
    } catch (const InvalidBytesLength& error) {
      EXPECT_EQ(error.expected(), kPieceSize);
      EXPECT_EQ(error.actual(), size);
    }
  }
  EXPECT_TRUE(is_piece(*make_piece(*lease, 3), 3));
}

TEST(PiecePools, EightPiecesFitAndTheNinthLiesInSystemMemory) {
  PiecePools pools;
  const PiecePools::Lease lease = pools.take();
  std::vector<PiecePtr> pieces;
  for (std::size_t i = 0; i < BufferPool::kSlots + 1; ++i) {
    EXPECT_EQ(lease->counters().n_alloc, 0U) << i;
    pieces.push_back(make_piece(*lease, i));
  }
  EXPECT_EQ(lease->counters().n_alloc, 1U);
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    EXPECT_TRUE(is_piece(*pieces[i], i)) << i;
  }
  pieces.clear();
  pieces.push_back(make_piece(*lease, 5));
  EXPECT_EQ(lease->counters().n_alloc, 1U) << "room that was given back is not used";
}

TEST(PiecePools, LeasesAreApartAndComeBack) {
  PiecePools pools;
  {
    const PiecePools::Lease first = pools.take();
    const PiecePools::Lease second = pools.take();
    EXPECT_NE(&*first, &*second);
    EXPECT_EQ(pools.n_idle(), 0U);
  }
  EXPECT_EQ(pools.n_idle(), 2U);
  {
    PiecePools::Lease lease = pools.take();
    EXPECT_EQ(pools.n_idle(), 1U);
    const PiecePools::Lease moved = std::move(lease);
    EXPECT_EQ(pools.n_idle(), 1U);
  }
  EXPECT_EQ(pools.n_idle(), 2U);
}

TEST(PiecePools, NoMoreThanToBeKeptAreKept) {
  int n_blocks = 0;
  const auto counted = [&](std::size_t n_bytes) {
    ++n_blocks;
    const MemoryBlock block = make_page_block(n_bytes);
    return MemoryBlock(block.get(), [block, &n_blocks](std::uint8_t*) { --n_blocks; });
  };
  for (const std::size_t n_kept : {0U, 1U, 2U, 5U}) {
    PiecePools pools(counted, n_kept);
    for (int round = 0; round < 2; ++round) {
      PiecePtr piece;
      {
        const PiecePools::Lease first = pools.take();
        const PiecePools::Lease second = pools.take();
        const PiecePools::Lease third = pools.take();
        piece = make_piece(*first, 9);
        EXPECT_EQ(n_blocks, 3);
      }
      EXPECT_EQ(pools.n_idle(), std::min<std::size_t>(n_kept, 3));
      EXPECT_TRUE(is_piece(*piece, 9));
      piece.reset();
      EXPECT_EQ(n_blocks, std::min<int>(static_cast<int>(n_kept), 3)) << "memory stays with nobody";
    }
  }
  EXPECT_EQ(n_blocks, 0);
}

TEST(PiecePools, AnUnfinishedMessageIsDroppedWithItsLease) {
  PiecePools pools;
  { pools.take()->get_writable(100); }
  const PiecePools::Lease lease = pools.take();
  EXPECT_TRUE(lease->bytes().empty());
  EXPECT_TRUE(is_piece(*make_piece(*lease, 1), 1));
}

TEST(PiecePools, PiecesOutliveLeaseAndPoolsOnAnyThread) {
  std::vector<PiecePtr> pieces;
  {
    PiecePools pools;
    const PiecePools::Lease lease = pools.take();
    for (std::size_t i = 0; i < 3; ++i) {
      pieces.push_back(make_piece(*lease, i));
    }
    std::jthread([piece = std::move(pieces.back())]() mutable { piece.reset(); });
    pieces.pop_back();
  }
  EXPECT_TRUE(is_piece(*pieces[0], 0));
  EXPECT_TRUE(is_piece(*pieces[1], 1));
}

TEST(PiecePools, BatchesOnSeveralThreadsDoNotMeet) {
  PiecePools pools;
  std::vector<std::vector<PiecePtr>> made(3);
  {
    std::vector<std::jthread> threads;
    for (std::size_t t = 0; t < made.size(); ++t) {
      threads.emplace_back([&, t] {
        for (std::size_t i = 0; i < 10; ++i) {
          const PiecePools::Lease lease = pools.take();
          made[t].push_back(make_piece(*lease, 10 * t + i));
          if (made[t].size() > 4) {
            made[t].erase(made[t].begin());
          }
        }
      });
    }
  }
  for (std::size_t t = 0; t < made.size(); ++t) {
    for (std::size_t i = 0; i < made[t].size(); ++i) {
      EXPECT_TRUE(is_piece(*made[t][i], 10 * t + 6 + i)) << "thread " << t << ", piece " << i;
    }
  }
  EXPECT_LE(pools.n_idle(), made.size());
}

TEST(PiecePools, ASourceThatFailsLeavesTheSetUsable) {
  bool fails = true;
  PiecePools pools([&](std::size_t n_bytes) {
    if (fails) {
      throw std::bad_alloc();
    }
    return make_page_block(n_bytes);
  });
  EXPECT_THROW(static_cast<void>(pools.take()), std::bad_alloc);
  fails = false;
  { const PiecePools::Lease lease = pools.take(); }
  EXPECT_EQ(pools.n_idle(), 1U);
}

}  // namespace
}  // namespace furrow
