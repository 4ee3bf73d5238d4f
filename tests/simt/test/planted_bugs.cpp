// SPDX-License-Identifier: Apache-2.0
#include "simt/test/planted_bugs.hpp"

#include <array>
#include <numeric>

#include "cuda/simt.cuh"
#include "simt/grid.hpp"

namespace furrow::simt::planted {
namespace {

unsigned n_wrong(const std::vector<unsigned>& actual, const std::vector<unsigned>& expected) {
  unsigned n = 0;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    n += actual[i] != expected[i] ? 1 : 0;
  }
  return n;
}

std::vector<unsigned> counting(std::size_t n) {
  std::vector<unsigned> numbers(n);
  std::iota(numbers.begin(), numbers.end(), 0U);
  return numbers;
}

}  // namespace

// --- Launches ---

void too_many_threads() {
  run_grid({.grid = 1, .block = kThreads}, [] {
    THREADS_AT_MOST(kThreads - 1);  // BUG too_many_threads
  });
}

// --- What a program does not survive ---

void write_through_wild_pointer() {
  const volatile std::uintptr_t address = 64;  // which the compiler shall not know
  run_grid({.grid = 3, .block = kThreads}, [&] {
    __syncthreads();
    if (blockIdx.x == 2 && threadIdx.x == 70) {
      *reinterpret_cast<volatile unsigned*>(std::uintptr_t{address}) = 1;
    }
  });
}

void read_past_allocation() {
  unsigned* d_words = nullptr;
  static_cast<void>(cudaMalloc(&d_words, 64 * sizeof(unsigned)));
  run_grid({.grid = 1, .block = 64}, [d_words] {
    static_cast<void>(const_cast<const volatile unsigned*>(d_words)[threadIdx.x + 1]);
  });
}

void loop_for_ever() {
  run_grid({.grid = 2, .block = kThreads}, [] {
    const volatile bool is_set = false;
    while (blockIdx.x == 1 && threadIdx.x == 5 && !is_set) {
    }
  });
}

// --- Barriers ---

void divergent_barrier() {
  run_grid({.grid = 1, .block = kThreads}, [] {
    // NOLINTNEXTLINE(bugprone-branch-clone): that they are two is the bug
    if (threadIdx.x < 32) {
      __syncthreads();  // BUG divergent_barrier_ascending
    } else {
      __syncthreads();  // BUG divergent_barrier
    }
  });
}

void barrier_against_warp() {
  run_grid({.grid = 1, .block = kThreads}, [] {
    if (threadIdx.x % 32 < 16) {
      __syncthreads();  // BUG barrier_against_warp
    } else {
      __syncwarp(kFull);
    }
  });
}

void exit_before_barrier() {
  run_grid({.grid = 1, .block = kThreads}, [] {
    if (threadIdx.x == 5) {
      return;
    }
    __syncthreads();  // BUG exit_before_barrier
  });
}

void exit_while_others_wait() {
  run_grid({.grid = {1, 2}, .block = {8, 4, 3}}, [] {
    if (blockIdx.y == 1 && threadIdx.z == 2 && threadIdx.y == 3 && threadIdx.x == 7) {
      return;
    }
    __syncthreads();  // BUG exit_while_others_wait
  });
}

// --- Warps ---

void caller_not_in_mask() {
  run_grid({.grid = 1, .block = 32}, [] {
    __ballot_sync(kFull - 8, 1);  // BUG caller_not_in_mask
  });
}

void ended_lane_in_mask() {
  run_grid({.grid = 1, .block = kThreads}, [] {
    if (threadIdx.x != 40) {
      __any_sync(kFull, 1);  // BUG ended_lane_in_mask
    }
  });
}

void shuffle_from_outside() {
  run_grid({.grid = 1, .block = 32}, [] {
    if (threadIdx.x < 16) {
      __shfl_down_sync(0xFFFF, threadIdx.x, 1);  // BUG shuffle_from_outside
    }
  });
}

void divergent_collectives() {
  run_grid({.grid = 1, .block = 32}, [] {
    if (threadIdx.x % 2 == 0) {
      __ballot_sync(kFull, 1);  // BUG divergent_collectives
    } else {
      __ballot_sync(kFull, 0);
    }
  });
}

void different_masks() {
  run_grid({.grid = 1, .block = 32}, [] {
    __syncwarp(threadIdx.x < 16 ? kFull : 0xFFFF8000);  // BUG different_masks
  });
}

void bad_width() {
  run_grid({.grid = 1, .block = 32}, [] {
    __shfl_xor_sync(kFull, 1, 1, 3);  // BUG bad_width
  });
}

// --- Shared memory ---

// The index is not known when the kernel is compiled, nor is the compiler to look through it.
static void write_at(unsigned* words, long index) {
  volatile long hidden = index;
  words[hidden] = 1;  // BUG overrun
}

void static_overrun() {
  run_grid({.grid = 1, .block = kThreads}, [] {
    SHARED(Words, words);  // BUG static_overrun
    __syncthreads();
    write_at(words, threadIdx.x + 1L);
    __syncthreads();
  });
}

void static_underrun() {
  run_grid({.grid = 1, .block = kThreads}, [] {
    SHARED(Words, words);
    write_at(words, threadIdx.x - 1L);
  });
}

void dynamic_overrun() {
  run_grid({.grid = 1, .block = kThreads, .dynamic_shared = kThreads * 4 - 4}, [] {
    DYNAMIC_SHARED(unsigned, words);
    write_at(words, threadIdx.x);
  });
}

void overrun_by_two_objects() {
  run_grid({.grid = 1, .block = 1}, [] {
    SHARED(Words, first);
    SHARED(Words, second);  // BUG overrun_by_two_objects
    write_at(first, 0);
    write_at(second, kThreads + 3);
  });
}

void too_much_static_shared() {
  struct Huge {
    unsigned words[12 * 1024 + 1];
  };
  run_grid({.grid = 1, .block = 32}, [] {
    SHARED(Huge, huge);  // BUG too_much_static_shared
    huge.words[threadIdx.x] = 1;
  });
}

// --- Addresses, loops, traps ---

void misaligned_atomic() {
  std::array<unsigned char, 16> bytes{};
  run_grid({.grid = 1, .block = 1}, [&] {
    atomicAdd(reinterpret_cast<unsigned*>(bytes.data() + 1), 1U);  // BUG misaligned_atomic
  });
}

void null_atomic() {
  run_grid({.grid = 1, .block = 1}, [] {
    unsigned* nowhere = nullptr;
    atomicMax(nowhere, 1U);  // BUG null_atomic
  });
}

void spin_for_ever() {
  const DeviceWords flag(1);
  run_grid({.grid = 1, .block = 2}, [d_flag = flag.get()] {
    while (atomicAdd(d_flag, 0U) == 0) {  // BUG spin_for_ever
    }
  });
}

void trap() {
  run_grid({.grid = 1, .block = kThreads}, [] {
    if (threadIdx.x == 70) {
      __trap();  // BUG trap
    }
  });
}

// --- Found by a schedule ---

unsigned missing_barrier() {
  const DeviceWords out(kThreads);
  run_grid({.grid = 1, .block = kThreads}, [d_out = out.get()] {
    SHARED(Words, words);
    words[threadIdx.x] = threadIdx.x;
    // The barrier that belongs here is missing.
    d_out[threadIdx.x] = words[threadIdx.x == 0 ? 0 : threadIdx.x - 1] + 1;
  });
  std::vector<unsigned> expected = counting(kThreads);
  expected[0] = 1;
  return n_wrong(out.on_host(), expected);
}

unsigned missing_syncwarp() {
  const DeviceWords out(32);
  run_grid({.grid = 1, .block = 32}, [d_out = out.get()] {
    SHARED(Words, words);
    words[threadIdx.x] = threadIdx.x;
    d_out[threadIdx.x] = words[31 - threadIdx.x];
  });
  std::vector<unsigned> expected(32);
  std::iota(expected.rbegin(), expected.rend(), 0U);
  return n_wrong(out.on_host(), expected);
}

unsigned order_of_atomics() {
  const DeviceWords out(kThreads);
  const DeviceWords n_out(1);
  run_grid({.grid = 1, .block = kThreads}, [d_out = out.get(), d_n = n_out.get()] {
    d_out[atomicAdd(d_n, 1U)] = threadIdx.x;  // counted on to keep the order of threads
  });
  return n_wrong(out.on_host(), counting(kThreads));
}

unsigned warp_order() {
  const DeviceWords out(1);
  run_grid({.grid = 1, .block = kThreads}, [d_out = out.get()] {
    SHARED(unsigned, chosen);
    if (threadIdx.x % 32 == 0) {
      atomicExch(&chosen, threadIdx.x);  // counted on to be that of the last warp
    }
    __syncthreads();
    if (threadIdx.x == 0) {
      *d_out = chosen;
    }
  });
  return n_wrong(out.on_host(), {64});
}

unsigned block_order() {
  const DeviceWords out(8);
  run_grid({.grid = 8, .block = 1}, [d_out = out.get()] {
    d_out[blockIdx.x] = blockIdx.x == 0 ? 1 : d_out[blockIdx.x - 1] + 1;
  });
  return n_wrong(out.on_host(), {1, 2, 3, 4, 5, 6, 7, 8});
}

// Two atomic operations where one is needed: another thread comes between.
unsigned read_before_increment() {
  const DeviceWords out(1);
  run_grid({.grid = 1, .block = kThreads}, [d_out = out.get()] {
    const unsigned before = atomicAdd(d_out, 0U);
    atomicExch(d_out, before + 1);
  });
  return n_wrong(out.on_host(), {kThreads});
}

// Shared memory is counted on to be zero.
unsigned unset_shared() {
  const DeviceWords out(1);
  run_grid({.grid = 1, .block = kThreads}, [d_out = out.get()] {
    SHARED(unsigned, n);
    atomicAdd(&n, 1U);
    __syncthreads();
    if (threadIdx.x == 0) {
      *d_out = n;
    }
  });
  return n_wrong(out.on_host(), {kThreads});
}

}  // namespace furrow::simt::planted
