// SPDX-License-Identifier: Apache-2.0
// What the harness costs: one rendezvous of a warp, one barrier of 288 threads, one block. The time
// of an iteration is that of a single one of them.

#include <benchmark/benchmark.h>

#include "cuda/simt.cuh"
#include "simt/grid.hpp"
#include "simt/schedule.hpp"

namespace furrow::simt {
namespace {

constexpr unsigned kThreads = 288;  // nine warps
constexpr unsigned kRounds = 1000;

Schedule schedule_of(const benchmark::State& state) {
  return state.range(0) == 0 ? Schedule::ascending() : Schedule::shuffle(1);
}

/// `step` is done `kRounds` times by each thread of a block, `n_steps` of them at a time.
template <class Step>
void measure(benchmark::State& state, unsigned n_steps, Step step) {
  const ScopedSchedule scoped(schedule_of(state));
  while (state.KeepRunningBatch(std::int64_t{kRounds} * n_steps)) {
    run_grid({.grid = 1, .block = kThreads}, [&] {
      for (unsigned i = 0; i < kRounds; ++i) {
        step(i);
      }
    });
  }
}

void ballot_of_a_warp(benchmark::State& state) {
  measure(state, kThreads / 32, [](unsigned i) {
    benchmark::DoNotOptimize(__ballot_sync(0xFFFFFFFF, static_cast<int>(i & 1U)));
  });
}

void shuffle_of_a_warp(benchmark::State& state) {
  measure(state, kThreads / 32,
          [](unsigned i) { benchmark::DoNotOptimize(__shfl_xor_sync(0xFFFFFFFF, i, 1)); });
}

void barrier_of_288(benchmark::State& state) {
  measure(state, 1, [](unsigned) { __syncthreads(); });
}

void block_of_288(benchmark::State& state) {
  const ScopedSchedule scoped(schedule_of(state));
  while (state.KeepRunningBatch(kRounds)) {
    run_grid({.grid = kRounds, .block = kThreads}, [] { benchmark::ClobberMemory(); });
  }
}

// 0 is the ascending schedule, 1 a shuffled one.
BENCHMARK(ballot_of_a_warp)->Arg(0)->Arg(1);
BENCHMARK(shuffle_of_a_warp)->Arg(0)->Arg(1);
BENCHMARK(barrier_of_288)->Arg(0)->Arg(1);
BENCHMARK(block_of_288)->Arg(0)->Arg(1);

}  // namespace
}  // namespace furrow::simt

BENCHMARK_MAIN();
