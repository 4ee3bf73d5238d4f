// SPDX-License-Identifier: Apache-2.0
// CUDA for every file of this folder: NVIDIA's under nvcc, the harness of tests/simt under a host
// compiler, where the same sources run on fibers (docs/simt-harness.md).
//
// Kernels differ from plain CUDA in two things only: shared memory is declared with
//   SHARED(Type, name);          `__shared__ Type name`, an lvalue
//   DYNAMIC_SHARED(Type, name);  `Type* name`, the dynamic part of the launch, aligned to 16 bytes
// and nothing is shared that is not declared so; and a kernel begins with
//   THREADS_AT_MOST(n);          the first of its __launch_bounds__, which the harness holds it to
#pragma once

#if defined(FURROW_CUDA_WITHOUT_KERNELS)
#error "compiled for one architecture: this source belongs to FURROW_CUDA_KERNEL_SOURCES"
#endif

#include <cstddef>
#include <source_location>
#include <type_traits>
#include <utility>

#include "cuda/runtime/check.hpp"

#if defined(__CUDACC__)
#define THREADS_AT_MOST(n) static_assert((n) >= 1 && (n) <= 1024)
#define SHARED(Type, name) __shared__ ::std::type_identity_t<Type> name
#define DYNAMIC_SHARED(Type, name)                                       \
  extern __shared__ __align__(16) unsigned char furrow_dynamic_shared[]; \
  static_assert(alignof(Type) <= 16);                                    \
  Type* name = reinterpret_cast<Type*>(furrow_dynamic_shared)
#endif

namespace furrow::cuda {

/// Shape of a launch. Remembers where it was written, which is the place that errors name.
struct LaunchShape {
  dim3 grid;
  dim3 block;
  std::size_t dynamic_shared = 0;
  std::source_location where = std::source_location::current();
};

/// Puts `kernel` on `stream` with arguments that have exactly the types of its parameters, and
/// returns the status. For `launch`.
template <class... P>
cudaError_t launch_with(void (*kernel)(P...), const LaunchShape& shape, cudaStream_t stream,
                        std::type_identity_t<P>... arguments) {
#if defined(__CUDACC__)
  void* addresses[] = {static_cast<void*>(&arguments)..., nullptr};
  return cudaLaunchKernel(reinterpret_cast<const void*>(kernel), shape.grid, shape.block, addresses,
                          shape.dynamic_shared, stream);
#else
  return simt::launch_kernel(
      reinterpret_cast<const void*>(kernel), shape.grid, shape.block, shape.dynamic_shared, stream,
      [=] { kernel(arguments...); }, shape.where);
#endif
}

/// Runs `kernel` on `stream` once for each thread of `shape`; does not wait for it. Arguments are
/// converted to the types of the parameters and copied. Throws CudaError when the launch is
/// refused.
///
///   launch(find_matches, {n_pairs, FindMatchesShape::kThreads}, stream, left, right, out);
template <class... P, class... A>
void launch(void (*kernel)(P...), const LaunchShape& shape, cudaStream_t stream, A&&... arguments) {
  static_assert(sizeof...(P) == sizeof...(A), "a kernel takes exactly its parameters");
  check(launch_with(kernel, shape, stream, std::forward<A>(arguments)...), "cudaLaunchKernel",
        shape.where);
}

}  // namespace furrow::cuda
