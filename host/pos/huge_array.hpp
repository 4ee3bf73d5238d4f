// SPDX-License-Identifier: Apache-2.0
// A large array that is written and read at random: on huge pages where the system has them,
// because thousands of open places do not fit the translation buffers otherwise.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <memory>
#include <new>
#include <type_traits>

#include <sys/mman.h>

namespace furrow {

/// Owner of `size` elements, zero at first. Throws std::bad_alloc.
template <class T>
class HugeArray {
  static_assert(std::is_trivial_v<T>);

 public:
  explicit HugeArray(std::size_t size) : size_(size) {
    const std::size_t n_bytes = (size * sizeof(T) + kPage - 1) / kPage * kPage;
    void* const memory = ::mmap(nullptr, n_bytes + kPage, PROT_READ | PROT_WRITE,
                                MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) {
      throw std::bad_alloc();
    }
    mapping_ = Mapping(memory, Unmap{n_bytes + kPage});
    void* aligned = memory;
    std::size_t space = n_bytes + kPage;
    data_ = static_cast<T*>(std::align(kPage, n_bytes, aligned, space));
    ::madvise(data_, n_bytes, MADV_HUGEPAGE);  // refused where there are none, which is no harm
  }

  [[nodiscard]] T* data() { return data_; }
  [[nodiscard]] const T* data() const { return data_; }
  [[nodiscard]] std::size_t size() const { return size_; }
  T& operator[](std::size_t i) { return data_[i]; }
  const T& operator[](std::size_t i) const { return data_[i]; }

 private:
  static constexpr std::size_t kPage = std::size_t{2} << 20;

  struct Unmap {
    std::size_t n_bytes;
    void operator()(void* memory) const noexcept { ::munmap(memory, n_bytes); }
  };
  using Mapping = std::unique_ptr<void, Unmap>;

  Mapping mapping_{nullptr, Unmap{0}};
  T* data_ = nullptr;
  std::size_t size_;
};

}  // namespace furrow
