// SPDX-License-Identifier: Apache-2.0
#include "simt/fake_state.hpp"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <thread>

namespace furrow::simt {
namespace {

// What fresh memory holds, so that nobody counts on zeros.
constexpr int kUnset = 0xA5;
// What freed memory holds, in case that somebody still reads it.
constexpr int kFreed = 0xDE;
constexpr std::size_t kAlignment = 256;
constexpr std::size_t kLeastFlippedCopy = 32 * 1024;

/// A word of FURROW_SIMT_CARDS.
struct Card {
  Misbehavior how = Misbehavior::kNone;
  std::uint64_t nth = 1;
};

Card card_of(const std::string& word) {
  const std::size_t colon = word.find(':');
  const std::string how = word.substr(0, colon);
  const std::uint64_t nth = colon == std::string::npos ? 1 : std::stoull(word.substr(colon + 1));
  if (how == "well") {
    return {};
  }
  if (how == "idles") {
    return {Misbehavior::kIdles, nth};
  }
  if (how == "flips") {
    return {Misbehavior::kFlipsBits, nth};
  }
  if (how == "hangs") {
    return {Misbehavior::kHangs, nth};
  }
  throw std::invalid_argument(
      "FURROW_SIMT_CARDS: expected well, idles:N, flips:N or hangs:N, actual '" + word + "'");
}

std::vector<Card> cards_of(const std::string& words) {
  std::vector<Card> cards;
  std::istringstream stream(words);
  for (std::string word; std::getline(stream, word, ',');) {
    cards.push_back(card_of(word));
  }
  return cards;
}

/// Of FURROW_SIMT_STREAMS: the seed of late streams, none for those that work at the call.
std::optional<std::uint64_t> stream_order_of(const std::string& word) {
  constexpr std::string_view kLate = "late:";
  if (word == "at-once") {
    return std::nullopt;
  }
  if (!word.starts_with(kLate)) {
    throw std::invalid_argument("FURROW_SIMT_STREAMS: expected at-once or late:SEED, actual '" +
                                word + "'");
  }
  return std::stoull(word.substr(kLate.size()));
}

}  // namespace

FakeState& FakeState::instance() {
  static FakeState state;
  return state;
}

FakeState::FakeState() {
  if (const char* const order = std::getenv("FURROW_SIMT_STREAMS"); order != nullptr) {
    set_stream_order(stream_order_of(order));
  }
  const char* const cards = std::getenv("FURROW_SIMT_CARDS");
  if (cards == nullptr) {
    reset(fake_devices(1));
    return;
  }
  const std::vector<Card> wanted = cards_of(cards);
  reset(fake_devices(static_cast<int>(wanted.size())));
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    devices[i]->misbehavior = wanted[i].how;
    devices[i]->misbehaves_from = wanted[i].nth;
  }
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
  return status;
}

cudaError_t FakeState::finish(cudaError_t status) {
  if (status != cudaSuccess && status != cudaErrorNotReady) {
    last_error() = status;
  }
  return status;
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
    if (posix_memalign(&bytes, kAlignment, n_bytes) != 0) {
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
  std::free(memory);
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
    const std::shared_ptr<void> bytes(memory, std::free);
    queues.give(stream.queue, {[this, bytes, gone = *released] {
                                 std::memset(bytes.get(), kFreed, gone.n_bytes);
                                 const std::lock_guard freeing(mutex);
                                 serials_.erase(gone.serial);
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

void FakeState::join_device(int device) {
  if (is_late_) {
    queues.finish_device(device);
    return;
  }
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
    std::free(reinterpret_cast<void*>(address));
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

// --- The controls ---

std::vector<FakeDevice> fake_devices(int n) {
  std::vector<FakeDevice> devices(static_cast<std::size_t>(n));
  for (int i = 0; i < n; ++i) {
    devices[static_cast<std::size_t>(i)].uuid[15] = static_cast<std::uint8_t>(i + 1);
    devices[static_cast<std::size_t>(i)].pci_bus = i + 1;
  }
  return devices;
}

void FakeCuda::reset() {
  FakeState::instance().reset(fake_devices(1));
}

void FakeCuda::set_devices(std::vector<FakeDevice> devices) {
  FakeState::instance().reset(std::move(devices));
}

void FakeCuda::remove_driver(cudaError_t status) {
  FakeState& state = FakeState::instance();
  const std::lock_guard lock(state.mutex);
  state.no_driver = status;
}

void FakeCuda::set_versions(int driver, int runtime) {
  FakeState& state = FakeState::instance();
  const std::lock_guard lock(state.mutex);
  state.driver_version = driver;
  state.runtime_version = runtime;
}

void FakeCuda::plant(const Fault& fault) {
  FakeState& state = FakeState::instance();
  const std::lock_guard lock(state.mutex);
  state.faults.push_back({fault});
}

void FakeCuda::lose_device(int device, cudaError_t status) {
  FakeState::instance().lose(device, status);
}

void FakeCuda::set_stream_order(std::optional<std::uint64_t> seed) {
  FakeState::instance().set_stream_order(seed);
}

void FakeCuda::misbehave(int device, Misbehavior how, std::uint64_t nth) {
  FakeState& state = FakeState::instance();
  const std::lock_guard lock(state.mutex);
  FakeState::DeviceState& to_change = *state.devices.at(static_cast<std::size_t>(device));
  to_change.misbehavior = how;
  to_change.misbehaves_from = nth;
  to_change.n_launches = 0;
  to_change.n_copies = 0;
}

std::uint64_t FakeCuda::n_calls(std::string_view api) {
  FakeState& state = FakeState::instance();
  const std::lock_guard lock(state.mutex);
  std::uint64_t n = 0;
  for (const auto& [name, n_of_name] : state.n_calls) {
    n += api == "*" || api == name ? n_of_name : 0;
  }
  return n;
}

LiveObjects FakeCuda::live() {
  FakeState& state = FakeState::instance();
  const std::lock_guard lock(state.mutex);
  LiveObjects live;
  for (const auto& [address, allocation] : state.allocations) {
    (allocation.device >= 0 ? live.device_allocations : live.host_allocations) += 1;
    (allocation.device >= 0 ? live.device_bytes : live.host_bytes) += allocation.n_bytes;
  }
  live.streams = state.streams.size();
  live.events = state.events.size();
  live.graphs = state.graphs.size() + state.executables.size();
  return live;
}

std::size_t FakeCuda::used_bytes(int device) {
  FakeState& state = FakeState::instance();
  const std::lock_guard lock(state.mutex);
  return state.devices.at(static_cast<std::size_t>(device))->used_bytes;
}

std::size_t FakeCuda::peak_bytes(int device) {
  FakeState& state = FakeState::instance();
  const std::lock_guard lock(state.mutex);
  return state.devices.at(static_cast<std::size_t>(device))->peak_bytes;
}

}  // namespace furrow::simt
