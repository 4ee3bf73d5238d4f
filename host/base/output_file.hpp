// SPDX-License-Identifier: Apache-2.0
// What a user names to get the result of a command.
//
//   -                      standard output
//   nothing is there       a new file, which appears when it is whole
//   a file                 refused; replaced as a whole when that is wanted, with its permissions
//   a fifo, a character device               written to
//   a symbolic link                          what it leads to decides, and the link stays; refused
//                                            when it leads nowhere
//   a directory, a block device, a socket    refused
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <stop_token>

#include "host/base/pending_file.hpp"

namespace furrow {

/// Thread-compatible.
class OutputFile {
 public:
  /// Looks at what is there, so that a refusal comes before the work; changes nothing. Throws
  /// AlreadyExists unless `may_replace`, InvalidArgument for what cannot be written to in this way,
  /// and IoError.
  OutputFile(std::filesystem::path path, bool may_replace);

  [[nodiscard]] bool is_standard_output() const { return kind_ == Kind::kStandardOutput; }
  /// Whether a file will be there, which was not or has other contents now.
  [[nodiscard]] bool is_file() const { return kind_ == Kind::kNew || kind_ == Kind::kReplaced; }
  /// Writes the whole output and makes a file durable. Waits for a reader of a fifo until a stop is
  /// requested; false then. A reader that goes away is an IoError with EPIPE. To be called once.
  [[nodiscard]] bool write(std::span<const std::uint8_t> bytes, const std::stop_token& stop) const;

 private:
  enum class Kind { kStandardOutput, kNew, kReplaced, kStream };
  static Kind look_at(const std::filesystem::path& path, bool may_replace);

  std::filesystem::path path_;
  Kind kind_;
};

}  // namespace furrow
