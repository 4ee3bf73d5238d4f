// The fake runtime: copies, streams, events, graphs and launches. Work is carried out at the call.

#include <chrono>
#include <cstring>
#include <utility>

#include "simt/fake_state.hpp"
#include "simt/grid.hpp"

using furrow::simt::Capture;
using furrow::simt::FakeState;

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

/// Carries work out now, or takes it into the capture of the stream.
template <class Work>
cudaError_t submit(CUstream_st& stream, Work&& work) {
  const std::lock_guard lock(stream.order);
  if (stream.capture != nullptr) {
    stream.capture->work.emplace_back(std::forward<Work>(work));
  } else {
    work();
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
  return submit(*stream, [=] {
    if (n_bytes != 0) {
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
  return submit(*stream, [=] {
    if (n_bytes != 0) {
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
  return FakeState::finish(stream->capture != nullptr ? cudaErrorStreamCaptureUnsupported
                                                      : cudaSuccess);
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
  return copy("cudaMemcpy", to, from, n_bytes, kind, nullptr);
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

// --- Streams ---

cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned /*flags*/) {
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
  return wait_for("cudaDeviceSynchronize", stream_of(nullptr));
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
  }
  return cudaSuccess;
}

cudaError_t cudaLaunchHostFunc(cudaStream_t handle, cudaHostFn_t function, void* argument) {
  CUstream_st* stream = stream_of(handle);
  if (const cudaError_t status = enter("cudaLaunchHostFunc", stream); status != cudaSuccess) {
    return FakeState::finish(status);
  }
  return submit(*stream, [=] { function(argument); });
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
  return cudaSuccess;
}

cudaError_t cudaEventSynchronize(cudaEvent_t event) {
  const cudaError_t status = FakeState::instance().enter("cudaEventSynchronize");
  if (status != cudaSuccess) {
    return FakeState::finish(status);
  }
  return FakeState::finish(exists(event) ? cudaSuccess : cudaErrorInvalidResourceHandle);
}

cudaError_t cudaEventQuery(cudaEvent_t event) {
  const cudaError_t status = FakeState::instance().enter("cudaEventQuery");
  if (status != cudaSuccess) {
    return FakeState::finish(status);
  }
  return FakeState::finish(exists(event) ? cudaSuccess : cudaErrorInvalidResourceHandle);
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
  return submit(*stream, [work = executable->work] {
    for (const auto& step : work) {
      step();
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
  return submit(*stream, [shape, body = std::move(body), where] { run_grid(shape, body, where); });
}

}  // namespace furrow::simt
