// SPDX-License-Identifier: Apache-2.0
// How calls of the fake runtime put work on streams and wait for it. Internal to the fake runtime.
#pragma once

#include <mutex>
#include <set>
#include <utility>
#include <vector>

#include "simt/device_timer.hpp"
#include "simt/fake_state.hpp"

namespace furrow::simt {

/// Nullptr for a stream that does not exist.
inline CUstream_st* stream_of(cudaStream_t handle) {
  FakeState& state = FakeState::instance();
  const std::lock_guard lock(state.mutex);
  if (handle != nullptr) {
    return state.streams.count(handle) != 0 ? handle : nullptr;
  }
  const auto device = static_cast<std::size_t>(FakeState::current_device());
  return device < state.devices.size() ? &state.devices[device]->default_stream : nullptr;
}

inline bool exists(cudaEvent_t event) {
  FakeState& state = FakeState::instance();
  const std::lock_guard lock(state.mutex);
  return state.events.count(event) != 0;
}

/// What a call on `stream` answers before it may do anything.
inline cudaError_t enter(const char* api, CUstream_st* stream) {
  const cudaError_t status = FakeState::instance().enter(
      api, Answers::kNotWhenLost, stream != nullptr ? stream->device : FakeState::current_device());
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

/// What the default stream and those that block wait for, besides their own work.
inline std::vector<QueueMark> marks_before(const CUstream_st& stream) {
  std::vector<QueueMark> marks;
  if (!stream.is_blocking) {
    return marks;
  }
  FakeState& state = FakeState::instance();
  const std::lock_guard lock(state.mutex);
  const CUstream_st& standard =
      state.devices[static_cast<std::size_t>(stream.device)]->default_stream;
  if (&stream != &standard) {
    return {state.queues.end_of(standard.queue)};
  }
  for (const CUstream_st* other : state.streams) {
    if (other->device == stream.device && other->is_blocking) {
      marks.push_back(state.queues.end_of(other->queue));
    }
  }
  return marks;
}

/// Carries work out now or, where streams are late, when somebody waits for it, or takes it into the
/// capture of the stream. It is called with the timeline that it belongs to.
template <class Work>
cudaError_t submit(CUstream_st& stream, Work&& work) {
  FakeState& state = FakeState::instance();
  if (state.hangs(stream.device)) {
    return cudaSuccess;
  }
  const std::lock_guard lock(stream.order);
  if (stream.capture != nullptr) {
    stream.capture->work.emplace_back(std::forward<Work>(work));
  } else if (state.is_late()) {
    state.queues.give(stream.queue, {[done = std::forward<Work>(work)] {
                                       Timeline any;
                                       done(any);
                                     },
                                     marks_before(stream)});
  } else {
    const Turn turn(stream);
    work(stream.timeline);
  }
  return cudaSuccess;
}

/// What a call does about work that is not done.
enum class Undone : std::uint8_t { kWaits, kSaysSo };

/// Whether late work up to a mark is done, as far as the call waits for it.
inline bool finish(const QueueMark& mark, Undone undone) {
  StreamQueues& queues = FakeState::instance().queues;
  if (undone == Undone::kWaits) {
    queues.finish(mark);
    return true;
  }
  queues.answer(mark);
  return queues.is_reached(mark);
}

/// For calls that wait, which a capture does not allow.
inline cudaError_t wait_for(const char* api, CUstream_st* stream, Undone undone = Undone::kWaits) {
  const cudaError_t status = enter(api, stream);
  if (status != cudaSuccess) {
    return FakeState::finish(status);
  }
  if (FakeState::instance().hangs(stream->device)) {
    if (undone == Undone::kSaysSo) {
      return cudaErrorNotReady;
    }
    FakeState::instance().wait_if_hanging(stream->device);
    return FakeState::finish(cudaErrorUnknown);  // the stream is gone
  }
  {
    const std::lock_guard lock(stream->order);
    if (stream->capture != nullptr) {
      return FakeState::finish(cudaErrorStreamCaptureUnsupported);
    }
    stream->timeline.join();
  }
  return finish(FakeState::instance().queues.end_of(stream->queue), undone) ? cudaSuccess
                                                                            : cudaErrorNotReady;
}

inline cudaError_t wait_for(const char* api, cudaEvent_t event, Undone undone = Undone::kWaits) {
  tell_timer([&](DeviceTimer& timer) { timer.on_wait(event); });
  const cudaError_t status = FakeState::instance().enter(api);
  if (status != cudaSuccess) {
    return FakeState::finish(status);
  }
  if (!exists(event)) {
    return FakeState::finish(cudaErrorInvalidResourceHandle);
  }
  if (event->is_out_of_reach) {
    if (undone == Undone::kSaysSo) {
      return cudaErrorNotReady;
    }
    FakeState::instance().wait_if_hanging(event->device);
    return FakeState::finish(cudaErrorUnknown);  // the event is gone
  }
  acquire(&event->tag);
  return finish(event->mark, undone) ? cudaSuccess : cudaErrorNotReady;
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

}  // namespace furrow::simt
