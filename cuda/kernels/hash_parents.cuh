// SPDX-License-Identifier: Apache-2.0
// One level of the trees of many inputs (docs/spec/01-primitives.md, section 5).
//
// One thread = one parent. Level l has a node at every 2^l-th place; a parent takes the place of
// its left child, which no other thread touches, and a last node without a sibling is its own
// parent and stays where it is. That gives BLAKE3's tree, whose left subtrees are as large as
// possible:
//
//   places     0   1   2   3   4
//   level 0    a   b   c   d   e      chaining values of the chunks
//   level 1    ab  .   cd  .   e
//   level 2    abcd .  .   .   e
//   root, written to the hashes: abcde
#pragma once

#include "cuda/kernels/hash_chunks.cuh"

namespace furrow::cuda {

struct HashParentsView {
  std::uint32_t* values;  // [n_inputs][n_chunks][8], aligned to 16 bytes
  std::uint64_t n_inputs;
  std::uint64_t n_chunks;
  unsigned level;         // of the children
  std::uint32_t* hashes;  // [n_inputs][8], written when the parent is the root
  HashMode mode;
};

/// Nodes of a level in the tree over `n_chunks` chunks.
FURROW_HD constexpr std::uint64_t nodes_of_level(std::uint64_t n_chunks, unsigned level) {
  return (n_chunks + (std::uint64_t{1} << level) - 1) >> level;
}

/// Any launch shape will do.
template <class Shape = HashShape>
__global__ void __launch_bounds__(Shape::kThreads) hash_parents(HashParentsView view) {
  THREADS_AT_MOST(Shape::kThreads);
  namespace b3 = core::blake3;
  const std::uint64_t n_nodes = nodes_of_level(view.n_chunks, view.level);
  const std::uint64_t n_parents = n_nodes / 2;
  const bool is_root = n_nodes == 2;
  const std::uint64_t n_threads = view.n_inputs * n_parents;
  for (std::uint64_t thread = std::uint64_t{blockIdx.x} * blockDim.x + threadIdx.x;
       thread < n_threads; thread += std::uint64_t{gridDim.x} * blockDim.x) {
    const std::uint64_t input = thread / n_parents;
    const std::uint64_t parent = thread % n_parents;
    const std::uint64_t first = input * view.n_chunks + ((2 * parent) << view.level);
    std::uint32_t* const left = view.values + 8 * first;
    const std::uint32_t* const right = left + (std::uint64_t{8} << view.level);
    std::uint32_t message[16];
#pragma unroll
    for (unsigned i = 0; i < 8; ++i) {
      message[i] = left[i];
      message[8 + i] = right[i];
    }
    std::uint32_t out[16];
    b3::compress(view.mode.key, message, 0, b3::kBlockSize,
                 view.mode.flags | b3::kParent | (is_root ? b3::kRoot : 0), out);
    std::uint32_t* const place = is_root ? view.hashes + 8 * input : left;
#pragma unroll
    for (unsigned i = 0; i < 8; ++i) {
      place[i] = out[i];
    }
  }
}

}  // namespace furrow::cuda
