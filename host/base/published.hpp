// SPDX-License-Identifier: Apache-2.0
// An immutable value that one thread replaces while many read it, without locks.
//
// std::atomic<std::shared_ptr> would say the same, but in libstdc++ 12 it is not lock-free: a load
// spins on a lock bit, and a reader that is suspended there holds up all others. Here one word
// holds both the address of the current value (upper 48 bits) and how many readers took it from
// there (lower 16 bits), so that a reader enters with one addition and never waits. A reader that
// leaves takes itself off the word, or, when the value was replaced meanwhile, off the value's own
// count, to which the readers of the word were moved. Whoever brings that count to zero deletes the
// value.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <utility>

#include "furrow/errors.hpp"

namespace furrow {

/// pin() is wait-free and leaving is lock-free, for up to 65535 pins at a time. publish() is for
/// one thread at a time. No pin may outlive this.
template <class T>
class Published {
  struct Node {
    std::unique_ptr<const T> value;
    std::atomic<std::int64_t> pins{0};  // below zero until the readers of the word are added
  };

 public:
  /// Keeps a value alive.
  class Pin {
   public:
    Pin(const Pin&) = delete;
    Pin& operator=(const Pin&) = delete;
    ~Pin() { owner_.unpin(node_); }
    const T& operator*() const { return *node_->value; }
    const T* operator->() const { return node_->value.get(); }

   private:
    friend class Published;
    Pin(const Published& owner, Node* node) : owner_(owner), node_(node) {}
    const Published& owner_;
    Node* node_;
  };

  explicit Published(std::unique_ptr<const T> value) : word_(word_of(std::move(value))) {}
  Published(const Published&) = delete;
  Published& operator=(const Published&) = delete;
  ~Published() { delete node_of(word_.load()); }

  [[nodiscard]] Pin pin() const {
    return Pin(*this, node_of(word_.fetch_add(1, std::memory_order_acquire)));
  }
  /// Readers that are inside keep the value they have.
  void publish(std::unique_ptr<const T> value) {
    const std::uint64_t old = word_.exchange(word_of(std::move(value)), std::memory_order_acq_rel);
    Node* node = node_of(old);
    const auto inside = static_cast<std::int64_t>(old & kCountMask);
    if (node->pins.fetch_add(inside, std::memory_order_acq_rel) + inside == 0) {
      delete node;
    }
  }

 private:
  static_assert(std::atomic<std::uint64_t>::is_always_lock_free);
  static constexpr unsigned kCountBits = 16;
  static constexpr std::uint64_t kCountMask = (1U << kCountBits) - 1;

  static Node* node_of(std::uint64_t word) {
    return reinterpret_cast<Node*>(word >> kCountBits);  // NOLINT(performance-no-int-to-ptr)
  }
  static std::uint64_t word_of(std::unique_ptr<const T> value) {
    auto node = std::make_unique<Node>();
    node->value = std::move(value);
    const auto address = reinterpret_cast<std::uintptr_t>(node.get());
    if (address >> (64 - kCountBits) != 0) {
      throw Error(ErrorKind::kInternal, "address beyond 48 bits");
    }
    return static_cast<std::uint64_t>(reinterpret_cast<std::uintptr_t>(node.release()))
           << kCountBits;
  }
  void unpin(Node* node) const {
    std::uint64_t word = word_.load(std::memory_order_relaxed);
    while (node_of(word) == node) {
      if (word_.compare_exchange_weak(word, word - 1, std::memory_order_release,
                                      std::memory_order_relaxed)) {
        return;
      }
    }
    if (node->pins.fetch_sub(1, std::memory_order_acq_rel) == 1) {
      delete node;
    }
  }

  mutable std::atomic<std::uint64_t> word_;
};

}  // namespace furrow
