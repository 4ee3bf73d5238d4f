// SPDX-License-Identifier: Apache-2.0
// The buffer pool against allocations from the system, in the three scenarios of
// docs/spec/08-storage-components.md, 4.6. A message is a header of 8 bytes and then a body, as a
// decoder builds it; each iteration is two messages of the size that is the argument, filled with
// random bytes. Run with --benchmark_repetitions=5 and quote medians; compare figures of one run.
#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <mutex>
#include <random>
#include <span>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

#include <benchmark/benchmark.h>

#include "host/store/buffer_pool.hpp"
#include "host/store/system_buffer.hpp"

namespace furrow {
namespace {

constexpr std::size_t kHeader = 8;
constexpr std::size_t kPiece = 1'049'600;
// More than malloc ever keeps for the next time (32 MiB): it asks the system for each.
constexpr std::size_t kManyPieces = 32 * kPiece;

const std::vector<std::uint8_t>& random_bytes() {
  static const std::vector<std::uint8_t> bytes = [] {
    std::vector<std::uint8_t> result(kManyPieces);
    std::mt19937_64 random(1);
    for (std::uint8_t& byte : result) {
      byte = static_cast<std::uint8_t>(random());
    }
    return result;
  }();
  return bytes;
}

/// A pool for eight messages of that size.
struct Pool : BufferPool {
  explicit Pool(std::size_t size) : BufferPool({.capacity = 8 * ((size + 63) / 64 * 64)}) {}
};

struct System : SystemBuffer {
  explicit System(std::size_t /*size*/) {}
};

/// Control: free messages by their length in a hash map, under a lock, as arrays on the heap.
class HashMapPool {
 public:
  class Message {
   public:
    Message() = default;
    Message(HashMapPool& pool, std::vector<std::uint8_t> bytes)
        : pool_(&pool), bytes_(std::move(bytes)) {}
    Message(Message&& other) noexcept
        : pool_(std::exchange(other.pool_, nullptr)), bytes_(std::move(other.bytes_)) {}
    Message& operator=(Message&& other) noexcept {
      std::swap(pool_, other.pool_);
      std::swap(bytes_, other.bytes_);
      return *this;
    }
    ~Message() {
      if (pool_ != nullptr) {
        const std::lock_guard lock(pool_->mutex_);
        const std::size_t size = bytes_.size();
        pool_->free_[size].push_back(std::move(bytes_));
      }
    }
    [[nodiscard]] std::span<const std::uint8_t> bytes() const { return bytes_; }

   private:
    HashMapPool* pool_ = nullptr;
    std::vector<std::uint8_t> bytes_;
  };

  explicit HashMapPool(std::size_t size) : size_(size) {}
  std::span<std::uint8_t> get_writable(std::size_t n) {
    if (end_ == 0) {
      const std::lock_guard lock(mutex_);
      std::vector<std::vector<std::uint8_t>>& candidates = free_[size_];
      if (candidates.empty()) {
        message_ = std::vector<std::uint8_t>(size_);
      } else {
        message_ = std::move(candidates.back());
        candidates.pop_back();
      }
    }
    const auto part = std::span(message_).subspan(end_, n);
    end_ += n;
    return part;
  }
  Message get_data_owned() {
    end_ = 0;
    return {*this, std::move(message_)};
  }

 private:
  std::size_t size_;
  std::size_t end_ = 0;
  std::vector<std::uint8_t> message_;
  std::mutex mutex_;
  std::unordered_map<std::size_t, std::vector<std::vector<std::uint8_t>>> free_;
};

auto fill_and_take(auto& buffer, std::size_t size) {
  const std::uint8_t* const source = random_bytes().data();
  std::memcpy(buffer.get_writable(kHeader).data(), source, kHeader);
  std::memcpy(buffer.get_writable(size - kHeader).data(), source + kHeader, size - kHeader);
  return buffer.get_data_owned();
}

/// Before the time is taken.
template <class B>
B make_buffer(benchmark::State& state) {
  random_bytes();
  return B(static_cast<std::size_t>(state.range(0)));
}

void count_messages(benchmark::State& state) {
  state.SetItemsProcessed(2 * state.iterations());
  state.SetBytesProcessed(2 * state.iterations() * state.range(0));
}

/// Fill, take, fill, take, drop both.
template <class B>
void single_thread(benchmark::State& state) {
  const auto size = static_cast<std::size_t>(state.range(0));
  B buffer = make_buffer<B>(state);
  for (auto _ : state) {
    auto first = fill_and_take(buffer, size);
    auto second = fill_and_take(buffer, size);
    benchmark::DoNotOptimize(first);
    benchmark::DoNotOptimize(second);
  }
  count_messages(state);
}

/// As in the material: each message gets a thread, which drops it after 1 ms. One iteration is the
/// two messages of a repetition; threads are joined when 64 are out.
template <class B, bool kWait>
void thread_for_each(benchmark::State& state) {
  const auto size = static_cast<std::size_t>(state.range(0));
  B buffer = make_buffer<B>(state);
  std::vector<std::jthread> threads;
  const auto send = [&] {
    threads.emplace_back([message = fill_and_take(buffer, size)] {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    });
  };
  for (auto _ : state) {
    send();
    send();
    if (kWait || threads.size() == 64) {
      threads.clear();
    }
  }
  threads.clear();
  count_messages(state);
}

/// A ring between two threads, in which the receiver drops what it takes out. `kDepth` messages are
/// out at most, so that the pool's slots are enough, as with copies in flight to a device.
template <class Message>
class Ring {
 public:
  static constexpr std::uint32_t kDepth = 6;

  void send(Message message) {
    if (n_sent_ >= kDepth) {
      wait_for(dropped_, n_sent_ - kDepth + 1);
    }
    places_[n_sent_ % kDepth] = std::move(message);
    advance(sent_, ++n_sent_);
  }
  void wait_until_all_are_dropped() { wait_for(dropped_, n_sent_); }
  /// Receives until a message without bytes.
  void receive() {
    for (std::uint32_t n_dropped = 0;;) {
      wait_for(sent_, n_dropped + 1);
      const bool is_last = Message(std::move(places_[n_dropped % kDepth])).bytes().empty();
      advance(dropped_, ++n_dropped);
      if (is_last) {
        return;
      }
    }
  }

 private:
  static void wait_for(const std::atomic<std::uint32_t>& counter, std::uint32_t count) {
    for (std::uint32_t seen = counter.load(std::memory_order_acquire); seen < count;
         seen = counter.load(std::memory_order_acquire)) {
      counter.wait(seen, std::memory_order_acquire);
    }
  }
  static void advance(std::atomic<std::uint32_t>& counter, std::uint32_t count) {
    counter.store(count, std::memory_order_release);
    counter.notify_one();
  }

  std::array<Message, kDepth> places_;
  std::uint32_t n_sent_ = 0;
  alignas(64) std::atomic<std::uint32_t> sent_ = 0;
  alignas(64) std::atomic<std::uint32_t> dropped_ = 0;
};

/// Fill, take, send, twice; another thread drops. `kWait`: then wait until both are dropped.
template <class B, bool kWait>
void ring(benchmark::State& state) {
  const auto size = static_cast<std::size_t>(state.range(0));
  B buffer = make_buffer<B>(state);
  using Message = decltype(buffer.get_data_owned());
  Ring<Message> messages;
  {
    const std::jthread receiver([&] { messages.receive(); });
    for (auto _ : state) {
      messages.send(fill_and_take(buffer, size));
      messages.send(fill_and_take(buffer, size));
      if (kWait) {
        messages.wait_until_all_are_dropped();
      }
    }
    messages.send(Message());
  }
  count_messages(state);
}

// A frame, a page, half a network message, a piece, 32 pieces.
#define FURROW_SIZES ->Arg(64)->Arg(4096)->Arg(65'536)->Arg(kPiece)->Arg(kManyPieces)
#define FURROW_SCENARIO(scenario, ...)                                          \
  BENCHMARK_TEMPLATE(scenario, Pool __VA_OPT__(, ) __VA_ARGS__) FURROW_SIZES;   \
  BENCHMARK_TEMPLATE(scenario, System __VA_OPT__(, ) __VA_ARGS__) FURROW_SIZES; \
  BENCHMARK_TEMPLATE(scenario, HashMapPool __VA_OPT__(, ) __VA_ARGS__) FURROW_SIZES

FURROW_SCENARIO(single_thread);
FURROW_SCENARIO(ring, false);
FURROW_SCENARIO(ring, true);
FURROW_SCENARIO(thread_for_each, false);
FURROW_SCENARIO(thread_for_each, true);

}  // namespace
}  // namespace furrow

BENCHMARK_MAIN();
