// SPDX-License-Identifier: Apache-2.0
// One BLAKE3 compression and next to nothing else, so that bench/model.py knows what it takes.
// kWords words of the message are not zero: 6 for the 24 bytes of the longest table function of the
// proof of space, of whose hash four words are used; 16 for a node of a tree.
#include "furrow/core/blake3.hpp"

namespace furrow {

template <unsigned kWords>
__global__ void probe_compression(std::uint32_t* values) {
  std::uint32_t message[16] = {};
#pragma unroll
  for (unsigned i = 0; i < kWords; ++i) {
    message[i] = values[i * blockDim.x + threadIdx.x];
  }
  std::uint32_t hash[8];
  core::blake3::hash_single_block(message, 4 * kWords, hash);
#pragma unroll
  for (unsigned i = 0; i < (kWords == 16 ? 8 : 4); ++i) {
    values[i * blockDim.x + threadIdx.x] = hash[i];
  }
}

template __global__ void probe_compression<6>(std::uint32_t*);
template __global__ void probe_compression<16>(std::uint32_t*);

}  // namespace furrow
