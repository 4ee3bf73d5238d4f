// SPDX-License-Identifier: Apache-2.0
// How commands end.
#pragma once

#include <exception>
#include <stdexcept>

#include "furrow/errors.hpp"

namespace furrow::cli {

/// Exit codes of the program, listed in docs/manual/common.md.
enum ExitCode : int {
  kSuccess = 0,
  kCheckFailed = 1,      ///< done, but something was found broken (scrub, pack verify, ...)
  kInvalidArgument = 2,  ///< the command line cannot be carried out as given
  kIoFailed = 3,         ///< missing file, permission, full disk
  kCorruptData = 4,      ///< checksum, format or length of stored data is wrong
  kMismatch = 5,         ///< of another identity, chain, version or size
  kUnavailable = 6,      ///< a lock is held, pieces are missing
  kInternal = 70,
  kInterrupted = 130,
};

ExitCode exit_code_of(ErrorKind kind);

/// The command was interrupted by a signal; what was finished is kept.
class Interrupted : public std::exception {
 public:
  [[nodiscard]] const char* what() const noexcept override { return "interrupted"; }
};

/// The work is done, but something was found broken, or not all of it could be done.
class DoneButBroken : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

}  // namespace furrow::cli
