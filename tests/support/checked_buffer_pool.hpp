// SPDX-License-Identifier: Apache-2.0
// A buffer pool of which every step is compared with the model and every slice with its checksum.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "host/crypto/blake3.hpp"
#include "host/store/buffer_pool.hpp"
#include "tests/support/buffer_pool_model.hpp"

namespace furrow::test {

/// Any disagreement is a std::logic_error that says what was expected where.
///
/// Of a message longer than kWhole only both ends of kEnd bytes are written and checked, so that a
/// pool of 4 GiB takes no memory; what is written of it has to stay in the block.
class CheckedBufferPool {
 public:
  static constexpr std::size_t kWhole = std::size_t{1} << 14;
  static constexpr std::size_t kEnd = 4096;

  CheckedBufferPool(std::size_t capacity, std::size_t alignment)
      : model_(capacity, alignment), alignment_(alignment) {
    BufferPoolOptions options{.capacity = capacity, .alignment = alignment};
    options.source = [this](std::size_t n_bytes) {
      MemoryBlock block = make_page_block(n_bytes);
      block_ = block.get();
      return block;
    };
    pool_ = std::make_unique<BufferPool>(options);
  }
  CheckedBufferPool(const CheckedBufferPool&) = delete;
  CheckedBufferPool& operator=(const CheckedBufferPool&) = delete;

  [[nodiscard]] BufferPool& pool() { return *pool_; }
  [[nodiscard]] const BufferPoolModel& model() const { return model_; }
  [[nodiscard]] std::size_t n_slices() const { return held_.size(); }

  /// Makes the message longer and fills the new part.
  void grow(std::size_t n) {
    const std::size_t old_size = pool_->bytes().size();
    const std::span<std::uint8_t> part = pool_->get_writable(n);
    model_.grow(n);
    expect(part.size() == n, "length of the new part", n, part.size());
    const std::span<const std::uint8_t> all = pool_->bytes();
    expect(all.size() == old_size + n, "length of the message", old_size + n, all.size());
    expect(n == 0 || part.data() == all.data() + old_size, "new part behind the old one", 1, 0);
    if (n != 0) {
      check_place(all.data());
      for_checked_bytes(old_size, all.size(),
                        [&](std::size_t i) { part[i - old_size] = pattern(i); });
    }
    check_counters();
  }

  /// Turns the message into a slice, whose bytes have to be those written.
  void take() {
    const std::span<const std::uint8_t> before = pool_->bytes();
    const std::uint8_t* const data = before.data();
    const std::size_t size = before.size();
    Slice slice = pool_->get_data_owned();
    expect(slice.size() == size, "length of the slice", size, slice.size());
    expect(pool_->bytes().empty(), "bytes left in the pool", 0, pool_->bytes().size());
    if (size == 0) {
      expect(!slice.is_in_block(), "slots of an empty slice", 0, 1);
      return;
    }
    expect(slice.bytes().data() == data, "moved at hand-over", 0, 1);
    expect(slice.is_in_block() == (model_.mode() != BufferPoolMode::kAlloc), "slice in the block",
           model_.mode() != BufferPoolMode::kAlloc, slice.is_in_block());
    for_checked_bytes(0, size, [&](std::size_t i) {
      expect(slice.bytes()[i] == pattern(i), "byte at hand-over", pattern(i), slice.bytes()[i]);
    });
    check_disjoint(slice);
    model_.take(n_taken_);
    const Hash checksum = checksum_of(slice);
    held_.push_back({std::move(slice), checksum, n_taken_++});
    check_counters();
  }

  /// Writes other bytes to a slice that is held.
  void rewrite(std::size_t index) {
    Held& held = held_[index];
    for_checked_bytes(0, held.slice.size(), [&](std::size_t i) {
      held.slice.bytes()[i] = static_cast<std::uint8_t>(held.slice.bytes()[i] + 1);
    });
    held.checksum = checksum_of(held.slice);
  }

  /// Drops the slice of that index, here or on another thread.
  void drop(std::size_t index, bool on_another_thread = false) {
    check_checksum(held_[index]);
    model_.drop(held_[index].number);
    if (on_another_thread) {
      std::jthread([slice = std::move(held_[index].slice)] {});
    }
    held_.erase(held_.begin() + static_cast<std::ptrdiff_t>(index));
    check_counters();
  }

  void drop_all() {
    while (!held_.empty()) {
      drop(held_.size() - 1);
    }
  }

  /// Ends the pool before its slices, which have to keep their bytes.
  void end_pool() {
    pool_.reset();
    for (const Held& held : held_) {
      check_checksum(held);
    }
    held_.clear();
  }

 private:
  struct Held {
    Slice slice;
    Hash checksum;
    std::size_t number;
  };

  static void expect(bool is_so, const char* what, std::uint64_t expected, std::uint64_t actual) {
    if (!is_so) {
      throw std::logic_error("buffer pool: " + std::string(what) + ": expected " +
                             std::to_string(expected) + ", is " + std::to_string(actual));
    }
  }

  /// 251 is prime to every alignment, so that bytes of a wrong place or message show.
  [[nodiscard]] std::uint8_t pattern(std::size_t i) const {
    return static_cast<std::uint8_t>((i + 17 * n_taken_) % 251);
  }

  /// Calls `call` for each position in [from, to) that is written and checked.
  template <class Call>
  static void for_checked_bytes(std::size_t from, std::size_t to, const Call& call) {
    const bool is_whole = to <= kWhole;
    for (std::size_t i = from; i < to && (is_whole || i < kEnd); ++i) {
      call(i);
    }
    for (std::size_t i = std::max(from, to - kEnd); !is_whole && i < to; ++i) {
      call(i);
    }
  }

  static Hash checksum_of(const Slice& slice) {
    const std::span<const std::uint8_t> bytes = slice.bytes();
    if (bytes.size() <= kWhole) {
      return blake3(bytes);
    }
    std::vector<std::uint8_t> ends(bytes.begin(), bytes.begin() + kEnd);
    ends.insert(ends.end(), bytes.end() - kEnd, bytes.end());
    return blake3(ends);
  }

  static void check_checksum(const Held& held) {
    if (checksum_of(held.slice) != held.checksum) {
      throw std::logic_error("buffer pool: slice " + std::to_string(held.number) +
                             " has other bytes than when it was taken");
    }
  }

  void check_place(const std::uint8_t* data) const {
    const auto& message = model_.message().value();
    expect(reinterpret_cast<std::uintptr_t>(data) % alignment_ == 0, "alignment", alignment_, 0);
    expect(pool_->mode() == model_.mode(), "mode", static_cast<unsigned>(model_.mode()),
           static_cast<unsigned>(pool_->mode()));
    if (message.mode != BufferPoolMode::kAlloc) {
      expect(data == block_ + message.begin, "offset", message.begin,
             static_cast<std::uint64_t>(data - block_));
    }
  }

  void check_disjoint(const Slice& slice) const {
    for (const Held& held : held_) {
      const std::uint8_t* const other = held.slice.bytes().data();
      expect(slice.bytes().data() + slice.size() <= other ||
                 other + held.slice.size() <= slice.bytes().data(),
             "slices that overlap", 0, 1);
    }
  }

  void check_counters() const {
    const BufferPoolCounters& expected = model_.counters();
    const BufferPoolCounters& actual = pool_->counters();
    expect(pool_->mode() == model_.mode(), "mode", static_cast<unsigned>(model_.mode()),
           static_cast<unsigned>(pool_->mode()));
    expect(actual.n_back == expected.n_back, "n_back", expected.n_back, actual.n_back);
    expect(actual.n_front == expected.n_front, "n_front", expected.n_front, actual.n_front);
    expect(actual.n_alloc == expected.n_alloc, "n_alloc", expected.n_alloc, actual.n_alloc);
    expect(actual.n_mode_changes == expected.n_mode_changes, "n_mode_changes",
           expected.n_mode_changes, actual.n_mode_changes);
    expect(actual.n_fallbacks == expected.n_fallbacks, "n_fallbacks", expected.n_fallbacks,
           actual.n_fallbacks);
    expect(actual.n_moves == expected.n_moves, "n_moves", expected.n_moves, actual.n_moves);
    expect(actual.n_moved_bytes == expected.n_moved_bytes, "n_moved_bytes", expected.n_moved_bytes,
           actual.n_moved_bytes);
    expect(actual.high_water_mark == expected.high_water_mark, "high_water_mark",
           expected.high_water_mark, actual.high_water_mark);
  }

  BufferPoolModel model_;
  std::size_t alignment_;
  std::uint8_t* block_ = nullptr;
  std::unique_ptr<BufferPool> pool_;
  std::vector<Held> held_;
  std::size_t n_taken_ = 0;
};

}  // namespace furrow::test
