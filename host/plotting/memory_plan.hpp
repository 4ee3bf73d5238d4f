// SPDX-License-Identifier: Apache-2.0
// How much memory plotting takes: a formula of its settings, and settings that fit a limit. Beside
// that of the host, what encoders take on devices (device_memory.hpp).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "host/base/machine_limits.hpp"
#include "host/plotting/device_memory.hpp"

namespace furrow {

/// What the memory of a plotting run depends on.
struct MemorySettings {
  std::uint16_t pieces_in_sector = 0;
  /// Threads that encode on the CPU, also if only when all devices are lost.
  unsigned threads = 1;
  /// CUDA devices that encode.
  std::size_t devices = 0;
  /// Pinned memory of all of them together: pinned_bytes_of what they take.
  std::uint64_t pinned_bytes = 0;
  // As in PlotPipelineOptions.
  std::size_t sectors_in_memory = 2;
  std::size_t output_buffers = 2;
  /// Pieces of one download that are under way at the same time.
  std::size_t pieces_in_flight = 8;
};

struct MemoryPlan {
  enum class Use { kProgram, kSectors, kEncoding, kPieces, kDevices };
  struct Item {
    Use use = Use::kProgram;
    std::string what;
    std::uint64_t bytes = 0;
  };

  MemorySettings settings;
  std::vector<Item> items;  ///< of the host
  /// What encoders take on devices, for who has planned that; not in the total.
  std::vector<DeviceMemoryPlan> device_memory;
  /// What the user should know: a limit of the machine that is below the plan, or that made it.
  std::vector<std::string> notes;

  /// Memory of the host.
  [[nodiscard]] std::uint64_t total() const;
  /// Of it, what is for this use.
  [[nodiscard]] std::uint64_t bytes_for(Use use) const;
};

/// Settings that keep every encoder busy while sectors are downloaded and written.
MemorySettings default_memory_settings(std::uint16_t pieces_in_sector, unsigned threads,
                                       std::size_t devices);

/// The most that a run with these settings takes:
///
///   program                      kProgramBytes
///   sectors being downloaded or encoded
///                                sectors_in_memory * P * (record + metadata + bitmap)
///   sectors being written        output_buffers * sector_size(P)
///   tables of the CPU            threads * proof_table_bytes, and one more for verification of
///                                devices
///   pieces under way             2 * pieces_in_flight * piece, the tail of one download among them
///   rebuilding a piece           kReconstructionBytes, one at a time
///   devices                      devices * kDeviceHostBytes + pinned_bytes
MemoryPlan plan_memory(const MemorySettings& settings);

/// The plan of the largest settings within `wanted` that stay below `limit` bytes. Gives up, in
/// this order: output buffers and sectors in memory, two of the former for three of the latter;
/// pieces under way; threads; down to 1 each, 8 pieces. Throws InvalidArgument, naming both numbers, when that is still too much.
MemoryPlan fit_memory(const MemorySettings& wanted, std::uint64_t limit);

/// The plan for this machine. A `limit` of the user is kept as by fit_memory. Without one, the plan
/// stays within what the machine and the control groups have left, as far as settings can make it.
/// A plan above what is left has a note: it is an upper bound, so the run may go well all the same.
MemoryPlan plan_memory_on(const MachineLimits& machine, const MemorySettings& wanted,
                          std::optional<std::uint64_t> limit);

}  // namespace furrow
