#include <limits>
#include <memory>
#include <utility>

#include <unistd.h>

#include "furrow/cuda.hpp"

#include "cuda/runtime/check.hpp"
#include "cuda/runtime/pinned_buffer.hpp"

namespace furrow::cuda {
namespace {

std::size_t free_host_bytes() {
  const long pages = sysconf(_SC_AVPHYS_PAGES);
  const long page_size = sysconf(_SC_PAGESIZE);
  return pages < 0 || page_size < 0
             ? 0
             : static_cast<std::size_t>(pages) * static_cast<std::size_t>(page_size);
}

}  // namespace

PinnedMemory::PinnedMemory(std::size_t n_bytes) : n_bytes_(n_bytes) {
  if (n_bytes == 0) {
    return;
  }
  const cudaError_t status = cudaHostAlloc(&data_, n_bytes, cudaHostAllocPortable);
  if (status == cudaErrorMemoryAllocation) {
    static_cast<void>(cudaGetLastError());
    throw CudaOutOfMemory("cudaHostAlloc", std::source_location::current(), "pinned host memory",
                          n_bytes, free_host_bytes());
  }
  check(status, "cudaHostAlloc");
}

PinnedMemory::PinnedMemory(PinnedMemory&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), n_bytes_(std::exchange(other.n_bytes_, 0)) {}

PinnedMemory& PinnedMemory::operator=(PinnedMemory&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(n_bytes_, other.n_bytes_);
  return *this;
}

PinnedMemory::~PinnedMemory() {
  if (data_ != nullptr) {
    log_unless_success(cudaFreeHost(data_), "cudaFreeHost");
  }
}

}  // namespace furrow::cuda

namespace furrow {

std::shared_ptr<std::uint8_t> make_pinned_block(std::size_t n_bytes) {
  // CUDA promises no more than 256 bytes of alignment, so the block starts at the first page in it.
  // A sum that does not fit asks for more than any machine has.
  const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  constexpr std::size_t kMost = std::numeric_limits<std::size_t>::max();
  const auto memory =
      std::make_shared<cuda::PinnedMemory>(n_bytes > kMost - page ? kMost : n_bytes + page);
  const auto start = reinterpret_cast<std::uintptr_t>(memory->data());
  auto* const block = static_cast<std::uint8_t*>(memory->data()) + (page - start % page) % page;
  return {memory, block};
}

}  // namespace furrow
