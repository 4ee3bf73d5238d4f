// SPDX-License-Identifier: Apache-2.0
#include "simt/shared_memory.hpp"

#include <algorithm>
#include <cstring>

#include "simt/errors.hpp"
#include "simt/sanitizers.hpp"

namespace furrow::simt {
namespace {

constexpr std::size_t kGuardBytes = 256;
constexpr std::size_t kArenaBytes = 2 * SharedMemory::kMaxBytes;
constexpr std::byte kUnset{0xA5};
constexpr std::byte kGuard{0xE7};
// CUDA promises no more for dynamic shared memory.
constexpr std::size_t kDynamicAlignment = 16;

std::size_t round_up(std::size_t n, std::size_t multiple) {
  return (n + multiple - 1) / multiple * multiple;
}

// Plain loops: the library's functions are watched by ThreadSanitizer, which would see every lane's
// accesses race with the harness's.
void fill(std::byte* bytes, std::size_t n_bytes, std::byte value) {
  volatile std::byte* at = bytes;
  if constexpr (kThreadSanitizer) {
    for (std::size_t i = 0; i < n_bytes; ++i) {
      at[i] = value;
    }
  } else {
    std::memset(bytes, static_cast<int>(value), n_bytes);
  }
}

}  // namespace

SharedMemory::SharedMemory() : pages_(kArenaBytes), arena_(pages_.base()) {
  objects_.reserve(16);
}

SharedMemory::~SharedMemory() {
  unpoison(arena_, kArenaBytes);
}

void SharedMemory::begin_block(std::size_t n_dynamic) {
  forget_accesses(arena_, round_up(n_used_, kPageBytes));
  objects_.clear();
  n_static_ = 0;
  n_used_ = 0;
  poison(arena_, kArenaBytes);
  place(0, kGuardBytes);
  dynamic_ = place(n_dynamic, kDynamicAlignment);
  n_dynamic_ = n_dynamic;
}

std::byte* SharedMemory::place(std::size_t n_bytes, std::size_t alignment) {
  std::byte* bytes = arena_ + round_up(n_used_, alignment);
  std::byte* end = bytes + n_bytes;
  unpoison(bytes, n_bytes);
  fill(bytes, n_bytes, kUnset);
  if constexpr (!kAddressSanitizer) {
    fill(arena_ + n_used_, static_cast<std::size_t>(bytes - (arena_ + n_used_)), kGuard);
    fill(end, kGuardBytes, kGuard);
  }
  n_used_ = static_cast<std::size_t>(end - arena_) + kGuardBytes;
  return bytes;
}

void* SharedMemory::add(const SharedTag& tag, std::size_t n_bytes, std::size_t alignment,
                        std::source_location where) {
  const std::size_t offset = round_up(n_static_, alignment);
  if (offset + n_bytes + n_dynamic_ > kMaxBytes) {
    return nullptr;
  }
  n_static_ = offset + n_bytes;
  // AddressSanitizer poisons from multiples of eight on only.
  std::byte* bytes = place(n_bytes, std::max<std::size_t>(alignment, 8));
  objects_.push_back({&tag, bytes, n_bytes, where});
  return bytes;
}

std::string SharedMemory::describe(const Object& object) const {
  if (object.tag == nullptr) {
    return "dynamic shared memory (" + std::to_string(object.n_bytes) + " bytes)";
  }
  return "shared object \"" + std::string(object.tag->name) + "\" (" +
         std::to_string(object.n_bytes) + " bytes, declared at " + text(object.where) + ")";
}

std::string SharedMemory::broken_guard() const {
  if constexpr (kAddressSanitizer) {
    return {};
  }
  const Object dynamic{nullptr, dynamic_, n_dynamic_, {}};
  const Object* before = nullptr;
  const std::byte* guard = arena_;
  for (std::size_t i = 0; i <= objects_.size() + 1; ++i) {
    const Object* after = i == 0 ? &dynamic : i <= objects_.size() ? &objects_[i - 1] : nullptr;
    if (after == &dynamic && n_dynamic_ == 0) {
      continue;
    }
    const std::byte* end = after != nullptr ? after->bytes : arena_ + n_used_;
    const std::byte* broken = std::find_if(guard, end, [](std::byte b) { return b != kGuard; });
    if (broken != end) {
      // The nearer object is the likelier one.
      return before != nullptr && (after == nullptr || broken - guard < end - broken)
                 ? "byte " + std::to_string(broken - before->bytes) + " of " + describe(*before)
                 : "byte " + std::to_string(end - broken) + " before " + describe(*after);
    }
    before = after;
    guard = after != nullptr ? end + after->n_bytes : end;
  }
  return {};
}

}  // namespace furrow::simt
