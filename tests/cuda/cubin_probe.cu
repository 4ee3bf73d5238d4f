// SPDX-License-Identifier: Apache-2.0
// Kernels that take registers, shared memory, a stack and room for spilled registers, for cubin_test.py.

__global__ void probe_plain(unsigned* values) {
  values[threadIdx.x] += 1;
}

__global__ void probe_shared(unsigned* values) {
  __shared__ unsigned row[1000];
  row[threadIdx.x] = values[threadIdx.x];
  __syncthreads();
  values[threadIdx.x] = row[999 - threadIdx.x];
}

/// An array that is indexed at run time.
__global__ void probe_stack(unsigned* values) {
  unsigned row[64];
  for (unsigned i = 0; i < 64; ++i) {
    row[values[i] % 64] = i;
  }
  values[threadIdx.x] = row[values[threadIdx.x] % 64];
}

/// 100 values at a time in the 32 registers that 2048 threads leave each.
__global__ void __launch_bounds__(1024, 2) probe_spill(unsigned* values) {
  unsigned held[100];
#pragma unroll
  for (unsigned i = 0; i < 100; ++i) {
    held[i] = values[1024 * i + threadIdx.x];
  }
  __syncthreads();
#pragma unroll
  for (unsigned i = 0; i < 100; ++i) {
    values[1024 * i + threadIdx.x] = held[i] * held[(7 * i + 3) % 100];
  }
}
