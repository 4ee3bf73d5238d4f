// SPDX-License-Identifier: Apache-2.0
#include "tools/plan_text.hpp"

#include <fmt/format.h>

#include "host/base/byte_size.hpp"
#include "host/base/counted.hpp"

namespace furrow::cli {
namespace {

std::string plan_line(std::uint64_t bytes, const std::string& what) {
  return fmt::format("{:>12}  {}", size_text(bytes), what);
}

std::string too_little(const DeviceMemoryPlan& device) {
  return fmt::format("is not used: an encoder takes at least {}, {} are free",
                     size_text(device.plan.least_device_bytes), size_text(device.free_bytes));
}

void add_device_lines(const DeviceMemoryPlan& device, std::vector<std::string>& lines) {
  const std::string name = fmt::format("CUDA device {} ({})", device.index, device.name);
  if (device.plan.lanes == 0) {
    lines.push_back(plan_line(0, name + " " + too_little(device)));
    return;
  }
  lines.push_back(
      plan_line(device.plan.device_bytes,
                fmt::format("of {}: {} of {}", name, counted(device.plan.lanes, "batch", "batches"),
                            counted(device.plan.batch, "record", "records"))));
}

std::string device_summary(const DeviceMemoryPlan& device) {
  if (device.plan.lanes == 0) {
    return fmt::format("; CUDA device {} {}", device.index, too_little(device));
  }
  return fmt::format("; on CUDA device {} at most {}", device.index,
                     size_text(device.plan.device_bytes));
}

}  // namespace

std::vector<std::string> plan_lines(const MemoryPlan& plan) {
  std::vector<std::string> lines;
  for (const MemoryPlan::Item& item : plan.items) {
    lines.push_back(plan_line(item.bytes, item.what));
  }
  lines.push_back(plan_line(
      plan.total(),
      fmt::format("in all, for sectors of {}", counted(plan.settings.pieces_in_sector, "piece"))));
  for (const DeviceMemoryPlan& device : plan.device_memory) {
    add_device_lines(device, lines);
  }
  return lines;
}

std::string plan_summary(const MemoryPlan& plan) {
  std::string line = fmt::format(
      "memory: at most {}, for {} being made, {} being written and {}", size_text(plan.total()),
      counted(plan.settings.sectors_in_memory, "sector"),
      counted(plan.settings.output_buffers, "sector"), counted(plan.settings.threads, "thread"));
  for (const DeviceMemoryPlan& device : plan.device_memory) {
    line += device_summary(device);
  }
  return line;
}

}  // namespace furrow::cli
