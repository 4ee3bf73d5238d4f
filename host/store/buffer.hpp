// SPDX-License-Identifier: Apache-2.0
// What code needs of a buffer that it fills with messages: whether their memory is pooled or not is
// no concern of its.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>

#include "host/store/slice.hpp"

namespace furrow {

/// Builds one message at a time, of parts whose lengths become known while it grows, such as a
/// header and then the body that the header announces (docs/spec/08-storage-components.md, 4.2):
///
/// * `get_writable(n)` makes the message n bytes longer and returns those n, for writing; what they
///   hold before is unspecified. The message stays contiguous and keeps what was written, but it
///   may move: views and the result of `bytes()` are valid until the next call only. 0 is legal and
///   gives an empty view.
/// * `bytes()` is the message so far.
/// * `get_data_owned()` hands the message over as a slice and starts a new, empty one. An empty
///   message gives an empty slice, which owns no memory.
///
/// A buffer has one user at a time. Its slices are independent of it: they stay where they are
/// until dropped, on any thread, in any order, before or after the end of the buffer.
///
/// `get_writable` throws InvalidArgument for a message longer than any memory and std::bad_alloc
/// when there is none; the message is as before then.
template <class T>
concept Buffer = requires(T buffer, const T& unchanged, std::size_t n) {
  { buffer.get_writable(n) } -> std::same_as<std::span<std::uint8_t>>;
  { unchanged.bytes() } -> std::same_as<std::span<const std::uint8_t>>;
  { buffer.get_data_owned() } -> std::same_as<Slice>;
};

}  // namespace furrow
