// The fake runtime: copies, streams, events, graphs and launches. Work is carried out at the call.

#include <chrono>
#include <cstring>
#include <utility>

#include "simt/fake_state.hpp"
#include "simt/grid.hpp"

using furrow::simt::Capture;
using furrow::simt::FakeState;
using furrow::simt::HiddenMutex;
using furrow::simt::kThreadSanitizer;
using furrow::simt::Timeline;

namespace {

/// Nullptr for a stream that does not exist.
CUstream_st* stream_of(cudaStream_t handle) {
  FakeState& state = FakeState::instance();
  const std::lock_guard lock(state.mutex);
  if (handle != nullptr) {
    return state.streams.count(handle) != 0 ? handle : nullptr;
  }
  const auto device = static_cast<std::size_t>(FakeState::current_device());
  return device < state.devices.size() ? &state.devices[device]->default_stream : nullptr;
}

bool exists(cudaEvent_t event) {
  FakeState& state = FakeState::instance();
  const std::lock_guard lock(state.mutex);
  return state.events.count(event) != 0;
}

/// What a call on `stream` answers before it may do anything.
cudaError_t enter(const char* api, CUstream_st* stream) {
  const cudaError_t status = FakeState::instance().enter(api);
  return status == cudaSuccess && stream == nullptr ? cudaErrorInvalidResourceHandle : status;
}

/// While it lives the caller is alone on the stream, and the stream has waited for whatever it
/// must.
class Turn {
 public:
  explicit Turn(CUstream_st& stream) : stream_(stream), lock_(stream.order) {
    stream_.timeline.follow_caller();
    wait_for_default_stream();
  }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;

 private:
  /// The default stream waits for all blocking streams of its device, and they for it.
  void wait_for_default_stream() {
    if (!kThreadSanitizer || !stream_.is_blocking) {
      return;
    }
    FakeState& state = FakeState::instance();
    const std::lock_guard lock(state.mutex);
    const Timeline::Inside inside(&stream_.timeline);
    CUstream_st& standard = state.devices[static_cast<std::size_t>(stream_.device)]->default_stream;
    if (&stream_ != &standard) {
      standard.timeline.join();
      return;
    }
    for (CUstream_st* other : state.streams) {
      if (other->device == stream_.device && other->is_blocking) {
        other->timeline.join();
      }
    }
  }

  CUstream_st& stream_;
  std::lock_guard<HiddenMutex> lock_;
};

/// Carries work out now, or takes it into the capture of the stream. It is called with the timeline
/// that it belongs to.
template <class Work>
cudaError_t submit(CUstream_st& stream, Work&& work) {
  const std::lock_guard lock(stream.order);
  if (stream.capture != nullptr) {
    stream.capture->work.emplace_back(std::forward<Work>(work));
  } else {
    const Turn turn(stream);
    work(stream.timeline);
  }
  return cudaSuccess;
}

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

cudaError_t copy(const char* api, void* to, const void* from, std::size_t n_bytes,
                 cudaMemcpyKind kind, cudaStream_t handle) {
  CUstream_st* stream = stream_of(handle);
  if (const cudaError_t status = enter(api, stream); status != cudaSuccess) {
    return FakeState::finish(status);
  }
  if (!valid_copy(to, from, n_bytes, kind)) {
    return FakeState::finish(cudaErrorInvalidValue);
  }
  return submit(*stream, [=](Timeline& timeline) {
    if (n_bytes != 0) {
      const Timeline::Inside inside(&timeline);
      std::memmove(to, from, n_bytes);
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
  return submit(*stream, [=](Timeline& timeline) {
    if (n_bytes != 0) {
      const Timeline::Inside inside(&timeline);
      std::memset(memory, value, n_bytes);
    }
  });
}

/// For calls that wait, which a capture does not allow.
cudaError_t wait_for(const char* api, CUstream_st* stream) {
  const cudaError_t status = enter(api, stream);
  if (status != cudaSuccess) {
    return FakeState::finish(status);
  }
  const std::lock_guard lock(stream->order);
  if (stream->capture != nullptr) {
    return FakeState::finish(cudaErrorStreamCaptureUnsupported);
  }
  stream->timeline.join();
  return cudaSuccess;
}

cudaError_t wait_for(const char* api, cudaEvent_t event) {
  const cudaError_t status = FakeState::instance().enter(api);
  if (status != cudaSuccess) {
    return FakeState::finish(status);
  }
  if (!exists(event)) {
    return FakeState::finish(cudaErrorInvalidResourceHandle);
  }
  furrow::simt::acquire(&event->tag);
  return cudaSuccess;
}

template <class Object>
cudaError_t destroy(const char* api, std::set<Object*>& objects, Object* object) {
  FakeState& state = FakeState::instance();
  const std::lock_guard lock(state.mutex);
  const cudaError_t status = state.enter(api);
  // A lost device says so; the object is gone all the same.
  const bool existed = objects.erase(object) != 0;
  if (existed) {
    delete object;
  }
  if (status != cudaSuccess) {
    return FakeState::finish(status);
  }
  return FakeState::finish(existed ? cudaSuccess : cudaErrorInvalidResourceHandle);
}

}  // namespace

extern "C" {

// --- Copies ---

cudaError_t cudaMemcpy(void* to, const void* from, std::size_t n_bytes, cudaMemcpyKind kind) {
  const cudaError_t status = copy("cudaMemcpy", to, from, n_bytes, kind, nullptr);
  if (CUstream_st* stream = stream_of(nullptr); stream != nullptr) {
    stream->timeline.join();
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
  const cudaError_t released = FakeState::instance().release(memory, true, &stream->timeline);
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
  auto made = std::make_unique<CUstream_st>();
  made->device = FakeState::current_device();
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
  return wait_for("cudaStreamQuery", stream_of(stream));
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

// --- Events ---

cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned flags) {
  FakeState& state = FakeState::instance();
  const std::lock_guard lock(state.mutex);
  if (const cudaError_t status = state.enter("cudaEventCreateWithFlags"); status != cudaSuccess) {
    return FakeState::finish(status);
  }
  auto made = std::make_unique<CUevent_st>();
  made->device = FakeState::current_device();
  made->has_timing = (flags & cudaEventDisableTiming) == 0;
  state.events.insert(made.get());
  *event = made.release();
  return cudaSuccess;
}

cudaError_t cudaEventCreate(cudaEvent_t* event) {
  return cudaEventCreateWithFlags(event, cudaEventDefault);
}

cudaError_t cudaEventDestroy(cudaEvent_t event) {
  return destroy("cudaEventDestroy", FakeState::instance().events, event);
}

cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t handle) {
  CUstream_st* stream = stream_of(handle);
  if (const cudaError_t status = enter("cudaEventRecord", stream); status != cudaSuccess) {
    return FakeState::finish(status);
  }
  if (!exists(event) || event->device != stream->device) {
    return FakeState::finish(cudaErrorInvalidResourceHandle);
  }
  const std::lock_guard lock(stream->order);
  event->capture = stream->capture;
  event->is_recorded = true;
  event->time = std::chrono::steady_clock::now();
  if (stream->capture == nullptr) {
    const Turn turn(*stream);
    const Timeline::Inside inside(&stream->timeline);
    furrow::simt::release(&event->tag);
  }
  return cudaSuccess;
}

cudaError_t cudaEventSynchronize(cudaEvent_t event) {
  return wait_for("cudaEventSynchronize", event);
}

cudaError_t cudaEventQuery(cudaEvent_t event) {
  return wait_for("cudaEventQuery", event);
}

cudaError_t cudaEventElapsedTime(float* milliseconds, cudaEvent_t start, cudaEvent_t end) {
  const cudaError_t status = FakeState::instance().enter("cudaEventElapsedTime");
  if (status != cudaSuccess) {
    return FakeState::finish(status);
  }
  if (!exists(start) || !exists(end) || !start->is_recorded || !end->is_recorded ||
      !start->has_timing || !end->has_timing) {
    return FakeState::finish(cudaErrorInvalidResourceHandle);
  }
  *milliseconds = std::chrono::duration<float, std::milli>(end->time - start->time).count();
  return cudaSuccess;
}

// --- Graphs ---

cudaError_t cudaStreamBeginCapture(cudaStream_t handle, cudaStreamCaptureMode /*mode*/) {
  CUstream_st* stream = stream_of(handle);
  if (const cudaError_t status = enter("cudaStreamBeginCapture", stream); status != cudaSuccess) {
    return FakeState::finish(status);
  }
  const std::lock_guard lock(stream->order);
  if (handle == nullptr || stream->capture != nullptr) {
    return FakeState::finish(cudaErrorStreamCaptureUnsupported);
  }
  stream->capture = std::make_shared<Capture>(Capture{stream, {}});
  return cudaSuccess;
}

cudaError_t cudaStreamEndCapture(cudaStream_t handle, cudaGraph_t* graph) {
  CUstream_st* stream = stream_of(handle);
  if (const cudaError_t status = enter("cudaStreamEndCapture", stream); status != cudaSuccess) {
    return FakeState::finish(status);
  }
  FakeState& state = FakeState::instance();
  const std::lock_guard lock(state.mutex);
  if (stream->capture == nullptr || stream->capture->origin != stream) {
    return FakeState::finish(cudaErrorStreamCaptureUnmatched);
  }
  const std::shared_ptr<Capture> capture = stream->capture;
  for (CUstream_st* other : state.streams) {
    if (other->capture == capture) {
      other->capture.reset();
    }
  }
  auto made = std::make_unique<CUgraph_st>();
  made->work = capture->work;
  state.graphs.insert(made.get());
  *graph = made.release();
  return cudaSuccess;
}

cudaError_t cudaStreamIsCapturing(cudaStream_t handle, cudaStreamCaptureStatus* status_out) {
  CUstream_st* stream = stream_of(handle);
  if (const cudaError_t status = enter("cudaStreamIsCapturing", stream); status != cudaSuccess) {
    return FakeState::finish(status);
  }
  const std::lock_guard lock(stream->order);
  *status_out =
      stream->capture != nullptr ? cudaStreamCaptureStatusActive : cudaStreamCaptureStatusNone;
  return cudaSuccess;
}

cudaError_t cudaGraphInstantiate(cudaGraphExec_t* executable, cudaGraph_t graph,
                                 unsigned long long /*flags*/) {
  FakeState& state = FakeState::instance();
  const std::lock_guard lock(state.mutex);
  if (const cudaError_t status = state.enter("cudaGraphInstantiate"); status != cudaSuccess) {
    return FakeState::finish(status);
  }
  if (state.graphs.count(graph) == 0) {
    return FakeState::finish(cudaErrorInvalidValue);
  }
  auto made = std::make_unique<CUgraphExec_st>();
  made->work = graph->work;
  state.executables.insert(made.get());
  *executable = made.release();
  return cudaSuccess;
}

cudaError_t cudaGraphUpload(cudaGraphExec_t executable, cudaStream_t handle) {
  const cudaError_t status = enter("cudaGraphUpload", stream_of(handle));
  return FakeState::finish(status == cudaSuccess && executable == nullptr ? cudaErrorInvalidValue
                                                                          : status);
}

cudaError_t cudaGraphLaunch(cudaGraphExec_t executable, cudaStream_t handle) {
  CUstream_st* stream = stream_of(handle);
  if (const cudaError_t status = enter("cudaGraphLaunch", stream); status != cudaSuccess) {
    return FakeState::finish(status);
  }
  FakeState& state = FakeState::instance();
  {
    const std::lock_guard lock(state.mutex);
    if (state.executables.count(executable) == 0) {
      return FakeState::finish(cudaErrorInvalidValue);
    }
  }
  return submit(*stream, [work = executable->work](Timeline& timeline) {
    for (const auto& step : work) {
      step(timeline);
    }
  });
}

cudaError_t cudaGraphExecDestroy(cudaGraphExec_t executable) {
  return destroy("cudaGraphExecDestroy", FakeState::instance().executables, executable);
}

cudaError_t cudaGraphDestroy(cudaGraph_t graph) {
  return destroy("cudaGraphDestroy", FakeState::instance().graphs, graph);
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
  CUstream_st* stream = stream_of(handle);
  if (const cudaError_t status = enter("cudaLaunchKernel", stream); status != cudaSuccess) {
    return FakeState::finish(status);
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
  // Lanes read what the kernel was called with; nobody waits for them before it is thrown away.
  const std::shared_ptr<const std::function<void()>> kept(
      new std::function<void()>(std::move(body)), [](const std::function<void()>* function) {
        const IgnoreAccesses ignore;
        delete function;
      });
  return submit(*stream, [shape, kept, where](Timeline& timeline) {
    run_grid(shape, *kept, &timeline, where);
  });
}

}  // namespace furrow::simt
