// SPDX-License-Identifier: Apache-2.0
// BLAKE3 of many inputs in device memory (docs/spec/01-primitives.md, section 5).
#pragma once

#include <cstddef>
#include <cstdint>

#include "furrow/types.hpp"

#include "cuda/runtime/stream.hpp"

namespace furrow::cuda {

/// Inputs of one length, and where their hashes go. Nothing overlaps the hashes; inputs may overlap
/// each other.
struct HashBatch {
  std::size_t n_inputs;
  const std::uint8_t* d_inputs;  // input i at d_inputs + i * stride, any alignment (16 is fastest)
  std::uint64_t length;          // bytes of each, 0 and more than 4 GiB included
  std::uint64_t stride;          // bytes from one input to the next
  std::uint8_t* d_hashes;        // [n_inputs][32], aligned to 4 bytes
};

/// Device memory that hash_many needs beside inputs and hashes: 32 bytes for each 1 KiB chunk, none
/// for inputs of one chunk. Throws InvalidArgument when that exceeds 64 bits.
[[nodiscard]] std::size_t hash_scratch_bytes(std::size_t n_inputs, std::uint64_t length);

/// Enqueues plain hashing. `d_scratch` has hash_scratch_bytes and is aligned to 16 bytes; it
/// belongs to this call until the stream is past it. Throws InvalidArgument for a wrong alignment,
/// CudaError when a launch fails.
void hash_many(StreamView stream, const HashBatch& batch, void* d_scratch);
/// Keyed form.
void hash_many_keyed(StreamView stream, const Hash& key, const HashBatch& batch, void* d_scratch);

}  // namespace furrow::cuda
