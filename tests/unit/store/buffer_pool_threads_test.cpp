// SPDX-License-Identifier: Apache-2.0
// Slices that other threads read, write and drop while the pool goes on. Worth most under the
// thread sanitizer.
#include <algorithm>
#include <array>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "host/crypto/blake3.hpp"
#include "host/store/buffer_pool.hpp"

namespace furrow {
namespace {

struct Sent {
  Slice slice;
  Hash checksum;
};

/// Slices on their way to the threads that drop them.
class Channel {
 public:
  void send(Sent sent) {
    {
      const std::lock_guard lock(mutex_);
      queue_.push_back(std::move(sent));
    }
    changed_.notify_one();
  }
  void close() {
    {
      const std::lock_guard lock(mutex_);
      is_closed_ = true;
    }
    changed_.notify_all();
  }
  std::optional<Sent> receive() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return is_closed_ || !queue_.empty(); });
    if (queue_.empty()) {
      return std::nullopt;
    }
    Sent sent = std::move(queue_.front());
    queue_.pop_front();
    return sent;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Sent> queue_;
  bool is_closed_ = false;
};

/// Verifies and drops what it is sent, a few slices later and in another order.
void drop_later(Channel& channel, unsigned seed, std::size_t& n_wrong) {
  std::mt19937 random(seed);
  std::vector<Sent> held;
  const auto drop = [&](std::size_t i) {
    std::swap(held[i], held.back());
    Slice& slice = held.back().slice;
    n_wrong += blake3(std::as_const(slice).bytes()) == held.back().checksum ? 0 : 1;
    std::ranges::fill(slice.bytes(), std::uint8_t{0xFF});  // must be nobody else's
    held.pop_back();
  };
  while (std::optional<Sent> sent = channel.receive()) {
    held.push_back(*std::move(sent));
    while (held.size() > random() % 4) {
      drop(random() % held.size());
    }
  }
  while (!held.empty()) {
    drop(0);
  }
}

TEST(BufferPoolThreads, SlicesAreDroppedElsewhereWhileThePoolGoesOn) {
  constexpr int kMessages = 20'000;
  constexpr std::size_t kThreads = 3;
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  auto pool = std::make_unique<BufferPool>(BufferPoolOptions{.capacity = 4096});
  std::array<std::size_t, kThreads> n_wrong{};
  std::array<Channel, kThreads> channels;
  BufferPoolCounters counters;
  {
    std::vector<std::jthread> threads;
    for (std::size_t i = 0; i < kThreads; ++i) {
      threads.emplace_back(
          [&, i] { drop_later(channels[i], seed + 1 + static_cast<unsigned>(i), n_wrong[i]); });
    }
    for (int i = 0; i < kMessages; ++i) {
      for (auto parts = 1 + random() % 3; parts > 0; --parts) {
        for (std::uint8_t& byte : pool->get_writable(random() % 500)) {
          byte = static_cast<std::uint8_t>(i);
        }
      }
      const Hash checksum = blake3(pool->bytes());
      channels[random() % kThreads].send({pool->get_data_owned(), checksum});
    }
    counters = pool->counters();
    pool.reset();  // before its last slices, which are on their way
    for (Channel& channel : channels) {
      channel.close();
    }
  }
  EXPECT_EQ(n_wrong, (std::array<std::size_t, kThreads>{}));
  EXPECT_GT(counters.n_back, 0U);
  EXPECT_GT(counters.n_alloc, 0U);
}

/// The pool and its slices leave at the same time: one of them frees the block, once.
TEST(BufferPoolThreads, TheLastOwnerFreesTheBlock) {
  for (int round = 0; round < 300; ++round) {
    std::atomic<int> n_freed = 0;
    auto pool = std::make_unique<BufferPool>(BufferPoolOptions{
        .capacity = 8 * 64, .source = [&n_freed](std::size_t n_bytes) {
          const MemoryBlock block = make_page_block(n_bytes);
          return MemoryBlock(block.get(), [&n_freed, block](std::uint8_t*) { ++n_freed; });
        }});
    std::array<std::vector<Slice>, 2> shares;
    for (std::size_t i = 0; i < 8; ++i) {
      pool->get_writable(64);
      shares[i % 2].push_back(pool->get_data_owned());
      ASSERT_TRUE(shares[i % 2].back().is_in_block());
    }
    {
      std::atomic<bool> go = false;
      std::vector<std::jthread> threads;
      threads.reserve(shares.size());
      for (std::vector<Slice>& share : shares) {
        threads.emplace_back([&] {
          go.wait(false);
          share.clear();
        });
      }
      go = true;
      go.notify_all();
      pool.reset();
    }
    ASSERT_EQ(n_freed, 1);
  }
}

}  // namespace
}  // namespace furrow
