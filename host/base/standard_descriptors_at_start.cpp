// SPDX-License-Identifier: Apache-2.0
// Linked into every program (cmake/FurrowPrograms.cmake) and no library: runs before all
// constructors, those of libraries too, which may open files of their own.
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "host/base/standard_descriptors.hpp"

namespace furrow {

// Neither sanitizer is ready yet.
__attribute__((no_sanitize("address", "thread", "undefined"))) void
open_missing_standard_descriptors() noexcept {
  constexpr int kIoFailed = 3;
  for (int descriptor = STDIN_FILENO; descriptor <= STDERR_FILENO; ++descriptor) {
    if (::syscall(SYS_fcntl, descriptor, F_GETFD) >= 0) {
      continue;
    }
    // The lowest free descriptor is this one: those below are open by now.
    const int flags = descriptor == STDERR_FILENO ? O_WRONLY : O_RDONLY;
    if (::syscall(SYS_openat, AT_FDCWD, "/dev/null", flags) != descriptor) {
      ::syscall(SYS_exit_group, kIoFailed);
    }
  }
}

namespace {

[[gnu::used, gnu::section(".preinit_array")]] void (*const g_at_start)() noexcept =
    open_missing_standard_descriptors;

}  // namespace
}  // namespace furrow
