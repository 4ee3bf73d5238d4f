// SPDX-License-Identifier: Apache-2.0
// Shared memory of the running block: the dynamic part, then each static object when a thread first
// reaches its declaration, with guards between them:
//
//   guard | dynamic | guard | object | guard | object | guard ...
//
// Objects begin each block full of 0xA5. Guards are poisoned under AddressSanitizer, which reports
// a bad access at its line; otherwise they hold a pattern that is looked at at every barrier.
#pragma once

#include <cstddef>
#include <source_location>
#include <string>
#include <vector>

#include "simt/lane.hpp"
#include "simt/pages.hpp"

namespace furrow::simt {

class SharedMemory {
 public:
  SharedMemory();
  ~SharedMemory();
  SharedMemory(const SharedMemory&) = delete;
  SharedMemory& operator=(const SharedMemory&) = delete;

  /// Begins a block: nothing but `n_dynamic` bytes, everything fresh.
  void begin_block(std::size_t n_dynamic);
  /// The object of `tag`, nullptr before it is made.
  [[nodiscard]] void* find(const SharedTag& tag) const {
    for (const Object& object : objects_) {
      if (object.tag == &tag) {
        return object.bytes;
      }
    }
    return nullptr;
  }
  /// Makes the object of `tag`; nullptr when it does not fit any more.
  void* add(const SharedTag& tag, std::size_t n_bytes, std::size_t alignment,
            std::source_location where);
  [[nodiscard]] void* dynamic() const { return dynamic_; }
  [[nodiscard]] std::size_t dynamic_bytes() const { return n_dynamic_; }
  /// Sizes of the static objects with their alignment, as a compiler lays them out.
  [[nodiscard]] std::size_t static_bytes() const { return n_static_; }
  /// Describes a guard that was written to and its object; empty when all are whole.
  [[nodiscard]] std::string broken_guard() const;

  static constexpr std::size_t kMaxBytes = 256 * 1024;

 private:
  struct Object {
    const SharedTag* tag;
    std::byte* bytes;
    std::size_t n_bytes;
    std::source_location where;
  };
  std::byte* place(std::size_t n_bytes, std::size_t alignment);
  [[nodiscard]] std::string describe(const Object& object) const;

  Pages pages_;
  std::byte* arena_;
  std::size_t n_used_ = 0;
  std::byte* dynamic_ = nullptr;
  std::size_t n_dynamic_ = 0;
  std::size_t n_static_ = 0;
  std::vector<Object> objects_;
};

}  // namespace furrow::simt
