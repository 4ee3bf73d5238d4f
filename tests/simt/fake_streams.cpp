// SPDX-License-Identifier: Apache-2.0
// The fake runtime: copies, streams and launches.

#include <cstring>
#include <string>
#include <utility>

#include "simt/device_timer.hpp"
#include "simt/errors.hpp"
#include "simt/fake_work.hpp"
#include "simt/grid.hpp"
#include "simt/schedule.hpp"

namespace furrow::simt {
namespace {

bool valid_copy(const void* to, const void* from, std::size_t n_bytes, cudaMemcpyKind kind) {
  FakeState& state = FakeState::instance();
  if (n_bytes == 0) {
    return true;
  }
  if (to == nullptr || from == nullptr) {
    return false;
  }
  const bool to_device = state.touches_device(to);
  const bool from_device = state.touches_device(from);
  if ((to_device && !state.is_on_device(to, n_bytes)) ||
      (from_device && !state.is_on_device(from, n_bytes))) {
    return false;
  }
  switch (kind) {
    case cudaMemcpyHostToHost:
      return !to_device && !from_device;
    case cudaMemcpyHostToDevice:
      return to_device && !from_device;
    case cudaMemcpyDeviceToHost:
      return !to_device && from_device;
    case cudaMemcpyDeviceToDevice:
      return to_device && from_device;
    case cudaMemcpyDefault:
      return true;
  }
  return false;
}

bool is_to_host(const void* to, const void* from) {
  FakeState& state = FakeState::instance();
  return state.touches_device(from) && !state.touches_device(to);
}

/// Memory of CUDA that must be there when a stream gets to what uses it.
class Held {
 public:
  Held(const char* api, const void* bytes) : api_(api) {
    if (const auto allocation = FakeState::instance().find(bytes); allocation.has_value()) {
      serial_ = allocation->second.serial;
    }
  }
  void check() const {
    if (serial_ != 0 && !FakeState::instance().is_there(serial_)) {
      throw FreedTooEarly(std::string(api_) +
                          " uses memory that was freed before the stream got there");
    }
  }

 private:
  const char* api_;
  std::uint64_t serial_ = 0;
};

cudaError_t copy(const char* api, void* to, const void* from, std::size_t n_bytes,
                 cudaMemcpyKind kind, cudaStream_t handle) {
  tell_timer([&](DeviceTimer& timer) { timer.on_copy(handle, n_bytes, kind); });
  CUstream_st* stream = stream_of(handle);
  if (const cudaError_t status = enter(api, stream); status != cudaSuccess) {
    return FakeState::finish(status);
  }
  if (!valid_copy(to, from, n_bytes, kind)) {
    return FakeState::finish(cudaErrorInvalidValue);
  }
  const bool is_right =
      is_to_host(to, from) ? FakeState::instance().copies_rightly(stream->device, n_bytes) : true;
  const Held held_to(api, to);
  const Held held_from(api, from);
  return submit(*stream, [=](Timeline& timeline) {
    if (n_bytes != 0) {
      held_to.check();
      held_from.check();
      const Timeline::Inside inside(&timeline);
      std::memmove(to, from, n_bytes);
      if (!is_right) {
        static_cast<unsigned char*>(to)[n_bytes / 2] ^= 0x10;
      }
    }
  });
}

cudaError_t fill(const char* api, void* memory, int value, std::size_t n_bytes,
                 cudaStream_t handle) {
  CUstream_st* stream = stream_of(handle);
  if (const cudaError_t status = enter(api, stream); status != cudaSuccess) {
    return FakeState::finish(status);
  }
  if (n_bytes != 0 && !FakeState::instance().is_on_device(memory, n_bytes)) {
    return FakeState::finish(cudaErrorInvalidValue);
  }
  const Held held(api, memory);
  return submit(*stream, [=](Timeline& timeline) {
    if (n_bytes != 0) {
      held.check();
      const Timeline::Inside inside(&timeline);
      std::memset(memory, value, n_bytes);
    }
  });
}

}  // namespace
}  // namespace furrow::simt

using furrow::simt::copy;
using furrow::simt::destroy;
using furrow::simt::enter;
using furrow::simt::exists;
using furrow::simt::FakeState;
using furrow::simt::fill;
using furrow::simt::stream_of;
using furrow::simt::submit;
using furrow::simt::Timeline;
using furrow::simt::Turn;
using furrow::simt::Undone;
using furrow::simt::wait_for;

extern "C" {

// --- Copies ---

cudaError_t cudaMemcpy(void* to, const void* from, std::size_t n_bytes, cudaMemcpyKind kind) {
  const cudaError_t status = copy("cudaMemcpy", to, from, n_bytes, kind, nullptr);
  if (CUstream_st* stream = stream_of(nullptr); stream != nullptr) {
    FakeState& state = FakeState::instance();
    state.wait_if_hanging(stream->device);
    stream->timeline.join();
    state.queues.finish(state.queues.end_of(stream->queue));
  }
  return status;
}

cudaError_t cudaMemcpyAsync(void* to, const void* from, std::size_t n_bytes, cudaMemcpyKind kind,
                            cudaStream_t stream) {
  return copy("cudaMemcpyAsync", to, from, n_bytes, kind, stream);
}

cudaError_t cudaMemset(void* memory, int value, std::size_t n_bytes) {
  return fill("cudaMemset", memory, value, n_bytes, nullptr);
}

cudaError_t cudaMemsetAsync(void* memory, int value, std::size_t n_bytes, cudaStream_t stream) {
  return fill("cudaMemsetAsync", memory, value, n_bytes, stream);
}

cudaError_t cudaFreeAsync(void* memory, cudaStream_t handle) {
  CUstream_st* stream = stream_of(handle);
  const cudaError_t status = enter("cudaFreeAsync", stream);
  if (stream == nullptr) {
    return FakeState::finish(status);
  }
  // A lost device says so, but what its process held is gone with it: no leak of the owner.
  const Turn turn(*stream);
  if (stream->capture != nullptr) {
    return FakeState::finish(cudaErrorStreamCaptureUnsupported);
  }
  const cudaError_t released = FakeState::instance().release_to_pool(memory, *stream);
  return FakeState::finish(status != cudaSuccess ? status : released);
}

// --- Streams ---

cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned flags) {
  FakeState& state = FakeState::instance();
  const std::lock_guard lock(state.mutex);
  if (const cudaError_t status = state.enter("cudaStreamCreateWithFlags"); status != cudaSuccess) {
    return FakeState::finish(status);
  }
  if (state.devices.empty()) {
    return FakeState::finish(cudaErrorNoDevice);
  }
  auto made = std::make_unique<CUstream_st>(FakeState::current_device());
  made->is_blocking = (flags & cudaStreamNonBlocking) == 0;
  state.streams.insert(made.get());
  *stream = made.release();
  return cudaSuccess;
}

cudaError_t cudaStreamCreate(cudaStream_t* stream) {
  return cudaStreamCreateWithFlags(stream, cudaStreamDefault);
}

cudaError_t cudaStreamCreateWithPriority(cudaStream_t* stream, unsigned flags, int /*priority*/) {
  return cudaStreamCreateWithFlags(stream, flags);
}

cudaError_t cudaStreamDestroy(cudaStream_t stream) {
  return destroy("cudaStreamDestroy", FakeState::instance().streams, stream);
}

cudaError_t cudaStreamSynchronize(cudaStream_t stream) {
  return wait_for("cudaStreamSynchronize", stream_of(stream));
}

cudaError_t cudaStreamQuery(cudaStream_t stream) {
  return wait_for("cudaStreamQuery", stream_of(stream), Undone::kSaysSo);
}

cudaError_t cudaDeviceSynchronize() {
  const cudaError_t status = wait_for("cudaDeviceSynchronize", stream_of(nullptr));
  if (status == cudaSuccess) {
    FakeState::instance().join_device(FakeState::current_device());
  }
  return status;
}

cudaError_t cudaStreamWaitEvent(cudaStream_t handle, cudaEvent_t event, unsigned /*flags*/) {
  CUstream_st* stream = stream_of(handle);
  if (const cudaError_t status = enter("cudaStreamWaitEvent", stream); status != cudaSuccess) {
    return FakeState::finish(status);
  }
  if (!exists(event)) {
    return FakeState::finish(cudaErrorInvalidResourceHandle);
  }
  const std::lock_guard lock(stream->order);
  if (event->capture != nullptr) {
    if (stream->capture != nullptr && stream->capture != event->capture) {
      return FakeState::finish(cudaErrorStreamCaptureUnsupported);
    }
    stream->capture = event->capture;  // the stream joins the capture
    return cudaSuccess;
  }
  if (FakeState& state = FakeState::instance(); state.is_late()) {
    std::vector<furrow::simt::QueueMark> after = furrow::simt::marks_before(*stream);
    after.push_back(event->mark);
    state.queues.give(stream->queue, {[] {}, std::move(after)});
    return cudaSuccess;
  }
  const Turn turn(*stream);
  const Timeline::Inside inside(&stream->timeline);
  furrow::simt::acquire(&event->tag);
  return cudaSuccess;
}

cudaError_t cudaLaunchHostFunc(cudaStream_t handle, cudaHostFn_t function, void* argument) {
  CUstream_st* stream = stream_of(handle);
  if (const cudaError_t status = enter("cudaLaunchHostFunc", stream); status != cudaSuccess) {
    return FakeState::finish(status);
  }
  return submit(*stream, [=](Timeline& timeline) {
    const Timeline::Inside inside(&timeline);
    function(argument);
  });
}

// --- The whole device ---

cudaError_t cudaDeviceReset() {
  FakeState& state = FakeState::instance();
  const std::lock_guard lock(state.mutex);
  static_cast<void>(state.enter("cudaDeviceReset", furrow::simt::Answers::kAlways));
  const auto device = static_cast<std::size_t>(FakeState::current_device());
  if (state.no_driver != cudaSuccess || device >= state.devices.size()) {
    return FakeState::finish(state.no_driver != cudaSuccess ? state.no_driver : cudaErrorNoDevice);
  }
  state.devices[device]->lost = cudaSuccess;
  return cudaSuccess;
}

}  // extern "C"

namespace furrow::simt {

cudaError_t malloc_device_async(void** memory, std::size_t n_bytes, cudaStream_t handle) {
  CUstream_st* stream = stream_of(handle);
  if (const cudaError_t status = enter("cudaMallocAsync", stream); status != cudaSuccess) {
    return FakeState::finish(status);
  }
  FakeState& state = FakeState::instance();
  {
    const std::lock_guard lock(state.mutex);
    if (!state.devices[static_cast<std::size_t>(stream->device)]->properties.has_memory_pools) {
      return FakeState::finish(cudaErrorNotSupported);
    }
  }
  const Turn turn(*stream);
  return FakeState::finish(state.allocate(memory, n_bytes, stream->device, &stream->timeline));
}

cudaError_t launch_kernel(const void* kernel, dim3 grid, dim3 block, std::size_t dynamic_shared,
                          cudaStream_t handle, std::function<void()> body,
                          std::source_location where) {
  tell_timer([&](DeviceTimer& timer) { timer.on_launch(handle, grid); });
  CUstream_st* stream = stream_of(handle);
  if (const cudaError_t status = enter("cudaLaunchKernel", stream); status != cudaSuccess) {
    return FakeState::finish(status);
  }
  if (stream->device != FakeState::current_device()) {
    return FakeState::finish(cudaErrorInvalidResourceHandle);
  }
  GridShape shape{.grid = grid, .block = block, .dynamic_shared = dynamic_shared};
  {
    FakeState& state = FakeState::instance();
    const std::lock_guard lock(state.mutex);
    const FakeState::DeviceState& device = *state.devices[static_cast<std::size_t>(stream->device)];
    if (const auto at = device.max_dynamic_shared.find(kernel);
        at != device.max_dynamic_shared.end()) {
      shape.max_dynamic_shared = at->second;
      shape.max_shared = device.properties.shared_opt_in_bytes;
    }
  }
  check_shape(shape, where);
  if (!FakeState::instance().carries_out_launch(stream->device)) {
    return cudaSuccess;
  }
  // Lanes read what the kernel was called with; nobody waits for them before it is thrown away.
  const std::shared_ptr<const std::function<void()>> kept(
      new std::function<void()>(std::move(body)), [](const std::function<void()>* function) {
        const IgnoreAccesses ignore;
        delete function;
      });
  return submit(*stream, [shape, kept, where, schedule = current_schedule()](Timeline& timeline) {
    const ScopedSchedule scoped(schedule);
    run_grid(shape, *kept, &timeline, where);
  });
}

}  // namespace furrow::simt
