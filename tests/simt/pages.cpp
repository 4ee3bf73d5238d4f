// SPDX-License-Identifier: Apache-2.0
#include "simt/pages.hpp"

#include <cerrno>
#include <cstdint>
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

namespace {

std::size_t whole_pages(std::size_t n_bytes) {
  return (n_bytes + kPageBytes - 1) / kPageBytes * kPageBytes;
}

}  // namespace

std::byte* map_before_fence(std::size_t n_bytes, std::size_t alignment) {
  const std::size_t n_before = whole_pages(n_bytes);
  auto* const base = static_cast<std::byte*>(map(nullptr, n_before + kPageBytes, 0));
  if (mprotect(base + n_before, kPageBytes, PROT_NONE) != 0) {
    const std::string reason = std::strerror(errno);
    munmap(base, n_before + kPageBytes);
    throw Error(ErrorKind::kIo, "mprotect of a fence of the harness: " + reason);
  }
  return base + n_before - (n_bytes + alignment - 1) / alignment * alignment;
}

void unmap_before_fence(void* bytes, std::size_t n_bytes) noexcept {
  // No more than a page lies before the bytes.
  auto* const base =
      static_cast<std::byte*>(bytes) - reinterpret_cast<std::uintptr_t>(bytes) % kPageBytes;
  munmap(base, whole_pages(n_bytes) + kPageBytes);
}

}  // namespace furrow::simt
