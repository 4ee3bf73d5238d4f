// SPDX-License-Identifier: Apache-2.0
// Messages of the errors declared in the public headers.
#include "furrow/errors.hpp"

#include <system_error>

#include "furrow/records_encoder.hpp"

namespace furrow {
namespace {

std::string io_message(std::string_view operation, std::string_view path,
                       const std::string& reason) {
  std::string message = "cannot ";
  message.append(operation).append(" ").append(path).append(": ").append(reason);
  return message;
}

}  // namespace

const ErrorFields& Error::fields() const noexcept {
  static const ErrorFields kNone;
  return fields_ != nullptr ? *fields_ : kNone;
}

IoError::IoError(std::string_view operation, std::string_view path, int error_number)
    : Error(ErrorKind::kIo,
            io_message(operation, path, std::generic_category().message(error_number)),
            {.path = std::string(path)}),
      error_number_(error_number) {}

IoError::IoError(std::string_view operation, std::string_view path, const std::string& reason)
    : Error(ErrorKind::kIo, io_message(operation, path, reason), {.path = std::string(path)}) {}

ChecksumMismatch::ChecksumMismatch(const std::string& what, std::string_view expected_hex,
                                   std::string_view actual_hex)
    : Error(ErrorKind::kCorrupt,
            what + ": checksum mismatch, expected " + std::string(expected_hex) + ", actual " +
                std::string(actual_hex),
            {.expected = std::string(expected_hex), .actual = std::string(actual_hex)}) {}

InvalidBytesLength::InvalidBytesLength(const std::string& what, std::uint64_t expected,
                                       std::uint64_t actual)
    : Error(ErrorKind::kCorrupt,
            what + ": expected " + std::to_string(expected) + " bytes, actual " +
                std::to_string(actual),
            {.expected = std::to_string(expected), .actual = std::to_string(actual)}),
      expected_(expected),
      actual_(actual) {}

namespace {

ErrorFields with_offset(ErrorFields fields, PieceOffset offset) {
  fields.piece_offset = offset.value();
  return fields;
}

}  // namespace

UnencodableRecord::UnencodableRecord(PieceOffset offset, ErrorKind kind, const std::string& reason,
                                     ErrorFields fields)
    : Error(kind,
            "record at piece offset " + std::to_string(offset.value()) +
                " cannot be encoded: " + reason,
            with_offset(std::move(fields), offset)),
      offset_(offset) {}

TooFewProofs::TooFewProofs(PieceOffset offset, std::size_t found)
    : UnencodableRecord(
          offset, ErrorKind::kUnavailable,
          "needs " + std::to_string(kNumChunks) + " proofs, found " + std::to_string(found),
          {.expected = std::to_string(kNumChunks), .actual = std::to_string(found)}) {}

}  // namespace furrow
