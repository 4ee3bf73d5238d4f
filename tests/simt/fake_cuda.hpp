// SPDX-License-Identifier: Apache-2.0
// Controls the fake CUDA runtime: which devices there are, how much memory they have, which calls
// fail. For tests; nothing here exists in CUDA.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "simt/cuda_status.hpp"

namespace furrow::simt {

/// A device that the fake runtime shows. The defaults are those of an H100 of modest memory.
struct FakeDevice {
  std::string name = "Furrow SIMT harness";
  std::array<std::uint8_t, 16> uuid{};
  int pci_domain = 0;
  int pci_bus = 1;
  int pci_device = 0;
  int major = 9;
  int minor = 0;
  int n_multiprocessors = 132;
  int threads_per_multiprocessor = 2048;
  int clock_khz = 1'980'000;
  int memory_clock_khz = 2'619'000;
  int memory_bus_bits = 5120;
  int l2_bytes = 50 * 1024 * 1024;
  std::size_t memory_bytes = std::size_t{8} << 30U;
  std::size_t shared_opt_in_bytes = 227 * 1024;
  bool has_memory_pools = true;
};

/// `n` devices alike but for their UUIDs, whose last byte counts from 1, and PCI bus numbers.
[[nodiscard]] std::vector<FakeDevice> fake_devices(int n);

/// What has been made and not been released.
struct LiveObjects {
  std::size_t device_allocations = 0;
  std::size_t device_bytes = 0;
  std::size_t host_allocations = 0;
  std::size_t host_bytes = 0;
  std::size_t streams = 0;
  std::size_t events = 0;
  std::size_t graphs = 0;
  bool operator==(const LiveObjects&) const = default;
};

/// Which calls of a function fail, and how.
struct Fault {
  std::string api;        ///< name of the function, such as "cudaMallocAsync"; "*" is any of them
  std::uint64_t nth = 1;  ///< counted from 1, from the moment the fault is planted
  cudaError_t status = cudaErrorUnknown;
  int device = -1;  ///< only calls on this device (that of the stream, else the current); -1 is any
  std::uint64_t n_calls = 1;  ///< how many calls in a row fail
  bool sticky = false;        ///< the device is lost from then on with this status
};

/// What is wrong with a device all of whose calls succeed.
enum class Misbehavior : std::uint8_t {
  kNone,
  kIdles,      ///< launches are accepted and not carried out
  kFlipsBits,  ///< a bit of what is copied to the host is wrong now and then
  kHangs,      ///< work is accepted and never done: who waits for it waits until the next reset
};

/// The fake runtime of the process. Thread-safe, but change devices only while nobody uses them.
///
/// The environment variable FURROW_SIMT_CARDS is for programs: a word for each device, such as
/// "well,idles,flips:2,hangs:30", with the number of `misbehave`; other words are errors. FURROW_SIMT_STREAMS is "at-once" or "late:SEED".
class FakeCuda {
 public:
  /// One default device, a driver, no faults, counters at zero. Objects still alive are forgotten
  /// and their memory is released. FakeCuda starts like this.
  static void reset();

  /// Shows these devices and resets everything else.
  static void set_devices(std::vector<FakeDevice> devices);
  /// Every call answers `status` (cudaErrorInsufficientDriver, cudaErrorNoDevice) as on a machine
  /// without driver or device.
  static void remove_driver(cudaError_t status);
  static void set_versions(int driver, int runtime);

  static void plant(const Fault& fault);
  /// Every later call on the device answers `status`.
  static void lose_device(int device, cudaError_t status);

  /// Streams do their work when somebody waits for it, in the order that the seed draws (1 at first;
  /// stream_queues.hpp); without a seed at once, when it is enqueued. ThreadSanitizer, which knows of the
  /// order that was promised, always sees it at once. Drops what is not done; outlasts a reset.
  static void set_stream_order(std::optional<std::uint64_t> seed);

  /// From the `nth` launch on, counted from here, the device idles or hangs; one that flips bits does
  /// so in each `nth` copy of at least 32 KiB to the host.
  static void misbehave(int device, Misbehavior how, std::uint64_t nth = 1);

  /// Calls of a function since the last reset; "*" is all functions.
  [[nodiscard]] static std::uint64_t n_calls(std::string_view api);
  [[nodiscard]] static LiveObjects live();
  /// Bytes in use on a device, and the most there ever were since the last reset.
  [[nodiscard]] static std::size_t used_bytes(int device);
  [[nodiscard]] static std::size_t peak_bytes(int device);
  /// The share of a multiprocessor's memory that a kernel has asked for on a device, in percent; nothing
  /// when it has not.
  [[nodiscard]] static std::optional<int> shared_percent(const void* kernel, int device);
};

}  // namespace furrow::simt
