// SPDX-License-Identifier: Apache-2.0
#include "simt/pages.hpp"

#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

#include <sys/mman.h>

#include "furrow/errors.hpp"

namespace furrow::simt {
namespace {

void* map(void* at, std::size_t n_bytes, int flags) {
  void* pages = mmap(at, n_bytes, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | flags, -1, 0);
  if (pages == MAP_FAILED) {
    throw Error(ErrorKind::kIo, "mmap of " + std::to_string(n_bytes) +
                                    " bytes for the harness: " + std::strerror(errno));
  }
  return pages;
}

}  // namespace

Pages::Pages(std::size_t n_bytes)
    : base_(static_cast<std::byte*>(map(nullptr, n_bytes + kPageBytes, 0)) + kPageBytes),
      n_bytes_(n_bytes) {
  if (mprotect(base_ - kPageBytes, kPageBytes, PROT_NONE) != 0) {
    const std::string reason = std::strerror(errno);
    munmap(base_ - kPageBytes, n_bytes_ + kPageBytes);
    throw Error(ErrorKind::kIo, "mprotect of a guard page of the harness: " + reason);
  }
}

Pages::~Pages() {
  if (base_ != nullptr) {
    munmap(base_ - kPageBytes, n_bytes_ + kPageBytes);
  }
}

Pages::Pages(Pages&& other) noexcept
    : base_(std::exchange(other.base_, nullptr)), n_bytes_(other.n_bytes_) {}

void map_again(void* pages, std::size_t n_bytes) {
  map(pages, n_bytes, MAP_FIXED);
}

}  // namespace furrow::simt
