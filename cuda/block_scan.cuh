// SPDX-License-Identifier: Apache-2.0
// Exclusive prefix sums over the threads of a block: CUB under nvcc, a plain twin on the harness.
//
//   using Scan = BlockScan<kThreads>;
//   SHARED(Scan::TempStorage, temp);
//   Scan(temp).exclusive_sum(count, place, total);
//
// Thread t is number threadIdx.x; the block has exactly kThreads threads in one dimension, and all
// call together. A barrier must lie between a call and the next use of its storage.
#pragma once

#include <cstdint>
#include <source_location>

#include "cuda/simt.cuh"

#if defined(__CUDACC__)
#include <cub/block/block_scan.cuh>
#endif

namespace furrow::cuda {

#if defined(__CUDACC__)

template <int kThreads, class T = std::uint32_t>
class BlockScan {
  /// A shuffle scan in every warp: the raking default serialises nine values a lane for 288
  /// threads.
  using Cub = cub::BlockScan<T, kThreads, cub::BLOCK_SCAN_WARP_SCANS>;

 public:
  using TempStorage = typename Cub::TempStorage;
  __device__ explicit BlockScan(TempStorage& temp) : temp_(temp) {}

  /// `result` is the sum of the values of the threads before this one, `total` that of all.
  __device__ void exclusive_sum(T value, T& result, T& total) {
    Cub(temp_).ExclusiveSum(value, result, total);
  }
  /// Likewise for the sequence in which thread t has places t * kItems and on.
  template <int kItems>
  __device__ void exclusive_sum(const T (&values)[kItems], T (&results)[kItems], T& total) {
    T items[kItems];
#pragma unroll
    for (int i = 0; i < kItems; ++i) {
      items[i] = values[i];
    }
    Cub(temp_).ExclusiveSum(items, results, total);
  }

 private:
  TempStorage& temp_;
};

#else

template <int kThreads, class T = std::uint32_t>
class BlockScan {
 public:
  struct TempStorage {
    T sums[kThreads + 1];
  };
  explicit BlockScan(TempStorage& temp) : temp_(temp) {}

  void exclusive_sum(T value, T& result, T& total,
                     std::source_location where = std::source_location::current()) {
    simt::expect_not_held(&temp_, sizeof(temp_), where);
    temp_.sums[threadIdx.x] = value;
    __syncthreads();  // every value is there before one thread adds them up
    if (threadIdx.x == 0) {
      T sum = 0;
      for (int t = 0; t < kThreads; ++t) {
        const T of_thread = temp_.sums[t];
        temp_.sums[t] = sum;
        sum = static_cast<T>(sum + of_thread);
      }
      temp_.sums[kThreads] = sum;
    }
    __syncthreads();  // the sums are there before anybody takes his
    result = temp_.sums[threadIdx.x];
    total = temp_.sums[kThreads];
    simt::hold_until_barrier(&temp_, sizeof(temp_), where);
  }
  template <int kItems>
  void exclusive_sum(const T (&values)[kItems], T (&results)[kItems], T& total,
                     std::source_location where = std::source_location::current()) {
    T sum = 0;
    for (int i = 0; i < kItems; ++i) {
      sum = static_cast<T>(sum + values[i]);
    }
    T before;
    exclusive_sum(sum, before, total, where);
    for (int i = 0; i < kItems; ++i) {
      const T value = values[i];  // the two arrays may be one
      results[i] = before;
      before = static_cast<T>(before + value);
    }
  }

 private:
  TempStorage& temp_;
};

#endif

}  // namespace furrow::cuda
