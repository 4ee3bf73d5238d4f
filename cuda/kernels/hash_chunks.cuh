// SPDX-License-Identifier: Apache-2.0
// Chaining values of the 1 KiB chunks of many inputs of one length
// (docs/spec/01-primitives.md, section 5).
//
// One thread = one chunk: thread c of input i, threads of an input side by side, inputs one after
// the other. The lanes of a warp read 1 KiB apart, 64 bytes each at a time; whole sectors are used
// and what a lane leaves of a cache line is what it asks for next. Memory is not the limit: a chunk
// costs about 10,000 operations.
//
//   input  | chunk 0 | chunk 1 | ... | last chunk |   1 to 1024 bytes, 0 when the input is empty
//   out    |  32 B   |  32 B   | ... |    32 B    |
//
// An input of one chunk is done: its value is the hash.
#pragma once

#include "furrow/core/blake3.hpp"

#include "cuda/simt.cuh"

namespace furrow::cuda {

struct HashShape {
  static constexpr unsigned kThreads = 128;
};

/// What a tree starts from: the initial chaining value, and the flags of all its nodes.
struct HashMode {
  std::uint32_t key[8];
  std::uint32_t flags;
};

struct HashChunksView {
  const std::uint8_t* inputs;
  std::uint64_t n_inputs;
  std::uint64_t length;    // bytes of each input
  std::uint64_t stride;    // bytes from one input to the next
  std::uint64_t n_chunks;  // of each input, at least 1
  std::uint32_t* out;      // [n_inputs][n_chunks][8]
  HashMode mode;
};

/// A whole block of 64 bytes. `Word` is the widest type that every input is aligned for.
template <class Word>
__device__ inline void load_whole_block(const std::uint8_t* bytes, std::uint32_t (&message)[16]) {
  if constexpr (sizeof(Word) == sizeof(uint4)) {
    const auto* const quads = reinterpret_cast<const uint4*>(bytes);
#pragma unroll
    for (unsigned i = 0; i < 4; ++i) {
      const uint4 quad = quads[i];
      message[4 * i] = quad.x;
      message[4 * i + 1] = quad.y;
      message[4 * i + 2] = quad.z;
      message[4 * i + 3] = quad.w;
    }
  } else if constexpr (sizeof(Word) == sizeof(std::uint32_t)) {
    const auto* const words = reinterpret_cast<const std::uint32_t*>(bytes);
#pragma unroll
    for (unsigned i = 0; i < 16; ++i) {
      message[i] = words[i];
    }
  } else {
#pragma unroll
    for (unsigned i = 0; i < 16; ++i) {
      message[i] = core::load_le32(bytes + 4 * i);
    }
  }
}

/// The first `n_bytes` (less than 64) of a block, zeros after them. Reads nothing beyond.
__device__ inline void load_part_of_block(const std::uint8_t* bytes, std::uint32_t n_bytes,
                                          std::uint32_t (&message)[16]) {
#pragma unroll
  for (unsigned i = 0; i < 16; ++i) {
    message[i] = 0;
#pragma unroll
    for (unsigned b = 0; b < 4; ++b) {
      if (4 * i + b < n_bytes) {
        message[i] |= static_cast<std::uint32_t>(bytes[4 * i + b]) << (8 * b);
      }
    }
  }
}

/// Any launch shape will do.
template <class Word, class Shape = HashShape>
__global__ void __launch_bounds__(Shape::kThreads) hash_chunks(HashChunksView view) {
  THREADS_AT_MOST(Shape::kThreads);
  namespace b3 = core::blake3;
  const std::uint64_t n_threads = view.n_inputs * view.n_chunks;
  for (std::uint64_t thread = std::uint64_t{blockIdx.x} * blockDim.x + threadIdx.x;
       thread < n_threads; thread += std::uint64_t{gridDim.x} * blockDim.x) {
    const std::uint64_t input = thread / view.n_chunks;
    const std::uint64_t chunk = thread % view.n_chunks;
    const std::uint8_t* block = view.inputs + input * view.stride + chunk * b3::kChunkSize;
    const std::uint64_t rest = view.length - chunk * b3::kChunkSize;
    std::uint32_t n_bytes =
        static_cast<std::uint32_t>(rest < b3::kChunkSize ? rest : b3::kChunkSize);
    std::uint32_t flags = view.mode.flags | b3::kChunkStart;
    std::uint32_t value[8];
#pragma unroll
    for (unsigned i = 0; i < 8; ++i) {
      value[i] = view.mode.key[i];
    }
    for (bool is_last = false; !is_last;) {
      is_last = n_bytes <= b3::kBlockSize;
      const std::uint32_t in_block = is_last ? n_bytes : static_cast<std::uint32_t>(b3::kBlockSize);
      std::uint32_t message[16];
      if (in_block == b3::kBlockSize) {
        load_whole_block<Word>(block, message);
      } else {
        load_part_of_block(block, in_block, message);
      }
      if (is_last) {
        flags |= b3::kChunkEnd | (view.n_chunks == 1 ? b3::kRoot : 0);
      }
      std::uint32_t out[16];
      b3::compress(value, message, chunk, in_block, flags, out);
#pragma unroll
      for (unsigned i = 0; i < 8; ++i) {
        value[i] = out[i];
      }
      flags = view.mode.flags;
      n_bytes -= in_block;
      block += b3::kBlockSize;
    }
    std::uint32_t* const place = view.out + 8 * thread;
#pragma unroll
    for (unsigned i = 0; i < 8; ++i) {
      place[i] = value[i];
    }
  }
}

}  // namespace furrow::cuda
