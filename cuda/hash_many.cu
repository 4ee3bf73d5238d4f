// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <limits>
#include <string>

#include "furrow/errors.hpp"

#include "cuda/hash_many.hpp"
#include "cuda/kernels/hash_parents.cuh"

namespace furrow::cuda {
namespace {

namespace b3 = core::blake3;

std::uint64_t chunks_of(std::uint64_t length) {
  return length == 0 ? 1 : (length - 1) / b3::kChunkSize + 1;
}

/// One thread each, as far as a grid goes; the kernels stride over what is left.
LaunchShape shape_for(std::uint64_t n_threads) {
  constexpr std::uint64_t kMaxGridX = std::numeric_limits<std::int32_t>::max();
  const std::uint64_t n_blocks = (n_threads + HashShape::kThreads - 1) / HashShape::kThreads;
  return {.grid = dim3(static_cast<unsigned>(std::min(n_blocks, kMaxGridX))),
          .block = dim3(HashShape::kThreads)};
}

bool is_aligned(const void* address, std::size_t alignment) {
  return reinterpret_cast<std::uintptr_t>(address) % alignment == 0;
}

using ChunksKernel = void (*)(HashChunksView);

ChunksKernel chunks_kernel(const HashBatch& batch) {
  const auto fits = [&](std::size_t alignment) {
    return is_aligned(batch.d_inputs, alignment) &&
           (batch.n_inputs == 1 || batch.stride % alignment == 0);
  };
  if (fits(sizeof(uint4))) {
    return hash_chunks<uint4>;
  }
  return fits(sizeof(std::uint32_t)) ? hash_chunks<std::uint32_t> : hash_chunks<std::uint8_t>;
}

void check_alignment(const char* what, const void* address, std::size_t alignment) {
  if (!is_aligned(address, alignment)) {
    throw InvalidArgument("hashing on the device: expected " + std::string(what) + " aligned to " +
                          std::to_string(alignment) + " bytes, actual address " +
                          std::to_string(reinterpret_cast<std::uintptr_t>(address)));
  }
}

void enqueue(StreamView stream, const HashMode& mode, const HashBatch& batch, void* d_scratch) {
  if (batch.n_inputs == 0) {
    return;
  }
  check_alignment("hashes", batch.d_hashes, sizeof(std::uint32_t));
  check_alignment("working memory", d_scratch, sizeof(uint4));
  const std::uint64_t n_chunks = chunks_of(batch.length);
  auto* const hashes = reinterpret_cast<std::uint32_t*>(batch.d_hashes);
  auto* const values = n_chunks == 1 ? hashes : static_cast<std::uint32_t*>(d_scratch);
  launch(chunks_kernel(batch), shape_for(batch.n_inputs * n_chunks), stream.get(),
         HashChunksView{.inputs = batch.d_inputs,
                        .n_inputs = batch.n_inputs,
                        .length = batch.length,
                        .stride = batch.stride,
                        .n_chunks = n_chunks,
                        .out = values,
                        .mode = mode});
  for (unsigned level = 0; nodes_of_level(n_chunks, level) > 1; ++level) {
    launch(hash_parents<>, shape_for(batch.n_inputs * (nodes_of_level(n_chunks, level) / 2)),
           stream.get(),
           HashParentsView{.values = values,
                           .n_inputs = batch.n_inputs,
                           .n_chunks = n_chunks,
                           .level = level,
                           .hashes = hashes,
                           .mode = mode});
  }
}

}  // namespace

std::size_t hash_scratch_bytes(std::size_t n_inputs, std::uint64_t length) {
  const std::uint64_t n_chunks = chunks_of(length);
  if (n_chunks == 1) {
    return 0;
  }
  if (n_inputs > std::numeric_limits<std::size_t>::max() / kHashSize / n_chunks) {
    throw InvalidArgument("hashing on the device: " + std::to_string(n_inputs) + " inputs of " +
                          std::to_string(length) + " bytes are beyond any memory");
  }
  return n_inputs * n_chunks * kHashSize;
}

void hash_many(StreamView stream, const HashBatch& batch, void* d_scratch) {
  HashMode mode{};
  std::copy_n(b3::kIv, 8, mode.key);
  enqueue(stream, mode, batch, d_scratch);
}

void hash_many_keyed(StreamView stream, const Hash& key, const HashBatch& batch, void* d_scratch) {
  HashMode mode{};
  mode.flags = b3::kKeyedHash;
  for (std::size_t i = 0; i < 8; ++i) {
    mode.key[i] = core::load_le32(key.data() + 4 * i);
  }
  enqueue(stream, mode, batch, d_scratch);
}

}  // namespace furrow::cuda
