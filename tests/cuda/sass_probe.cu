// SPDX-License-Identifier: Apache-2.0
// Kernels whose instructions are known, for sass_counts_test.py. Each probe does the same thing
// kCount times more than with kCount = 0, in a way that no compiler shortens.

template <int kCount>
__device__ void majorities(unsigned& a, unsigned b, unsigned c) {
#pragma unroll
  for (int i = 0; i < kCount; ++i) {
    asm("lop3.b32 %0, %0, %1, %2, 0xE8;" : "+r"(a) : "r"(b), "r"(c));
    asm("lop3.b32 %0, %1, %0, %2, 0x2D;" : "+r"(a) : "r"(c), "r"(b));
  }
}

/// 2 * kCount LOP3.
template <int kCount>
__global__ void probe_lop3(unsigned* values) {
  unsigned a = values[0];
  majorities<kCount>(a, values[1], values[2]);
  values[3] = a;
}

/// kCount PRMT, with selectors that are not known before run time.
template <int kCount>
__global__ void probe_prmt(unsigned* values) {
  unsigned a = values[0];
  const unsigned b = values[1];
  const unsigned selector = values[2];
#pragma unroll
  for (int i = 0; i < kCount; ++i) {
    a = __byte_perm(a, b, selector);
  }
  values[3] = a;
}

/// kCount SHF.
template <int kCount>
__global__ void probe_shf(unsigned* values) {
  unsigned a = values[0];
  const unsigned b = values[1];
  const unsigned shift = values[2];
#pragma unroll
  for (int i = 0; i < kCount; ++i) {
    a = __funnelshift_l(a, b, shift);
  }
  values[3] = a;
}

/// kCount IMAD.
template <int kCount>
__global__ void probe_imad(unsigned* values) {
  unsigned a = values[0];
  const unsigned b = values[1];
  const unsigned c = values[2];
#pragma unroll
  for (int i = 0; i < kCount; ++i) {
    a = a * b + c;
  }
  values[3] = a;
}

/// kCount POPC.
template <int kCount>
__global__ void probe_popc(unsigned* values) {
  unsigned a = values[0];
  const unsigned b = values[1];
#pragma unroll
  for (int i = 0; i < kCount; ++i) {
    a = static_cast<unsigned>(__popc(a)) * b;
  }
  values[3] = a;
}

/// kCount SHFL, each of which needs the one before.
template <int kCount>
__global__ void probe_shfl(unsigned* values) {
  unsigned a = values[threadIdx.x];
  const unsigned b = values[1];
#pragma unroll
  for (int i = 0; i < kCount; ++i) {
    a = __shfl_sync(0xFFFFFFFFU, a, static_cast<int>(a % 32)) * b;
  }
  values[threadIdx.x] = a;
}

/// kCount LDS, each of which needs the one before.
template <int kCount>
__global__ void probe_lds(unsigned* values) {
  __shared__ unsigned links[256];
  links[threadIdx.x] = values[threadIdx.x];
  __syncthreads();
  unsigned a = values[0];
#pragma unroll
  for (int i = 0; i < kCount; ++i) {
    a = links[a];
  }
  values[3] = a;
}

/// kCount LDG, each of which needs the one before.
template <int kCount>
__global__ void probe_ldg(unsigned* values) {
  unsigned a = values[0];
#pragma unroll
  for (int i = 0; i < kCount; ++i) {
    a = values[a];
  }
  values[3] = a;
}

/// Two loops, one inside the other; the inner one has 20 LOP3.
__global__ void probe_loops(unsigned* values) {
  unsigned a = values[0];
  const unsigned b = values[1];
  const unsigned c = values[2];
#pragma unroll 1
  for (unsigned i = 0; i < values[3]; ++i) {
#pragma unroll 1
    for (unsigned j = 0; j < values[4]; ++j) {
      majorities<10>(a, b, c);
    }
    values[5] = a;
  }
  values[6] = a;
}

template __global__ void probe_lop3<0>(unsigned*);
template __global__ void probe_lop3<16>(unsigned*);
template __global__ void probe_prmt<0>(unsigned*);
template __global__ void probe_prmt<16>(unsigned*);
template __global__ void probe_shf<0>(unsigned*);
template __global__ void probe_shf<16>(unsigned*);
template __global__ void probe_imad<0>(unsigned*);
template __global__ void probe_imad<16>(unsigned*);
template __global__ void probe_popc<0>(unsigned*);
template __global__ void probe_popc<16>(unsigned*);
template __global__ void probe_shfl<0>(unsigned*);
template __global__ void probe_shfl<16>(unsigned*);
template __global__ void probe_lds<0>(unsigned*);
template __global__ void probe_lds<16>(unsigned*);
template __global__ void probe_ldg<0>(unsigned*);
template __global__ void probe_ldg<16>(unsigned*);
