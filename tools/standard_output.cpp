// SPDX-License-Identifier: Apache-2.0
#include "tools/standard_output.hpp"

#include <cerrno>
#include <cstdio>

#include <unistd.h>

#include "host/base/mutex.hpp"

namespace furrow::cli {
namespace {

Mutex g_mutex;
int g_first_error FURROW_GUARDED_BY(g_mutex) = 0;

/// Pre: `is_done` is the outcome of the call before.
void note(bool is_done) FURROW_REQUIRES(g_mutex) {
  if (!is_done && g_first_error == 0) {
    g_first_error = errno != 0 ? errno : EIO;
  }
}

void flush_locked() FURROW_REQUIRES(g_mutex) {
  if (g_first_error == 0) {
    errno = 0;
    note(std::fflush(stdout) == 0);
  }
}

}  // namespace

void print_text(std::string_view text) noexcept {
  const Lock lock(g_mutex);
  if (g_first_error == 0) {
    errno = 0;
    note(std::fwrite(text.data(), 1, text.size(), stdout) == text.size());
  }
}

void flush_results() noexcept {
  const Lock lock(g_mutex);
  flush_locked();
}

int finish_results() noexcept {
  const Lock lock(g_mutex);
  flush_locked();
  errno = 0;
  note(std::ferror(stdout) == 0);
  // Some file systems tell only when a file is closed that it was not taken.
  const int copy = ::dup(STDOUT_FILENO);
  if (copy >= 0) {
    note(::close(copy) == 0);
  }
  return g_first_error;
}

}  // namespace furrow::cli
