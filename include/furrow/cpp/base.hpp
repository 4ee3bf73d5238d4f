// SPDX-License-Identifier: Apache-2.0
/** @file
 * What all headers of the C++ interface have in common: views of buffers, hashes, abort flags. Part
 * of furrow/furrow.hpp.
 *
 * Everything is in an inline namespace of the version, so that programs write furrow::Encoder while
 * the linker sees another name. Parts of one program may be compiled with headers of different
 * versions, and no name is that of a class of the library itself, which it was built from in
 * namespace furrow, too, and which may be linked statically. */
#ifndef FURROW_CPP_BASE_HPP
#define FURROW_CPP_BASE_HPP

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <exception>
#include <iterator>
#include <memory>
#include <mutex>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "furrow/furrow.h"

namespace furrow {
inline namespace v0_1 {

/// A view of elements in a row, which somebody else owns.
template <class T>
class Span {
 public:
  constexpr Span() noexcept = default;
  /// Of `count` elements from `first` on.
  constexpr Span(T* first, std::size_t count) noexcept : data_(first), size_(count) {}
  /// Of a std::vector, std::array, std::span, or anything else that has data and size.
  template <class Container,
            class Element = std::remove_pointer_t<
                decltype(std::data(std::declval<std::remove_reference_t<Container>&>()))>,
            class = std::enable_if_t<std::is_convertible_v<Element (*)[], T (*)[]>>>
  constexpr Span(Container&& container) noexcept  // NOLINT(bugprone-forwarding-reference-overload)
      : data_(std::data(container)), size_(std::size(container)) {}

  /// The first element; may be null when there is none.
  [[nodiscard]] constexpr T* data() const noexcept { return data_; }
  /// How many elements there are.
  [[nodiscard]] constexpr std::size_t size() const noexcept { return size_; }
  /// Whether there is none.
  [[nodiscard]] constexpr bool empty() const noexcept { return size_ == 0; }
  /// For loops over the elements.
  [[nodiscard]] constexpr T* begin() const noexcept { return data_; }
  /// For loops over the elements.
  [[nodiscard]] constexpr T* end() const noexcept { return data_ + size_; }

 private:
  T* data_ = nullptr;
  std::size_t size_ = 0;
};

/// Bytes that are read.
using Bytes = Span<const std::uint8_t>;
/// Bytes that are written.
using MutableBytes = Span<std::uint8_t>;

/// A hash, identifier, root, key or seed.
using Hash = std::array<std::uint8_t, FURROW_HASH_SIZE>;

/// The same bytes out of a struct of the C interface.
inline Hash to_hash(const std::uint8_t (&bytes)[FURROW_HASH_SIZE]) {
  Hash hash{};
  std::memcpy(hash.data(), bytes, hash.size());
  return hash;
}

/// How a call ended that can be aborted.
enum class [[nodiscard]] Outcome{
    kDone,
    /// An abort flag was set, or the object of the call is being destroyed. What that means for the
    /// outputs is said at FURROW_CANCELLED.
    kCancelled};

/// Ends the calls that it is given to, from another thread or from the handler of a signal: a flag
/// of static storage duration exists before any handler can run.
class AbortFlag {
 public:
  constexpr AbortFlag() noexcept = default;
  AbortFlag(const AbortFlag&) = delete;
  AbortFlag& operator=(const AbortFlag&) = delete;

  /// Ends the calls. It has to stay set until they have returned.
  void set() noexcept { __atomic_store_n(&byte_, std::uint8_t{1}, __ATOMIC_RELEASE); }
  /// For calls to come.
  void reset() noexcept { __atomic_store_n(&byte_, std::uint8_t{0}, __ATOMIC_RELEASE); }
  /// For loops of one's own.
  [[nodiscard]] bool is_set() const noexcept {
    return __atomic_load_n(&byte_, __ATOMIC_ACQUIRE) != 0;
  }
  /// For functions of the C interface.
  [[nodiscard]] const volatile std::uint8_t* byte() const noexcept { return &byte_; }

 private:
  volatile std::uint8_t byte_ = 0;
};

namespace detail {

/// What C takes; null without a flag.
inline const volatile std::uint8_t* byte_of(const AbortFlag* flag) noexcept {
  return flag != nullptr ? flag->byte() : nullptr;
}

/// Buffer of an output that may be left out. An empty std::vector may still have an address.
template <class T>
T* data_or_null(Span<T> output) noexcept {
  return output.empty() ? nullptr : output.data();
}

/// A struct as its init function leaves it.
template <class T>
T initialised(void (*init)(T*, std::size_t)) noexcept {
  T value;
  init(&value, sizeof(value));
  return value;
}

/// What functions of a user need, kept alive by everything that may cause their calls.
using Kept = std::shared_ptr<const void>;

/// Several of them as one.
inline Kept keep_all(std::vector<Kept> all) {
  return std::make_shared<const std::vector<Kept>>(std::move(all));
}

/// Owner of a handle of the C interface.
template <class T, void (*kDestroy)(T*)>
class Handle {
 public:
  Handle(T* handle, Kept kept) noexcept : kept_(std::move(kept)), handle_(handle) {}
  Handle(Handle&& other) noexcept = default;
  /// By hand: member by member, `kept_` would be let go before the handle that needs it.
  Handle& operator=(Handle&& other) noexcept {
    Handle taken(std::move(other));
    kept_.swap(taken.kept_);
    handle_.swap(taken.handle_);
    return *this;
  }
  ~Handle() = default;

  [[nodiscard]] T* get() const noexcept { return handle_.get(); }
  [[nodiscard]] const Kept& kept() const noexcept { return kept_; }

 private:
  struct Destroy {
    void operator()(T* handle) const noexcept { kDestroy(handle); }
  };
  Kept kept_;  // first, so that it is destroyed last
  std::unique_ptr<T, Destroy> handle_;
};

/// Keeps what functions of a user threw while a call was under way, for the end of the call.
class FirstException {
 public:
  /// Runs `body`, unless one has thrown already. From several threads at once.
  template <class Body>
  void guard(Body body) noexcept {
    if (has_thrown()) {
      return;
    }
    try {
      body();
    } catch (...) {
      const std::lock_guard<std::mutex> lock(mutex_);
      if (!first_) {
        first_ = std::current_exception();
      }
    }
  }
  /// When the call is over.
  void rethrow() const {
    if (first_) {
      std::rethrow_exception(first_);
    }
  }

 private:
  [[nodiscard]] bool has_thrown() noexcept {
    const std::lock_guard<std::mutex> lock(mutex_);
    return first_ != nullptr;
  }
  std::mutex mutex_;
  std::exception_ptr first_;
};

/// Names of devices as the C interface takes them; they live as long as `names`.
inline std::vector<const char*> pointers_to(const std::vector<std::string>& names) {
  std::vector<const char*> pointers;
  pointers.reserve(names.size());
  for (const std::string& name : names) {
    pointers.push_back(name.c_str());
  }
  return pointers;
}

}  // namespace detail
}  // namespace v0_1
}  // namespace furrow

#endif
