// SPDX-License-Identifier: Apache-2.0
// The part for libraries; programs have the other one in standard_descriptors_at_start.cpp.
#include "host/base/standard_descriptors.hpp"

#include <cerrno>

#include <fcntl.h>
#include <unistd.h>

namespace furrow {

int above_standard_descriptors(int descriptor) noexcept {
  if (descriptor < 0 || descriptor > STDERR_FILENO) {
    return descriptor;
  }
  const int above = ::fcntl(descriptor, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
  const int error = errno;
  ::close(descriptor);
  errno = error;
  return above;
}

}  // namespace furrow
