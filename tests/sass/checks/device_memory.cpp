// SPDX-License-Identifier: Apache-2.0
#include "tests/sass/checks/device_memory.hpp"

#include <cstring>

#include "tests/sass/errors.hpp"

namespace furrow::sass {
namespace {

constexpr std::uint8_t kGarbage = 0xA5;
/// So far apart that no access that misses one allocation hits another.
constexpr std::uint64_t kGap = std::uint64_t{1} << 32;

}  // namespace

std::uint64_t DeviceMemory::allocate(std::size_t size) {
  const std::uint64_t address = next_;
  next_ += (size / kGap + 2) * kGap;
  auto made = std::make_unique<Allocation>();
  made->address = address;
  made->bytes.assign(size, kGarbage);
  made->written.assign(size, 0);
  allocations_[address] = std::move(made);
  used_bytes_ += size;
  return address;
}

void DeviceMemory::free(std::uint64_t address) {
  const auto found = allocations_.find(address);
  if (found == allocations_.end()) {
    throw BadLaunch("free: expected the address of an allocation, actual " +
                    std::to_string(address));
  }
  used_bytes_ -= found->second->bytes.size();
  last_ = nullptr;
  allocations_.erase(found);
}

DeviceMemory::Allocation* DeviceMemory::look_up(std::uint64_t address) {
  auto after = allocations_.upper_bound(address);
  if (after == allocations_.begin()) {
    return nullptr;
  }
  Allocation* const found = std::prev(after)->second.get();
  if (!found->contains(address, 1)) {
    return nullptr;
  }
  last_ = found;
  return found;
}

DeviceMemory::Allocation& DeviceMemory::checked(std::uint64_t address, std::size_t size) {
  Allocation* const found = find(address);
  if (found == nullptr || !found->contains(address, size)) {
    throw BadLaunch("a copy: expected " + std::to_string(size) + " bytes of one allocation at " +
                    std::to_string(address));
  }
  return *found;
}

const std::uint8_t* DeviceMemory::to_read(std::uint64_t address, std::size_t size) {
  Allocation& allocation = checked(address, size);
  return allocation.bytes.data() + (address - allocation.address);
}

std::uint8_t* DeviceMemory::to_write(std::uint64_t address, std::size_t size) {
  Allocation& allocation = checked(address, size);
  std::memset(allocation.written.data() + (address - allocation.address), 1, size);
  return allocation.bytes.data() + (address - allocation.address);
}

}  // namespace furrow::sass
