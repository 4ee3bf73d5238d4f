// SPDX-License-Identifier: Apache-2.0
/** @file
 * What calls throw. Part of furrow/furrow.hpp. */
#ifndef FURROW_CPP_ERROR_HPP
#define FURROW_CPP_ERROR_HPP

#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

#include "furrow/cpp/base.hpp"

namespace furrow {
inline namespace v0_1 {

/// What an error is about, as far as that applies. Texts are "" where there is none.
struct ErrorFields {
  std::optional<std::uint64_t> piece_index;
  std::optional<std::uint64_t> segment_index;
  std::optional<std::uint16_t> sector_index;
  std::optional<std::uint16_t> piece_offset;
  /// Bytes from the start of the thing.
  std::optional<std::uint64_t> byte_offset;
  /// errno of the system call that failed.
  std::optional<int> system_error;
  std::string path;
  std::string expected;
  std::string actual;
};

/// A call failed. what() is the text for people.
class Error : public std::runtime_error {
 public:
  /// For functions of a user that fail as the library does.
  Error(furrow_status status, furrow_error_kind kind, const std::string& message,
        ErrorFields fields = {})
      : std::runtime_error(message),
        status_(status),
        kind_(kind),
        fields_(std::make_shared<const ErrorFields>(std::move(fields))) {}

  /// What became of the call; never FURROW_OK.
  [[nodiscard]] furrow_status status() const noexcept { return status_; }
  /// What went wrong, finer than the status.
  [[nodiscard]] furrow_error_kind kind() const noexcept { return kind_; }
  /// Such as "FURROW_ERROR_IO".
  [[nodiscard]] const char* kind_name() const noexcept { return furrow_error_kind_name(kind_); }
  /// What it is about.
  [[nodiscard]] const ErrorFields& fields() const noexcept { return *fields_; }

 private:
  furrow_status status_;
  furrow_error_kind kind_;
  std::shared_ptr<const ErrorFields> fields_;  // shared, so that copying an exception cannot fail
};

namespace detail {

/// The last error of this thread as an exception.
inline Error last_error(furrow_status status) {
  furrow_error error{};
  error.size = sizeof(error);
  if (furrow_last_error_get(&error) != FURROW_OK || error.status != status) {
    return {status, FURROW_ERROR_OTHER, furrow_status_name(status)};
  }
  const auto field = [&error](furrow_error_fields bit, auto value) {
    return (error.fields & static_cast<std::uint32_t>(bit)) != 0 ? std::optional(value)
                                                                 : std::nullopt;
  };
  ErrorFields fields;
  fields.piece_index = field(FURROW_HAS_PIECE_INDEX, error.piece_index);
  fields.segment_index = field(FURROW_HAS_SEGMENT_INDEX, error.segment_index);
  fields.sector_index = field(FURROW_HAS_SECTOR_INDEX, error.sector_index);
  fields.piece_offset = field(FURROW_HAS_PIECE_OFFSET, error.piece_offset);
  fields.byte_offset = field(FURROW_HAS_BYTE_OFFSET, error.byte_offset);
  fields.system_error = field(FURROW_HAS_SYSTEM_ERROR, error.system_error);
  fields.path = error.path;
  fields.expected = error.expected;
  fields.actual = error.actual;
  return {status, error.kind, error.message, std::move(fields)};
}

/// Throws the last error unless the call succeeded.
inline void check(furrow_status status) {
  if (status != FURROW_OK) {
    throw last_error(status);
  }
}

/// The outcome of a call that can be aborted; throws when it failed.
inline Outcome outcome_of(furrow_status status) {
  if (status == FURROW_CANCELLED) {
    return Outcome::kCancelled;
  }
  check(status);
  return Outcome::kDone;
}

/// A struct that the library fills in.
template <class T, class Get>
T filled(Get get) {
  T value{};
  value.size = sizeof(value);
  check(get(&value));
  return value;
}

/// The C interface is told no sizes of buffers that have to have a certain one.
inline void check_size(const char* name, std::size_t actual, std::size_t expected) {
  if (actual != expected) {
    ErrorFields fields;
    fields.expected = std::to_string(expected);
    fields.actual = std::to_string(actual);
    throw Error(FURROW_INVALID_ARGUMENT, FURROW_ERROR_ARGUMENT,
                std::string("furrow: size of ") + name + ": expected " + fields.expected +
                    ", actual " + fields.actual,
                fields);
  }
}

/// Buffer of an output that may be left out, by an empty view.
inline std::uint8_t* wanted(const char* name, MutableBytes bytes, std::size_t size) {
  if (bytes.empty()) {
    return nullptr;
  }
  check_size(name, bytes.size(), size);
  return bytes.data();
}

/// Text of the exception that is being handled, for the error of the call that a function of the
/// user belongs to.
inline std::string text_of_exception() {
  try {
    throw;
  } catch (const std::exception& error) {
    return error.what();
  } catch (...) {
    return "unknown exception";
  }
}

}  // namespace detail
}  // namespace v0_1
}  // namespace furrow

#endif
