// SPDX-License-Identifier: Apache-2.0
#include "tests/sass/checks/shared_memory.hpp"

#include <algorithm>

namespace furrow::sass {

void SharedMemory::start_block(std::uint32_t first, std::uint32_t end) {
  constexpr std::uint8_t kGarbage = 0x5A;
  first_ = first;
  const std::uint32_t size = end > first ? end - first : 0;
  bytes_.assign(size, kGarbage);
  written_.assign(size, 0);
  cells_.resize((size + kCellBytes - 1) / kCellBytes);
  pass_barrier();
}

bool SharedMemory::is_written(std::uint32_t address, unsigned size) const {
  const auto* const from = written_.data() + (address - first_);
  return std::all_of(from, from + size, [](std::uint8_t one) { return one != 0; });
}

bool SharedMemory::note(std::uint32_t address, unsigned size, unsigned warp, Access access) {
  const auto me = static_cast<std::uint8_t>(warp);
  const std::uint32_t begin = (address - first_) / kCellBytes;
  const std::uint32_t end = (address - first_ + size + kCellBytes - 1) / kCellBytes;
  bool is_alone = true;
  for (std::uint32_t i = begin; i < end; ++i) {
    Cell& cell = cells_[i];
    const bool others_wrote = cell.written_in == epoch_ && cell.writer != me;
    if (access == Access::kRead) {
      is_alone = is_alone && !others_wrote;
      const bool is_first = cell.read_in != epoch_;
      cell.reader = is_first || cell.reader == me ? me : kSeveral;
      cell.read_in = epoch_;
      continue;
    }
    const bool others_read = cell.read_in == epoch_ && cell.reader != me;
    const bool both_atomic = access == Access::kAtomic && cell.is_atomic;
    is_alone = is_alone && !others_read && !(others_wrote && !both_atomic);
    const bool is_first = cell.written_in != epoch_;
    cell.is_atomic = access == Access::kAtomic && (is_first || cell.is_atomic);
    cell.written_in = epoch_;
    cell.writer = me;
  }
  return is_alone;
}

bool SharedMemory::note_value(std::uint32_t address, unsigned size, const void* value,
                              std::uint32_t number) {
  const std::uint32_t begin = (address - first_) / kCellBytes;
  const std::uint32_t end = (address - first_ + size + kCellBytes - 1) / kCellBytes;
  bool is_same = true;
  for (std::uint32_t i = begin; i < end; ++i) {
    if (cells_[i].stored_by == number) {
      is_same = is_same && std::memcmp(at(address), value, size) == 0;
    }
    cells_[i].stored_by = number;
  }
  return is_same;
}

}  // namespace furrow::sass
