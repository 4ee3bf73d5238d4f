// What the fake CUDA runtime keeps: devices, allocations, faults, counters. Internal to it.
#pragma once

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

namespace furrow::simt {
/// Work between begin and end of a capture, in the order of the calls, which is an order that all
/// streams of the capture allow.
struct Capture {
  CUstream_st* origin;
  std::vector<std::function<void()>> work;
};
}  // namespace furrow::simt

struct CUstream_st {
  int device = 0;
  /// Held while work of the stream is carried out, so that threads which share it take turns.
  std::recursive_mutex order;
  std::shared_ptr<furrow::simt::Capture> capture;
};
struct CUevent_st {
  int device = 0;
  bool has_timing = true;
  bool is_recorded = false;
  std::chrono::steady_clock::time_point time;
  /// Set when the last record was part of a capture.
  std::shared_ptr<furrow::simt::Capture> capture;
};
struct CUgraph_st {
  std::vector<std::function<void()>> work;
};
struct CUgraphExec_st {
  std::vector<std::function<void()>> work;
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

  /// Counts the call and returns the status it must fail with, cudaSuccess when it may go on.
  cudaError_t enter(const char* api, Answers answers = Answers::kNotWhenLost);
  /// Notes a failure for cudaGetLastError and passes it on.
  static cudaError_t finish(cudaError_t status);

  struct Allocation {
    std::size_t n_bytes;
    int device;  // -1: host memory
  };
  cudaError_t allocate(void** memory, std::size_t n_bytes, int device);
  cudaError_t release(void* memory, bool on_device);
  /// The allocation that holds the byte, and where it begins.
  std::optional<std::pair<std::uintptr_t, Allocation>> find(const void* byte);
  /// Whether all bytes lie in one allocation on a device.
  bool is_on_device(const void* bytes, std::size_t n_bytes);
  /// Whether any byte lies in memory of a device.
  bool touches_device(const void* bytes);

  void reset(std::vector<FakeDevice> devices);

  /// The device of the calling thread.
  static int& current_device();
  static cudaError_t& last_error();

  struct DeviceState {
    FakeDevice properties;
    std::size_t used_bytes = 0;
    std::size_t peak_bytes = 0;
    cudaError_t lost = cudaSuccess;
    CUmemPoolHandle_st pool;
    CUstream_st default_stream;
    std::map<const void*, std::size_t> max_dynamic_shared;  // by kernel
  };

  // All below are guarded by `mutex`.
  std::recursive_mutex mutex;
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
};

}  // namespace furrow::simt
