// SPDX-License-Identifier: Apache-2.0
// The fake runtime: events, and graphs made by capture.

#include <chrono>
#include <utility>

#include "simt/fake_work.hpp"

using furrow::simt::Capture;
using furrow::simt::destroy;
using furrow::simt::enter;
using furrow::simt::exists;
using furrow::simt::FakeState;
using furrow::simt::marks_before;
using furrow::simt::stream_of;
using furrow::simt::StreamQueues;
using furrow::simt::submit;
using furrow::simt::Timeline;
using furrow::simt::Turn;
using furrow::simt::Undone;
using furrow::simt::wait_for;

extern "C" {

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
  furrow::simt::tell_timer(
      [&](furrow::simt::DeviceTimer& timer) { timer.on_record(handle, event); });
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
  event->time =
      std::make_shared<std::chrono::steady_clock::time_point>(std::chrono::steady_clock::now());
  event->is_out_of_reach = FakeState::instance().hangs(stream->device);
  event->mark = {};
  if (FakeState& state = FakeState::instance(); stream->capture == nullptr && state.is_late()) {
    event->mark = state.queues.give(
        stream->queue, {[time = event->time] { *time = std::chrono::steady_clock::now(); },
                        marks_before(*stream)});
  } else if (stream->capture == nullptr) {
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
  return wait_for("cudaEventQuery", event, Undone::kSaysSo);
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
  StreamQueues& queues = FakeState::instance().queues;
  if (!queues.is_reached(start->mark) || !queues.is_reached(end->mark)) {
    return cudaErrorNotReady;
  }
  *milliseconds = std::chrono::duration<float, std::milli>(*end->time - *start->time).count();
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

}  // extern "C"
