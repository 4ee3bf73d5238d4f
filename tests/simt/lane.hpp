// SPDX-License-Identifier: Apache-2.0
// What a kernel asks of the harness: who it is, and to wait for others. The face for kernels
// (collectives.hpp, shared.hpp) is a thin layer over these functions.
//
// All may be called only inside a kernel, and throw nothing there: an error ends the whole launch
// and comes out of it as an exception.
#pragma once

#include <cstddef>
#include <cstdint>
#include <source_location>

#include "simt/vector_types.hpp"

namespace furrow::simt {

/// Index of the lane that runs now.
struct LaneBuiltins {
  uint3 thread_index{};
};
/// Index of its block and the shape of the launch.
struct BlockBuiltins {
  uint3 block_index{};
  dim3 block_dim{};
  dim3 grid_dim{};
};
extern constinit thread_local const LaneBuiltins* t_lane;
extern constinit thread_local const BlockBuiltins* t_block;

/// What the lanes of a mask do together when all have arrived.
enum class WarpOp : std::uint8_t {
  kSync,      ///< orders memory, the only one that does
  kShuffle,   ///< value of the lane that `argument` names
  kBallot,    ///< mask of the lanes with a value that is not 0
  kAny,       ///< whether any value is not 0
  kAll,       ///< whether no value is 0
  kMatchAny,  ///< mask of the lanes with the same value
  kMatchAll,  ///< the mask if all values are equal, else 0
  kAddReduce,
  kMinSigned,
  kMinUnsigned,
  kMaxSigned,
  kMaxUnsigned,
  kAndReduce,
  kOrReduce,
  kXorReduce,
};
/// Waits until every lane of `mask` has called this with the same operation, mask and line.
std::uint64_t warp_rendezvous(WarpOp op, std::uint32_t mask, std::uint64_t value,
                              std::uint32_t argument, std::source_location where);

enum class BarrierOp : std::uint8_t { kSync, kCount, kAnd, kOr };
/// Waits until every thread of the block has called this with the same operation and line. Returns
/// what `__syncthreads_count`, `_and` and `_or` return.
int block_barrier(BarrierOp op, int predicate, std::source_location where);

/// Number of the calling lane in its warp.
[[nodiscard]] std::uint32_t lane_in_warp();
/// Lanes of the calling warp that exist.
[[nodiscard]] std::uint32_t lanes_of_warp();

/// Names one `SHARED` declaration; its address is the identity of the object. It does not hold the
/// declaration's place: with AddressSanitizer, a source_location in a static object of a template
/// does not link when two files have the template.
struct SharedTag {
  const char* name;
};

/// The object of the running block that `tag` names, declared at `where`.
void* static_shared(const SharedTag& tag, std::size_t n_bytes, std::size_t alignment,
                    std::source_location where);
/// The dynamic shared memory of the running block.
void* dynamic_shared();

/// `__threadfence`: as if all fences of a launch happened one after the other.
void device_fence();

/// Counts down the atomic operations until another lane gets its turn.
extern constinit thread_local unsigned t_patience;
/// Lets another lane run, at the shuffled schedule at random; at every schedule when very many
/// atomic operations have gone by, because the caller may be waiting for what another is to do.
/// Ends the launch with Stuck when nothing comes of it.
void yield_lane(std::source_location where);
// The count belongs to all lanes, which ThreadSanitizer would take for a race.
[[gnu::no_sanitize("thread")]] inline void before_atomic(std::source_location where) {
  if (--t_patience == 0) {
    yield_lane(where);
  }
}

/// `__trap`: ends the launch with Trapped.
[[noreturn]] void fail_trapped(std::source_location where);
/// Ends the launch with BadLaunch: its blocks have more threads than the kernel is bound to.
[[noreturn]] void fail_too_many_threads(unsigned most, std::source_location where);
/// Ends the launch with BadArgument or BadAddress.
[[noreturn]] void fail_bad_argument(const char* what, std::source_location where);
[[noreturn]] void fail_bad_address(const void* address, std::size_t alignment,
                                   std::source_location where);

}  // namespace furrow::simt
