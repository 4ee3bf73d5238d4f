// SPDX-License-Identifier: Apache-2.0
// What cuda/runtime/cuda_api.hpp includes under a host compiler: CUDA's language and runtime on the
// harness. Nobody else includes it, and files that do are compiled with -Wno-unknown-pragmas for
// #pragma unroll.
#pragma once

#include <functional>
#include <source_location>
#include <type_traits>
#include <utility>

#include "simt/atomics.hpp"       // IWYU pragma: export
#include "simt/builtins.hpp"      // IWYU pragma: export
#include "simt/collectives.hpp"   // IWYU pragma: export
#include "simt/cuda_api.hpp"      // IWYU pragma: export
#include "simt/intrinsics.hpp"    // IWYU pragma: export
#include "simt/vector_types.hpp"  // IWYU pragma: export
