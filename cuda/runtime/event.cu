// SPDX-License-Identifier: Apache-2.0
#include <utility>

#include "cuda/runtime/check.hpp"
#include "cuda/runtime/event.hpp"
#include "cuda/runtime/patience.hpp"

namespace furrow::cuda {

Event::Event(int device, EventKind kind) {
  use_device(device);
  const unsigned flags = kind == EventKind::kTiming
                             ? cudaEventBlockingSync
                             : cudaEventBlockingSync | cudaEventDisableTiming;
  check(cudaEventCreateWithFlags(&event_, flags), "cudaEventCreateWithFlags");
}

Event::Event(Event&& other) noexcept : event_(std::exchange(other.event_, nullptr)) {}

Event& Event::operator=(Event&& other) noexcept {
  std::swap(event_, other.event_);
  return *this;
}

Event::~Event() {
  if (event_ != nullptr) {
    log_unless_success(cudaEventDestroy(event_), "cudaEventDestroy");
  }
}

void Event::record(StreamView stream) {
  check(cudaEventRecord(event_, stream.get()), "cudaEventRecord");
}

bool Event::is_reached() const {
  const cudaError_t status = cudaEventQuery(event_);
  if (status == cudaErrorNotReady) {
    static_cast<void>(cudaGetLastError());  // an answer, not a failure
    return false;
  }
  check(status, "cudaEventQuery");
  return true;
}

void Event::synchronize() const {
  if (Patience* const patience = Patience::current()) {
    patience->wait_until([this] { return is_reached(); }, "cudaEventQuery");
    return;
  }
  check(cudaEventSynchronize(event_), "cudaEventSynchronize");
}

float milliseconds_between(const Event& start, const Event& end) {
  float milliseconds = 0;
  check(cudaEventElapsedTime(&milliseconds, start.get(), end.get()), "cudaEventElapsedTime");
  return milliseconds;
}

}  // namespace furrow::cuda
