// SPDX-License-Identifier: Apache-2.0
// Working memory of the erasure code. Each thread keeps its own and reuses it, so that a call
// allocates nothing once the thread has made one of the same shape: at most about 3 MiB a thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "furrow/core/gf16.hpp"

namespace furrow {

/// Contents are undefined, only the parts asked for exist. Not thread-safe.
class ErasureWorkspace {
 public:
  static ErasureWorkspace& of_this_thread() {
    thread_local ErasureWorkspace workspace;
    return workspace;
  }

  /// Rows of the transform, aligned to 64 bytes.
  std::uint8_t* rows(std::size_t n_bytes) { return cache_lines(rows_, n_bytes); }
  /// Rows of a second transform, likewise.
  std::uint8_t* group_rows(std::size_t n_bytes) { return cache_lines(group_rows_, n_bytes); }

  std::span<std::uint8_t> erased(std::size_t size) { return grown(erased_, size); }
  std::span<std::int32_t> integers(std::size_t size) { return grown(integers_, size); }
  std::span<core::gf16::Element> logarithms(std::size_t size) { return grown(logarithms_, size); }
  std::span<core::gf16::Element> reveal(std::size_t size) { return grown(reveal_, size); }
  std::span<std::span<const std::uint8_t>> source_shards(std::size_t count) {
    return grown(source_shards_, count);
  }
  std::span<std::span<std::uint8_t>> parity_shards(std::size_t count) {
    return grown(parity_shards_, count);
  }

 private:
  struct alignas(64) CacheLine {
    std::uint8_t bytes[64];
  };

  template <class T>
  static std::span<T> grown(std::vector<T>& values, std::size_t size) {
    if (values.size() < size) {
      values.resize(size);
    }
    return std::span(values).first(size);
  }
  static std::uint8_t* cache_lines(std::vector<CacheLine>& lines, std::size_t n_bytes) {
    return grown(lines, (n_bytes + sizeof(CacheLine) - 1) / sizeof(CacheLine)).data()->bytes;
  }

  std::vector<CacheLine> rows_, group_rows_;
  std::vector<std::uint8_t> erased_;
  std::vector<std::int32_t> integers_;
  std::vector<core::gf16::Element> logarithms_, reveal_;
  std::vector<std::span<const std::uint8_t>> source_shards_;
  std::vector<std::span<std::uint8_t>> parity_shards_;
};

}  // namespace furrow
