// SPDX-License-Identifier: Apache-2.0
#include "cuda/runtime/check.hpp"
#include "cuda/runtime/staging_memory.hpp"

namespace furrow::cuda {

StagingMemory::StagingMemory(std::size_t n_bytes) {
  try {
    pinned_.emplace(n_bytes);
    bytes_ = {static_cast<std::byte*>(pinned_->data()), n_bytes};
  } catch (const CudaError& error) {
    if (error.error_class() == ErrorClass::kDeviceLost) {
      throw;
    }
    problem_ = error.what();
    ordinary_ = std::make_unique_for_overwrite<std::byte[]>(n_bytes);
    bytes_ = {ordinary_.get(), n_bytes};
  }
}

}  // namespace furrow::cuda
