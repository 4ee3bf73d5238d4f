// SPDX-License-Identifier: Apache-2.0
// Structs, texts and buffers on their way across the C interface, as furrow/c/base.h promises.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>

#include "furrow/errors.hpp"
#include "furrow/types.hpp"

namespace furrow::capi {

/// Throws InvalidArgument that says "WHAT: expected EXPECTED, actual ACTUAL", and has both as fields.
[[noreturn]] void refuse(const std::string& what, const std::string& expected,
                         const std::string& actual);
template <class Number>
[[noreturn]] void refuse(const std::string& what, const std::string& expected, Number actual) {
  refuse(what, expected, std::to_string(actual));
}

/// Throws InvalidArgument that names it.
void check_pointer(const void* pointer, const char* name);

/// The same, also when it is empty: no path is.
void check_text(const char* text, const char* name);

/// A range of memory that a caller gave, by the name that he knows it by.
struct Buffer {
  static constexpr std::size_t kNoIndex = SIZE_MAX;

  const char* name;
  const void* begin;
  std::size_t size;
  bool is_written;
  std::size_t index = kNoIndex;  ///< of one in an array of buffers
};
/// Throws InvalidArgument when two of them overlap and one is written, and for one that goes beyond
/// the end of memory. Those at NULL are left out.
void check_apart(std::span<const Buffer> buffers);
inline void check_apart(std::initializer_list<Buffer> buffers) {
  check_apart(std::span<const Buffer>(buffers.begin(), buffers.size()));
}

/// Writes `text` with a zero at the end; what does not fit is left out, but for no half of a
/// character of UTF-8. Pre: size >= 1.
void copy_text(std::string_view text, char* out, std::size_t size);
template <std::size_t kSize>
void copy_text(std::string_view text, char (&out)[kSize]) {
  copy_text(text, out, kSize);
}

/// The id, hash, root or seed of 32 bytes at `bytes`.
template <class T>
T fixed_bytes(const std::uint8_t* bytes, const char* name) {
  check_pointer(bytes, name);
  T result;
  std::memcpy(result.data(), bytes, result.size());
  return result;
}

/// The way back, to a caller's buffer of that size.
template <class T>
void write_bytes(const T& value, std::uint8_t* out) {
  std::memcpy(out, value.data(), value.size());
}

/// The part of a caller's struct that this library knows: throws InvalidArgument for a size that is
/// less than `known`, and for bytes beyond that, or of the reserved tail, that are not zero.
void check_struct(const char* type, const void* bytes, std::size_t known, std::size_t reserved_at);
/// For reserved members in front of the tail: throws InvalidArgument when it is not zero.
void check_reserved(const char* type, const char* member, std::uint64_t value);
/// The size that a caller has set; throws InvalidArgument when it is less than `known`.
std::size_t size_of_output(const char* type, const void* bytes, std::size_t known);

/// A copy of a struct that a caller fills in. `type` is its name.
template <class Struct>
Struct read_struct(const Struct* given, const char* type) {
  check_pointer(given, type);
  check_struct(type, given, sizeof(Struct), offsetof(Struct, reserved));
  Struct result;
  std::memcpy(&result, given, sizeof(Struct));
  return result;
}
/// The same where NULL means the defaults.
template <class Struct>
Struct read_struct_or(const Struct* given, const char* type, const Struct& defaults) {
  return given == nullptr ? defaults : read_struct(given, type);
}

/// For init functions: zero as far as the caller's struct goes, then `defaults` as far as it has
/// them.
template <class Struct>
void init_struct(Struct* out, std::size_t size, Struct defaults) noexcept {
  if (out == nullptr || size < sizeof(std::size_t)) {
    return;
  }
  std::memset(static_cast<void*>(out), 0, size);
  defaults.size = size;
  std::memcpy(static_cast<void*>(out), &defaults, std::min(size, sizeof(Struct)));
}

/// Fills in a struct whose size the caller has set.
template <class Struct>
void write_struct(Struct* out, const char* type, Struct content) {
  check_pointer(out, type);
  const std::size_t size = size_of_output(type, out, sizeof(Struct));
  init_struct(out, size, content);
}

}  // namespace furrow::capi
