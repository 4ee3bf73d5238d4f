// SPDX-License-Identifier: Apache-2.0
// What the fake CUDA runtime keeps: devices, allocations, faults, counters. Internal to it.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "simt/cuda_api.hpp"
#include "simt/fake_cuda.hpp"
#include "simt/hidden_mutex.hpp"
#include "simt/sanitizers.hpp"
#include "simt/stream_queues.hpp"

namespace furrow::simt {

/// One step of a stream; it is told whose timeline it runs in.
using Work = std::function<void(Timeline&)>;

/// Work between begin and end of a capture, in the order of the calls, which is an order that all
/// streams of the capture allow.
struct Capture {
  CUstream_st* origin;
  std::vector<Work> work;
};

}  // namespace furrow::simt

struct CUstream_st {
  explicit CUstream_st(int of_device)
      : device(of_device), queue(std::make_shared<furrow::simt::StreamQueue>(of_device)) {}

  int device;
  /// Whether it and the default stream wait for one another.
  bool is_blocking = true;
  /// Held while work of the stream is carried out, so that threads which share it take turns.
  furrow::simt::HiddenMutex order;
  std::shared_ptr<furrow::simt::Capture> capture;
  furrow::simt::Timeline timeline;
  /// What it has still to do, where streams are late.
  std::shared_ptr<furrow::simt::StreamQueue> queue;
};
struct CUevent_st {
  int device = 0;
  bool has_timing = true;
  bool is_recorded = false;
  /// When its stream passed it; belongs to the last record.
  std::shared_ptr<std::chrono::steady_clock::time_point> time;
  /// Where in its stream it was recorded last.
  furrow::simt::QueueMark mark;
  /// Recorded behind work that never ends.
  bool is_out_of_reach = false;
  /// Set when the last record was part of a capture.
  std::shared_ptr<furrow::simt::Capture> capture;
  /// Released when recorded, acquired by who waits (ThreadSanitizer).
  char tag = 0;
};
struct CUgraph_st {
  std::vector<furrow::simt::Work> work;
};
struct CUgraphExec_st {
  std::vector<furrow::simt::Work> work;
};
struct CUmemPoolHandle_st {
  int device = 0;
};

namespace furrow::simt {

/// Whether a lost device still answers the call.
enum class Answers : std::uint8_t { kNotWhenLost, kAlways };

class FakeState {
 public:
  static FakeState& instance();

  /// Counts a call on a device, by default the current one, and returns the status it must fail
  /// with, cudaSuccess when it may go on.
  cudaError_t enter(const char* api, Answers answers = Answers::kNotWhenLost,
                    int device = current_device());
  /// Notes a failure for cudaGetLastError and passes it on.
  static cudaError_t finish(cudaError_t status);

  struct Allocation {
    std::size_t n_bytes;
    int device;            // -1: host memory
    std::uint64_t serial;  // no two have the same
  };
  /// In the order of a timeline, or of the caller.
  cudaError_t allocate(void** memory, std::size_t n_bytes, int device,
                       Timeline* timeline = nullptr);
  cudaError_t release(void* memory, bool on_device, Timeline* timeline = nullptr);
  /// Frees to the pool of the device, which keeps what its threshold allows, when the stream gets there.
  cudaError_t release_to_pool(void* memory, CUstream_st& stream);
  /// The allocation that holds the byte, and where it begins.
  std::optional<std::pair<std::uintptr_t, Allocation>> find(const void* byte);
  /// Whether memory with this serial number is there, be it that a stream is still to free it.
  bool is_there(std::uint64_t serial);
  /// Whether all bytes lie in one allocation on a device.
  bool is_on_device(const void* bytes, std::size_t n_bytes);
  /// Whether any byte lies in memory of a device.
  bool touches_device(const void* bytes);

  /// The caller goes on after all work of a device, and of the one that has the memory, which is
  /// what cudaFree waits for.
  void join_device(int device);
  void join_device_of(const void* memory);

  /// Counts a launch, or a copy to the host; whether the device carries it out, and rightly.
  bool carries_out_launch(int device);
  bool copies_rightly(int device, std::size_t n_bytes);
  /// Whether the device has begun to hang.
  bool hangs(int device);
  /// Returns when the fake runtime is reset, if the device hangs, and at once otherwise: whether it
  /// did. The caller holds no lock.
  bool wait_if_hanging(int device);

  void reset(std::vector<FakeDevice> devices);
  void lose(int device, cudaError_t status);

  /// The device of the calling thread.
  static int& current_device();
  static cudaError_t& last_error();

  struct DeviceState {
    explicit DeviceState(int number) : default_stream(number) { pool.device = number; }

    FakeDevice properties;
    std::size_t used_bytes = 0;
    std::size_t peak_bytes = 0;
    /// Of the pool: freed bytes that it keeps, and how many it may keep.
    std::size_t kept_bytes = 0;
    std::uint64_t release_threshold = 0;
    cudaError_t lost = cudaSuccess;
    Misbehavior misbehavior = Misbehavior::kNone;
    std::uint64_t misbehaves_from = 1;
    std::uint64_t n_launches = 0;  // since it misbehaves
    std::uint64_t n_copies = 0;
    CUmemPoolHandle_st pool;
    CUstream_st default_stream;
    // By kernel.
    std::map<const void*, std::size_t> max_dynamic_shared;
    std::map<const void*, int> shared_percent;
  };

  /// Whether streams do their work when somebody waits for it, in a seeded order, or at the call, which
  /// ThreadSanitizer needs to see what is ordered with what.
  [[nodiscard]] bool is_late() const { return is_late_; }
  StreamQueues queues;
  /// The order in which late streams do their work from now on.
  void set_stream_order(std::optional<std::uint64_t> seed);

  // All below are guarded by `mutex`.
  HiddenMutex mutex;
  std::vector<std::unique_ptr<DeviceState>> devices;
  cudaError_t no_driver = cudaSuccess;
  int driver_version = CUDART_VERSION;
  int runtime_version = CUDART_VERSION;
  std::map<std::uintptr_t, Allocation> allocations;
  std::set<CUstream_st*> streams;
  std::set<CUevent_st*> events;
  std::set<CUgraph_st*> graphs;
  std::set<CUgraphExec_st*> executables;

  struct PlantedFault {
    Fault fault;
    std::uint64_t n_seen = 0;
  };
  std::vector<PlantedFault> faults;
  std::map<std::string, std::uint64_t, std::less<>> n_calls;

 private:
  FakeState();
  DeviceState* device_at(int device);
  std::optional<Allocation> forget(void* memory, bool on_device);
  void join_timelines(int device);
  static void free_bytes(void* bytes, std::size_t n_bytes);
  void lose(DeviceState& device, cudaError_t status);

  bool is_late_ = !kThreadSanitizer;
  std::uint64_t stream_seed_ = 1;
  std::uint64_t n_allocated_ = 0;
  std::set<std::uint64_t> serials_;  // of memory that is there
  /// How often there was a reset; what hangs ends when it changes.
  std::atomic<std::uint64_t> n_resets_ = 0;
};

}  // namespace furrow::simt
