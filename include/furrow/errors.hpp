// SPDX-License-Identifier: Apache-2.0
// Errors of Furrow: every failure is an exception derived from Error, with a type of its own where
// a caller may want to tell it apart. Messages name the thing, the expected and the actual value.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace furrow {

/// What a caller can do about an error; the `furrow` program has one exit code for each.
enum class ErrorKind {
  kInvalidArgument,  ///< the request itself is wrong; repeating it will not help
  kIo,               ///< the operating system refused (missing file, permission, full disk)
  kCorrupt,          ///< stored or received bytes are damaged
  kMismatch,         ///< intact, but of another identity, chain, version or size than asked for
  kUnavailable,      ///< something needed is not there (a piece, a proof, a device, a lock)
  kInternal,         ///< a broken promise inside Furrow
};

/// What an error is about, for programs; its text says the same to people. What does not apply is
/// absent or empty.
struct ErrorFields {
  std::optional<std::uint64_t> piece_index = {};    ///< in the archived history
  std::optional<std::uint64_t> segment_index = {};  ///< in the archived history
  std::optional<std::uint16_t> sector_index = {};   ///< in a farm
  std::optional<std::uint16_t> piece_offset = {};   ///< in a sector
  std::optional<std::uint64_t> offset = {};         ///< bytes from the start of the thing
  std::string path = {};                            ///< file, directory or address
  std::string expected = {};
  std::string actual = {};
};

/// Base of all errors. Copyable without throwing, thread-safe to read.
class Error : public std::runtime_error {
 public:
  Error(ErrorKind kind, const std::string& message) : std::runtime_error(message), kind_(kind) {}
  Error(ErrorKind kind, const std::string& message, ErrorFields fields)
      : std::runtime_error(message),
        kind_(kind),
        fields_(std::make_shared<const ErrorFields>(std::move(fields))) {}
  [[nodiscard]] ErrorKind kind() const noexcept { return kind_; }
  /// Valid as long as this error or a copy of it.
  [[nodiscard]] const ErrorFields& fields() const noexcept;

 private:
  ErrorKind kind_;
  std::shared_ptr<const ErrorFields> fields_;  // shared, so that copies of an error cannot throw
};

/// A request that cannot be carried out as given.
class InvalidArgument : public Error {
 public:
  explicit InvalidArgument(const std::string& message)
      : Error(ErrorKind::kInvalidArgument, message) {}
  InvalidArgument(const std::string& message, ErrorFields fields)
      : Error(ErrorKind::kInvalidArgument, message, std::move(fields)) {}
};

/// A system call failed on a file. A farm that owns the file stops because of it (docs/spec/03, section 5).
class IoError : public Error {
 public:
  /// `error_number` is the errno of the failed call.
  IoError(std::string_view operation, std::string_view path, int error_number);
  /// For failures without errno, such as an unexpected end of the file.
  IoError(std::string_view operation, std::string_view path, const std::string& reason);
  [[nodiscard]] int error_number() const noexcept { return error_number_; }

 private:
  int error_number_ = 0;
};

/// Stored bytes do not have the checksum that stands beside them.
class ChecksumMismatch : public Error {
 public:
  /// `what` names the thing; digests are shown in hex.
  ChecksumMismatch(const std::string& what, std::string_view expected_hex,
                   std::string_view actual_hex);
};

/// A byte string has another length than its format demands.
class InvalidBytesLength : public Error {
 public:
  InvalidBytesLength(const std::string& what, std::uint64_t expected, std::uint64_t actual);
  [[nodiscard]] std::uint64_t expected() const noexcept { return expected_; }
  [[nodiscard]] std::uint64_t actual() const noexcept { return actual_; }

 private:
  std::uint64_t expected_;
  std::uint64_t actual_;
};

/// Bytes that do not follow their format: a bad tag, a value out of range, an early end.
class MalformedData : public Error {
 public:
  explicit MalformedData(const std::string& message) : Error(ErrorKind::kCorrupt, message) {}
  MalformedData(const std::string& message, ErrorFields fields)
      : Error(ErrorKind::kCorrupt, message, std::move(fields)) {}
};

}  // namespace furrow
