// SPDX-License-Identifier: Apache-2.0
#include "host/plotting/memory_plan.hpp"

#include <algorithm>
#include <numeric>

#include "furrow/core/sector_layout.hpp"
#include "furrow/errors.hpp"
#include "furrow/types.hpp"

#include "host/base/byte_size.hpp"
#include "host/base/counted.hpp"
#include "host/plotting/plot_pipeline.hpp"
#include "host/pos/proof_table.hpp"

namespace furrow {
namespace {

constexpr std::uint64_t kMiB = std::uint64_t{1} << 20;
// Measured upper bounds, bench/results: code, libraries, the farm with its caches.
constexpr std::uint64_t kProgramBytes = 96 * kMiB;
// 128 pieces that arrived, what is recovered from them, tables and work space of erasure coding.
constexpr std::uint64_t kReconstructionBytes = 448 * kMiB;
// What the driver keeps in host memory for a context: an allowance, not measured yet.
constexpr std::uint64_t kDeviceHostBytes = 512 * kMiB;
constexpr std::size_t kLeastPiecesInFlight = 8;

/// One step down; false when there is none.
bool shrink(MemorySettings& settings) {
  // Devices need both, two of the former for three of the latter.
  const bool has_many_buffers = 3 * settings.output_buffers >= 2 * settings.sectors_in_memory;
  if (settings.output_buffers > 1 && has_many_buffers) {
    --settings.output_buffers;
  } else if (settings.sectors_in_memory > 1) {
    --settings.sectors_in_memory;
  } else if (settings.pieces_in_flight > kLeastPiecesInFlight) {
    settings.pieces_in_flight = std::max(kLeastPiecesInFlight, settings.pieces_in_flight / 2);
  } else if (settings.threads > 1) {
    --settings.threads;
  } else {
    return false;
  }
  return true;
}

}  // namespace

std::uint64_t MemoryPlan::total() const {
  return std::accumulate(items.begin(), items.end(), std::uint64_t{0},
                         [](std::uint64_t sum, const Item& item) { return sum + item.bytes; });
}

std::uint64_t MemoryPlan::bytes_for(Use use) const {
  return std::accumulate(items.begin(), items.end(), std::uint64_t{0},
                         [use](std::uint64_t sum, const Item& item) {
                           return item.use == use ? sum + item.bytes : sum;
                         });
}

MemorySettings default_memory_settings(std::uint16_t pieces_in_sector, unsigned threads,
                                       std::size_t devices) {
  MemorySettings settings;
  settings.pieces_in_sector = pieces_in_sector;
  settings.threads = threads;
  settings.devices = devices;
  // For each device one sector is downloaded, one encoded, and one laid out, which on one core takes
  // about as long as a fast card encodes; and while that is laid out, another is written.
  settings.sectors_in_memory = devices == 0 ? 2 : 3 * devices;
  settings.output_buffers = devices == 0 ? 2 : 2 * devices;
  return settings;
}

MemoryPlan plan_memory(const MemorySettings& settings) {
  const std::size_t pieces_under_way = 2 * settings.pieces_in_flight;
  const std::size_t tables = settings.threads + (settings.devices == 0 ? 0U : 1U);
  MemoryPlan plan;
  plan.settings = settings;
  using Use = MemoryPlan::Use;
  const auto add = [&plan](Use use, std::string what, std::uint64_t bytes) {
    plan.items.push_back({use, std::move(what), bytes});
  };
  add(Use::kProgram, "program", kProgramBytes);
  add(Use::kSectors, counted(settings.sectors_in_memory, "sector") + " being downloaded or encoded",
      settings.sectors_in_memory *
          raw_sector_bytes(Network::kAbundance, settings.pieces_in_sector));
  add(Use::kSectors, counted(settings.output_buffers, "sector") + " being written",
      settings.output_buffers * sector_size(Network::kAbundance, settings.pieces_in_sector));
  add(Use::kEncoding, "proof tables of " + counted(tables, "CPU thread"),
      tables * proof_table_bytes(Network::kAbundance));
  add(Use::kPieces, counted(pieces_under_way, "piece") + " under way",
      pieces_under_way * kPieceSize);
  add(Use::kPieces, "rebuilding a missing piece", kReconstructionBytes);
  if (settings.devices != 0) {
    add(Use::kDevices, counted(settings.devices, "CUDA device") + " with pinned memory",
        settings.devices * kDeviceHostBytes + settings.pinned_bytes);
  }
  return plan;
}

MemoryPlan fit_memory(const MemorySettings& wanted, std::uint64_t limit) {
  MemorySettings settings = wanted;
  MemoryPlan plan = plan_memory(settings);
  while (plan.total() > limit) {
    if (!shrink(settings)) {
      throw InvalidArgument("memory limit: plotting sectors of " +
                            std::to_string(settings.pieces_in_sector) + " pieces takes at least " +
                            std::to_string(plan.total()) + " bytes, allowed are " +
                            std::to_string(limit));
    }
    plan = plan_memory(settings);
  }
  return plan;
}

MemoryPlan plan_memory_on(const MachineLimits& machine, const MemorySettings& wanted,
                          std::optional<std::uint64_t> limit) {
  MemoryPlan plan = limit.has_value() ? fit_memory(wanted, *limit) : plan_memory(wanted);
  if (!machine.memory_available.has_value() || plan.total() <= *machine.memory_available) {
    return plan;
  }
  const std::uint64_t available = *machine.memory_available;
  const std::string left = machine.memory_source + " has " + size_text(available) + " left";
  if (!limit.has_value()) {
    const std::uint64_t full = plan.total();
    MemorySettings settings = wanted;
    while (plan.total() > available && shrink(settings)) {
      plan = plan_memory(settings);
    }
    plan.notes.push_back("memory: " + left + ", so that " + size_text(plan.total()) +
                         " are planned and not " + size_text(full));
  }
  if (plan.total() > available) {
    plan.notes.push_back("memory: plotting may take " + size_text(plan.total()) + ", but " + left +
                         "; the system may end it when that is used up");
  }
  return plan;
}

}  // namespace furrow
