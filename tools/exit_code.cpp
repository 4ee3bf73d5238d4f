// SPDX-License-Identifier: Apache-2.0
#include "tools/exit_code.hpp"

namespace furrow::cli {

ExitCode exit_code_of(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::kInvalidArgument:
      return kInvalidArgument;
    case ErrorKind::kIo:
      return kIoFailed;
    case ErrorKind::kCorrupt:
      return kCorruptData;
    case ErrorKind::kMismatch:
      return kMismatch;
    case ErrorKind::kUnavailable:
      return kUnavailable;
    case ErrorKind::kInternal:
      return kInternal;
  }
  return kInternal;
}

}  // namespace furrow::cli
