// SPDX-License-Identifier: Apache-2.0
#include "simt/fake_state.hpp"

#include <memory>
#include <thread>
#include <utility>

namespace furrow::simt {
namespace {

constexpr std::size_t kLeastFlippedCopy = 32 * 1024;

}  // namespace

FakeState& FakeState::instance() {
  static FakeState state;
  return state;
}

FakeState::DeviceState* FakeState::device_at(int device) {
  return device >= 0 && static_cast<std::size_t>(device) < devices.size()
             ? devices[static_cast<std::size_t>(device)].get()
             : nullptr;
}

bool FakeState::carries_out_launch(int device) {
  const std::lock_guard lock(mutex);
  DeviceState* const state = device_at(device);
  if (state == nullptr) {
    return true;
  }
  ++state->n_launches;
  return state->n_launches < state->misbehaves_from ||
         (state->misbehavior != Misbehavior::kIdles && state->misbehavior != Misbehavior::kHangs);
}

bool FakeState::copies_rightly(int device, std::size_t n_bytes) {
  const std::lock_guard lock(mutex);
  DeviceState* const state = device_at(device);
  if (state == nullptr || state->misbehavior != Misbehavior::kFlipsBits ||
      n_bytes < kLeastFlippedCopy) {
    return true;
  }
  return ++state->n_copies % state->misbehaves_from != 0;
}

bool FakeState::hangs(int device) {
  const std::lock_guard lock(mutex);
  const DeviceState* const state = device_at(device);
  return state != nullptr && state->misbehavior == Misbehavior::kHangs &&
         state->n_launches >= state->misbehaves_from;
}

bool FakeState::wait_if_hanging(int device) {
  const std::uint64_t resets_before = n_resets_;
  if (!hangs(device)) {
    return false;
  }
  while (n_resets_ == resets_before) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return true;
}

int& FakeState::current_device() {
  static thread_local int device = 0;
  return device;
}

cudaError_t& FakeState::last_error() {
  static thread_local cudaError_t error = cudaSuccess;
  return error;
}

cudaError_t FakeState::enter(const char* api, Answers answers, int device) {
  const std::lock_guard lock(mutex);
  const IgnoreAccesses ignore;  // of names: what compares them is not hidden, though the lock is
  ++n_calls[api];
  if (no_driver != cudaSuccess) {
    return no_driver;
  }
  DeviceState* state = device >= 0 && static_cast<std::size_t>(device) < devices.size()
                           ? devices[static_cast<std::size_t>(device)].get()
                           : nullptr;
  cudaError_t status = cudaSuccess;
  if (state != nullptr && state->lost != cudaSuccess && answers == Answers::kNotWhenLost) {
    status = state->lost;
  }
  for (PlantedFault& planted : faults) {
    const Fault& fault = planted.fault;
    if ((fault.api != "*" && fault.api != api) || (fault.device >= 0 && fault.device != device)) {
      continue;
    }
    ++planted.n_seen;
    if (planted.n_seen >= fault.nth && planted.n_seen - fault.nth < fault.n_calls &&
        status == cudaSuccess) {
      status = fault.status;
      if (fault.sticky && state != nullptr) {
        lose(*state, fault.status);
      }
    }
  }
  if (state != nullptr && state->lost != cudaSuccess && status != cudaSuccess) {
    join_timelines(device);  // it does nothing any more, and who asks knows now
  }
  return status;
}

cudaError_t FakeState::finish(cudaError_t status) {
  if (status != cudaSuccess && status != cudaErrorNotReady) {
    last_error() = status;
  }
  return status;
}

void FakeState::lose(DeviceState& device, cudaError_t status) {
  device.lost = status;
  queues.drop(device.pool.device);
}

void FakeState::lose(int device, cudaError_t status) {
  const std::lock_guard lock(mutex);
  lose(*devices.at(static_cast<std::size_t>(device)), status);
}

void FakeState::set_stream_order(std::optional<std::uint64_t> seed) {
  is_late_ = seed.has_value() && !kThreadSanitizer;
  stream_seed_ = seed.value_or(1);
  queues.reset(stream_seed_);
}

void FakeState::join_device(int device) {
  if (is_late_) {
    queues.finish_device(device);
  }
  join_timelines(device);
}

void FakeState::join_timelines(int device) {
  const std::lock_guard lock(mutex);
  if (device < 0 || static_cast<std::size_t>(device) >= devices.size()) {
    return;
  }
  devices[static_cast<std::size_t>(device)]->default_stream.timeline.join();
  for (CUstream_st* stream : streams) {
    if (stream->device == device) {
      stream->timeline.join();
    }
  }
}

void FakeState::join_device_of(const void* memory) {
  if (const auto allocation = find(memory); allocation) {
    join_device(allocation->second.device);
  }
}

void FakeState::reset(std::vector<FakeDevice> shown) {
  queues.reset(stream_seed_);  // first: who does steps takes the lock
  const std::lock_guard lock(mutex);
  const IgnoreAccesses ignore;  // of what threads that hang have used
  ++n_resets_;
  // What is released may still be in use, as far as the host has waited.
  for (const std::unique_ptr<DeviceState>& device : devices) {
    device->default_stream.timeline.join();
  }
  for (CUstream_st* stream : streams) {
    stream->timeline.join();
  }
  for (const auto& [address, allocation] : allocations) {
    // NOLINTNEXTLINE(performance-no-int-to-ptr): a key, so that what lies inside can be found
    free_bytes(reinterpret_cast<void*>(address), allocation.n_bytes);
  }
  allocations.clear();
  serials_.clear();
  const auto clear = [](auto& objects) {
    for (auto* object : objects) {
      delete object;
    }
    objects.clear();
  };
  clear(streams);
  clear(events);
  clear(graphs);
  clear(executables);
  devices.clear();
  for (FakeDevice& device : shown) {
    auto state = std::make_unique<DeviceState>(static_cast<int>(devices.size()));
    state->properties = std::move(device);
    devices.push_back(std::move(state));
  }
  no_driver = cudaSuccess;
  driver_version = CUDART_VERSION;
  runtime_version = CUDART_VERSION;
  faults.clear();
  n_calls.clear();
  current_device() = 0;
  last_error() = cudaSuccess;
}

}  // namespace furrow::simt
