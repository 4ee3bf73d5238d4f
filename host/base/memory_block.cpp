// SPDX-License-Identifier: Apache-2.0
#include "host/base/memory_block.hpp"

#include <new>

#include <sys/mman.h>
#include <unistd.h>

namespace furrow {

std::size_t page_size() {
  static const auto size = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  return size;
}

MemoryBlock make_page_block(std::size_t n_bytes) {
  void* const pages = ::mmap(nullptr, n_bytes, PROT_READ | PROT_WRITE,
                             MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (pages == MAP_FAILED) {
    throw std::bad_alloc();
  }
  // Where the owner's own few bytes cannot be had, shared_ptr calls the deleter.
  return {static_cast<std::uint8_t*>(pages), [n_bytes](std::uint8_t* block) {
            ::munmap(block, n_bytes);  // fails for wrong arguments only
          }};
}

}  // namespace furrow
