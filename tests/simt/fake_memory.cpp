// SPDX-License-Identifier: Apache-2.0
// The fake runtime: memory.
#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <memory>

#include "simt/fake_state.hpp"
#include "simt/pages.hpp"

namespace furrow::simt {
namespace {

// What fresh memory holds, so that nobody counts on zeros.
constexpr int kUnset = 0xA5;
constexpr std::size_t kAlignment = 256;

// The sanitizers know their own allocator best. Without them what is read or written past the end faults.
constexpr bool kHasFences = !kAddressSanitizer && !kThreadSanitizer;

void* take_bytes(std::size_t n_bytes) {
  if constexpr (kHasFences) {
    return map_before_fence(n_bytes, kAlignment);
  }
  void* bytes = nullptr;
  return posix_memalign(&bytes, kAlignment, n_bytes) == 0 ? bytes : nullptr;
}

}  // namespace

void FakeState::free_bytes(void* bytes, std::size_t n_bytes) {
  if constexpr (kHasFences) {
    unmap_before_fence(bytes, n_bytes);
  } else {
    std::free(bytes);
  }
}

cudaError_t FakeState::allocate(void** memory, std::size_t n_bytes, int device,
                                Timeline* timeline) {
  const std::lock_guard lock(mutex);
  if (memory == nullptr) {
    return cudaErrorInvalidValue;
  }
  *memory = nullptr;
  if (n_bytes == 0) {
    return cudaSuccess;
  }
  if (device >= 0) {
    DeviceState& state = *devices[static_cast<std::size_t>(device)];
    if (n_bytes > state.properties.memory_bytes - state.used_bytes) {
      return cudaErrorMemoryAllocation;
    }
  }
  void* bytes = nullptr;
  {
    const Timeline::Inside inside(timeline);
    bytes = take_bytes(n_bytes);
    if (bytes == nullptr) {
      return cudaErrorMemoryAllocation;
    }
    std::memset(bytes, kUnset, n_bytes);
  }
  if (device >= 0) {
    DeviceState& state = *devices[static_cast<std::size_t>(device)];
    state.used_bytes += n_bytes;
    state.kept_bytes -= std::min(state.kept_bytes, n_bytes);  // reused, or given up for it
    state.peak_bytes = std::max(state.peak_bytes, state.used_bytes);
  }
  allocations[reinterpret_cast<std::uintptr_t>(bytes)] = {n_bytes, device, ++n_allocated_};
  serials_.insert(n_allocated_);
  *memory = bytes;
  return cudaSuccess;
}

/// Counts memory out that is freed now or later; none when it cannot be freed so.
std::optional<FakeState::Allocation> FakeState::forget(void* memory, bool on_device) {
  const auto at = allocations.find(reinterpret_cast<std::uintptr_t>(memory));
  if (at == allocations.end() || (at->second.device >= 0) != on_device) {
    return std::nullopt;
  }
  const Allocation forgotten = at->second;
  if (on_device) {
    devices[static_cast<std::size_t>(forgotten.device)]->used_bytes -= forgotten.n_bytes;
  }
  allocations.erase(at);
  return forgotten;
}

cudaError_t FakeState::release(void* memory, bool on_device, Timeline* timeline) {
  const std::lock_guard lock(mutex);
  if (memory == nullptr) {
    return cudaSuccess;
  }
  const std::optional<Allocation> released = forget(memory, on_device);
  if (!released.has_value()) {
    return cudaErrorInvalidValue;
  }
  serials_.erase(released->serial);
  const Timeline::Inside inside(timeline);
  free_bytes(memory, released->n_bytes);
  return cudaSuccess;
}

cudaError_t FakeState::release_to_pool(void* memory, CUstream_st& stream) {
  const std::lock_guard lock(mutex);
  if (memory == nullptr) {
    return cudaSuccess;
  }
  const auto allocation = find(memory);
  if (!is_late_) {
    if (const cudaError_t status = release(memory, true, &stream.timeline); status != cudaSuccess) {
      return status;
    }
  } else {
    const std::optional<Allocation> released = forget(memory, true);
    if (!released.has_value()) {
      return cudaErrorInvalidValue;
    }
    // Freed with the step, be it that it is never done.
    const std::shared_ptr<void> bytes(
        memory, [n_bytes = released->n_bytes](void* freed) { free_bytes(freed, n_bytes); });
    queues.give(stream.queue, {[this, bytes, serial = released->serial] {
                                 const std::lock_guard freeing(mutex);
                                 serials_.erase(serial);
                               },
                               {}});
  }
  DeviceState& state = *devices[static_cast<std::size_t>(allocation->second.device)];
  state.kept_bytes = static_cast<std::size_t>(std::min<std::uint64_t>(
      state.kept_bytes + allocation->second.n_bytes, state.release_threshold));
  return cudaSuccess;
}

bool FakeState::is_there(std::uint64_t serial) {
  const std::lock_guard lock(mutex);
  return serials_.contains(serial);
}

std::optional<std::pair<std::uintptr_t, FakeState::Allocation>> FakeState::find(const void* byte) {
  const std::lock_guard lock(mutex);
  const auto address = reinterpret_cast<std::uintptr_t>(byte);
  auto at = allocations.upper_bound(address);
  if (at == allocations.begin()) {
    return std::nullopt;
  }
  --at;
  if (address - at->first >= at->second.n_bytes) {
    return std::nullopt;
  }
  return *at;
}

bool FakeState::is_on_device(const void* bytes, std::size_t n_bytes) {
  const auto allocation = find(bytes);
  return allocation && allocation->second.device >= 0 &&
         n_bytes <= allocation->second.n_bytes -
                        (reinterpret_cast<std::uintptr_t>(bytes) - allocation->first);
}

bool FakeState::touches_device(const void* bytes) {
  const auto allocation = find(bytes);
  return allocation && allocation->second.device >= 0;
}

}  // namespace furrow::simt
