// SPDX-License-Identifier: Apache-2.0
/** @file
 * What a configuration will take in memory (furrow/c/memory.h). Part of furrow/furrow.hpp. */
#ifndef FURROW_CPP_MEMORY_HPP
#define FURROW_CPP_MEMORY_HPP

#include <string>
#include <vector>

#include "furrow/cpp/library.hpp"

namespace furrow {
inline namespace v0_1 {

/// What the memory of plotting depends on; see furrow_memory_request.
struct MemoryRequest {
  /// 0: encoders alone are meant.
  std::uint32_t pieces_in_sector = 0;
  /// 0: one for each processor that may be used.
  std::uint32_t threads = 0;
  /// CUDA devices, by index or UUID; empty: none.
  std::vector<std::string> devices;
  std::uint64_t device_memory_limit = 0;
  std::uint64_t pinned_memory_limit = 0;
  /// 0: as many as keep encoders busy.
  std::uint32_t sectors_in_memory = 0;
  /// 0: as many as keep encoders busy.
  std::uint32_t output_buffers = 0;
};

/// The most that it takes, before anything is made.
[[nodiscard]] inline furrow_memory_plan plan_memory(const Library& library,
                                                    const MemoryRequest& request) {
  const std::vector<const char*> devices = detail::pointers_to(request.devices);
  furrow_memory_request c = detail::initialised(furrow_memory_request_init);
  c.pieces_in_sector = request.pieces_in_sector;
  c.threads = request.threads;
  c.devices = devices.empty() ? nullptr : devices.data();
  c.device_count = devices.size();
  c.device_memory_limit = request.device_memory_limit;
  c.pinned_memory_limit = request.pinned_memory_limit;
  c.sectors_in_memory = request.sectors_in_memory;
  c.output_buffers = request.output_buffers;
  return detail::filled<furrow_memory_plan>(
      [&](furrow_memory_plan* plan) { return furrow_memory_plan_get(library.get(), &c, plan); });
}

}  // namespace v0_1
}  // namespace furrow

#endif
