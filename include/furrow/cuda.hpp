// SPDX-License-Identifier: Apache-2.0
// The CUDA engine as the rest of Furrow sees it. No header of CUDA is needed to use it, and a build
// without CUDA has all of it too: it then knows no device.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "furrow/records_encoder.hpp"

namespace furrow {

/// A CUDA device. Texts are empty and numbers 0 where the device does not say.
struct CudaDeviceInfo {
  int index = 0;       ///< among the devices that CUDA_VISIBLE_DEVICES leaves
  std::string uuid;    ///< such as "GPU-01234567-89ab-cdef-0123-456789abcdef"
  std::string pci_id;  ///< domain, bus, device, function: "0000:65:00.0"
  std::string name;
  int compute_major = 0;
  int compute_minor = 0;
  int n_multiprocessors = 0;
  int clock_khz = 0;         ///< highest clock of the multiprocessors
  int memory_clock_khz = 0;  ///< highest clock of the memory
  std::uint64_t total_bytes = 0;
  std::uint64_t free_bytes = 0;
  std::string unsupported_reason;  ///< empty when Furrow can use it

  [[nodiscard]] bool is_supported() const { return unsupported_reason.empty(); }
};

/// What there is of CUDA on this machine.
struct CudaDevices {
  bool is_built_in = false;  ///< whether this program was built with CUDA
  int driver_version = 0;    ///< newest CUDA of the driver, 1000 * major + 10 * minor; 0: no driver
  int runtime_version = 0;   ///< CUDA that this program was built with, in the same form
  std::string problem = {};  ///< why there are no devices; empty when there are
  std::vector<CudaDeviceInfo> devices = {};
};

/// Lists the devices that CUDA shows this process. Never fails for want of a driver or a device;
/// `problem` says so then. Only looks: no device gets a context, which would take some hundred MiB
/// of it for as long as the process lives. So free memory is 0, and a device that is reserved or
/// broken does not show it.
CudaDevices cuda_devices();

/// Gives this process a context on the device, for good, and lets it run an empty kernel: fills in
/// the free memory, or the reason why it cannot be used. Takes some tenths of a second.
void open_cuda_device(CudaDeviceInfo& device);

/// What a device shows that encodes a record for the first time.
struct CudaTrial {
  unsigned k = 0;                ///< of the proofs: the network's, less on a device of the harness
  std::uint64_t free_bytes = 0;  ///< on the device, without what the trial took
};

/// Encodes `record` with the proofs of `seed` on the device and sets its bitmap; the device gets a
/// context, its memory is let go again. A few milliseconds after the first use of the device, which
/// takes some tenths of a second. What comes out may be wrong: the caller knows what is right.
/// Throws EncoderError when the device cannot be used or encoded nothing, and in a build without
/// CUDA; the record is unchanged then.
CudaTrial try_cuda_device(int device, const PosSeed& seed, Record& record,
                          FoundProofs& found_proofs);

struct CudaEncoderOptions {
  int device = 0;
  /// Most device memory, in bytes; 0 means what is free.
  std::uint64_t vram_limit = 0;
  /// Most pinned host memory, in bytes; 0 means as much as the batches want.
  std::uint64_t pinned_limit = 0;
  /// Batches in flight, each on a stream of its own. Memory for fewer gives fewer.
  std::size_t lanes = 3;
  /// Most records of one batch; 0 means the default.
  std::size_t batch = 0;
  /// How long the device may take for the batches in flight before it counts as one that hangs.
  std::chrono::milliseconds patience{20'000};
  /// Gets one line for each thing that makes it slower, from the thread that makes it or encodes; the
  /// log sink gets them when this is empty.
  std::function<void(const std::string& line)> on_warning = {};
  /// Encodes what the device could not. Records with too few proofs come here too, so that there is
  /// one opinion on them.
  EncodeOneRecord fallback = {};
};

/// What an encoder takes, with some options, on a device with so much free memory.
struct CudaMemoryPlan {
  std::size_t lanes = 0;  ///< batches in flight; 0 when what is free is not enough for one record
  std::size_t batch = 0;  ///< records of each
  std::uint64_t device_bytes = 0;        ///< for as long as the encoder lives
  std::uint64_t pinned_bytes = 0;        ///< of the host, for as long as the encoder lives
  std::uint64_t least_device_bytes = 0;  ///< below which there is no encoder
};

/// The formula by which encoders size themselves. Does not look at the device. Throws InvalidArgument, naming both numbers, for a limit that is below the least
/// that an encoder takes, and for no lanes; EncoderError in a build without CUDA.
CudaMemoryPlan plan_cuda_memory(CudaEncoderOptions options, std::uint64_t free_bytes);

/// What an encoder did and what it holds.
struct CudaEncoderState {
  std::uint64_t n_records = 0;    ///< encoded, those by the fallback included
  std::uint64_t n_fallbacks = 0;  ///< encoded by the fallback
  std::size_t lanes = 0;
  std::size_t batch = 0;
  std::uint64_t device_bytes = 0;
  std::uint64_t pinned_bytes = 0;  ///< 0 when none could be had
};

/// Encodes on one CUDA device. Several may exist, on different devices or the same.
class CudaEncoder : public RecordsEncoder {
 public:
  /// Encodes one record with the proofs of any seed: what test vectors need. Throws EncoderError
  /// when the device could not encode it, DeviceLost like encode. The record is unchanged then.
  virtual void encode_from_seed(const PosSeed& seed, Record& record, FoundProofs& found_proofs) = 0;
  /// Thread-compatible, like encode.
  [[nodiscard]] virtual CudaEncoderState state() const = 0;
};

/// Makes the encoder of a device and takes its memory: as many records in each batch, and as many
/// lanes, as the limits and the free memory allow. Without pinned memory copies go through ordinary
/// memory, and one warning says so. Throws EncoderError when that is not even one record, which
/// says what memory ran short, what was asked and what was free; when the device cannot be used;
/// and in a build without CUDA. Throws InvalidArgument like plan_cuda_memory and for no fallback.
std::unique_ptr<CudaEncoder> make_cuda_records_encoder(CudaEncoderOptions options);

enum class CudaLogLevel { kDebug, kWarning };

/// Takes one line without an end of line. Called from any thread, several at once.
using CudaLogSink = void (*)(CudaLogLevel level, std::string_view line);

/// Sets where the CUDA engine reports what it cannot throw, and returns what was set before. At
/// first it is null, which means nowhere: a library prints nothing by itself. It is for the program
/// to set, for the whole process. Thread-safe.
CudaLogSink set_cuda_log_sink(CudaLogSink sink) noexcept;

}  // namespace furrow
