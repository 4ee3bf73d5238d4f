// SPDX-License-Identifier: Apache-2.0
// The planted bugs that only a sanitizer finds.
#include "cuda/simt.cuh"
#include "simt/grid.hpp"
#include "simt/test/planted_bugs.hpp"

namespace furrow::simt::planted {

// --- Found by ThreadSanitizer ---

void race_missing_barrier() {
  const DeviceWords out(kThreads);
  run_grid({.grid = 1, .block = kThreads}, [d_out = out.get()] {
    SHARED(Words, words);
    words[threadIdx.x] = threadIdx.x;  // BUG race_missing_barrier
    if (threadIdx.x > 0) {
      d_out[threadIdx.x] = words[threadIdx.x - 1];
    }
  });
}

void race_before_overwriting() {
  const DeviceWords out(kThreads);
  run_grid({.grid = 1, .block = kThreads}, [d_out = out.get()] {
    SHARED(unsigned, turn);
    for (unsigned i = 0; i < 3; ++i) {
      if (threadIdx.x == kThreads - 1) {
        turn = i;  // BUG race_before_overwriting
      }
      __syncthreads();
      d_out[threadIdx.x] += turn;
      // The barrier that belongs here is missing; the last thread overwrites it last as it happens.
    }
  });
}

void race_missing_syncwarp() {
  const DeviceWords out(32);
  run_grid({.grid = 1, .block = 32}, [d_out = out.get()] {
    SHARED(Words, words);
    words[threadIdx.x] = threadIdx.x;  // BUG race_missing_syncwarp
    d_out[threadIdx.x] = words[threadIdx.x & 16U];
  });
}

void race_ballot_is_no_barrier() {
  const DeviceWords out(32);
  run_grid({.grid = 1, .block = 32}, [d_out = out.get()] {
    SHARED(Words, words);
    words[threadIdx.x] = threadIdx.x;  // BUG race_ballot_is_no_barrier
    d_out[threadIdx.x] = __ballot_sync(kFull, 1) + words[31 - threadIdx.x];
  });
}

void race_between_blocks() {
  const DeviceWords out(4);
  run_grid({.grid = 4, .block = 1}, [d_out = out.get()] {
    d_out[0] = 7;  // BUG race_between_blocks
  });
}

void race_plain_increment() {
  const DeviceWords out(1);
  run_grid({.grid = 1, .block = kThreads}, [d_out = out.get()] {
    ++*d_out;  // BUG race_plain_increment
  });
}

void race_plain_read_of_atomic() {
  const DeviceWords out(2);
  run_grid({.grid = 1, .block = kThreads}, [d_out = out.get()] {
    if (threadIdx.x == kThreads - 1) {
      d_out[1] = d_out[0];  // BUG race_plain_read_of_atomic
    } else {
      atomicAdd(d_out, 1U);
    }
  });
}

void race_syncwarp_of_another_warp() {
  const DeviceWords out(64);
  run_grid({.grid = 1, .block = 64}, [d_out = out.get()] {
    SHARED(Words, words);
    words[threadIdx.x] = threadIdx.x;  // BUG race_syncwarp_of_another_warp
    __syncwarp();
    d_out[threadIdx.x] = words[threadIdx.x % 32];
  });
}

void race_barrier_between_blocks() {
  const DeviceWords out(64);
  run_grid({.grid = 2, .block = 32}, [d_out = out.get()] {
    __syncthreads();
    d_out[threadIdx.x] = threadIdx.x;  // BUG race_barrier_between_blocks
    __syncthreads();
  });
}

namespace {

void set_one(unsigned* d_word) {
  *d_word = 1;  // BUG race_of_streams
}

}  // namespace

void race_missing_stream_synchronize() {
  cudaStream_t stream = nullptr;
  cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking);
  unsigned* pinned = nullptr;
  cudaHostAlloc(&pinned, sizeof(unsigned), cudaHostAllocDefault);
  static_cast<void>(cuda::launch_with(set_one, {1, 1}, stream, pinned));
  *pinned = 2;  // BUG race_missing_stream_synchronize
  cudaStreamSynchronize(stream);
  cudaFreeHost(pinned);
  cudaStreamDestroy(stream);
}

void race_missing_event_wait() {
  cudaStream_t streams[2] = {};
  for (cudaStream_t& stream : streams) {
    cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking);
  }
  const DeviceWords out(1);
  static_cast<void>(cuda::launch_with(set_one, {1, 1}, streams[0], out.get()));
  static_cast<void>(cuda::launch_with(set_one, {1, 1}, streams[1], out.get()));
  for (cudaStream_t stream : streams) {
    cudaStreamSynchronize(stream);
    cudaStreamDestroy(stream);
  }
}

// --- Found by AddressSanitizer ---

void read_past_static_object() {
  const DeviceWords out(kThreads);
  run_grid({.grid = 1, .block = kThreads}, [d_out = out.get()] {
    SHARED(Words, words);
    words[threadIdx.x] = 1;
    __syncthreads();
    const unsigned* from = words;
    d_out[threadIdx.x] = from[threadIdx.x + gridDim.x];  // BUG read_past_static_object
  });
}

void read_past_dynamic_memory() {
  const DeviceWords out(kThreads);
  run_grid({.grid = 1, .block = kThreads, .dynamic_shared = kThreads * 4}, [d_out = out.get()] {
    DYNAMIC_SHARED(unsigned, words);
    words[threadIdx.x] = 1;
    __syncthreads();
    d_out[threadIdx.x] = words[threadIdx.x + gridDim.x];  // BUG read_past_dynamic_memory
  });
}

void read_past_device_memory() {
  const DeviceWords out(kThreads);
  run_grid({.grid = 1, .block = kThreads}, [d_out = out.get()] {
    if (d_out[threadIdx.x + gridDim.x] == 3) {  // BUG read_past_device_memory
      d_out[threadIdx.x] = 1;
    }
  });
}

void write_to_freed_device_memory() {
  unsigned* d_word = nullptr;
  cudaMalloc(&d_word, sizeof(unsigned));
  cudaFree(d_word);
  run_grid({.grid = 1, .block = 1}, [d_word] {
    *d_word = 1;  // BUG write_to_freed_device_memory
  });
}

}  // namespace furrow::simt::planted
