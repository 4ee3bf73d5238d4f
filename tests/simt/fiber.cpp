// SPDX-License-Identifier: Apache-2.0
#include "simt/fiber.hpp"

#include "simt/sanitizers.hpp"

namespace furrow::simt {
namespace {

#if defined(__SANITIZE_ADDRESS__)
constexpr std::size_t kStackBytes = 512 * 1024;
#else
constexpr std::size_t kStackBytes = 128 * 1024;
#endif
// As many colours as a cache of 64 sets of 64-byte lines tells apart by 128 bytes.
constexpr std::size_t kColours = 32;
constexpr std::size_t kColourBytes = 128;

}  // namespace

FiberStack::FiberStack(std::size_t colour)
    : pages_(kStackBytes), n_bytes_(kStackBytes - colour % kColours * kColourBytes) {}

void FiberStack::forget_frames() {
  unpoison(pages_.base(), pages_.n_bytes());
  forget_accesses(pages_.base(), pages_.n_bytes());
}

}  // namespace furrow::simt
