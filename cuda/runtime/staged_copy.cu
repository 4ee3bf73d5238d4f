// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstring>
#include <string>

#include "furrow/errors.hpp"

#include "cuda/runtime/check.hpp"
#include "cuda/runtime/staged_copy.hpp"

namespace furrow::cuda {

StagedCopy::StagedCopy(StreamView stream, std::span<std::byte> staging)
    : stream_(stream),
      slot_bytes_(staging.size() / 2),
      slots_{Slot{staging.data(), Event(stream.device(), EventKind::kCompletion)},
             Slot{staging.data() + slot_bytes_, Event(stream.device(), EventKind::kCompletion)}} {
  if (slot_bytes_ == 0) {
    throw InvalidArgument("staged copy: expected at least 2 bytes of staging memory, actual " +
                          std::to_string(staging.size()));
  }
}

StagedCopy::~StagedCopy() {
  // Not for the events: a copy whose mark could not be set uses its slot none the less.
  stream_.synchronize_quietly();
}

void StagedCopy::to_device(void* d_to, const void* host, std::size_t n_bytes) {
  auto* d_bytes = static_cast<std::byte*>(d_to);
  const auto* bytes = static_cast<const std::byte*>(host);
  for (std::size_t at = 0; at < n_bytes; at += slot_bytes_) {
    Slot& slot = slots_[next_];
    next_ = 1 - next_;
    slot.free.synchronize();
    const std::size_t n = std::min(slot_bytes_, n_bytes - at);
    std::memcpy(slot.bytes, bytes + at, n);
    check(cudaMemcpyAsync(d_bytes + at, slot.bytes, n, cudaMemcpyHostToDevice, stream_.get()));
    slot.free.record(stream_);
  }
}

void StagedCopy::to_host(void* host, const void* d_from, std::size_t n_bytes) {
  auto* bytes = static_cast<std::byte*>(host);
  const auto* d_bytes = static_cast<const std::byte*>(d_from);
  std::size_t emptied = 0;
  const auto empty = [&](Slot& slot) {
    const std::size_t n = std::min(slot_bytes_, n_bytes - emptied);
    slot.free.synchronize();
    std::memcpy(bytes + emptied, slot.bytes, n);
    emptied += n;
  };
  for (std::size_t at = 0; at < n_bytes; at += slot_bytes_) {
    Slot& slot = slots_[next_];
    next_ = 1 - next_;
    slot.free.synchronize();  // of an earlier copy to the device
    check(cudaMemcpyAsync(slot.bytes, d_bytes + at, std::min(slot_bytes_, n_bytes - at),
                          cudaMemcpyDeviceToHost, stream_.get()));
    slot.free.record(stream_);
    if (at > 0) {
      empty(slots_[next_]);  // the one before, while the device fills this one
    }
  }
  if (emptied < n_bytes) {
    empty(slots_[1 - next_]);
  }
}

}  // namespace furrow::cuda
