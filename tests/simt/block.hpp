// SPDX-License-Identifier: Apache-2.0
// Runs the threads of one block on fibers, one after the other on the calling host thread, and
// makes them wait for one another where CUDA says they do.
//
// A lane runs until it waits at a barrier or a warp collective, or ends. It then switches straight
// to the lane that the run queue names next. Whoever arrives last at a rendezvous computes the
// result for all. When nobody can run any more though somebody waits, the kernel is wrong, and what
// the lanes wait for says how.
#pragma once

#include <array>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <source_location>
#include <string>
#include <vector>

#include "simt/errors.hpp"
#include "simt/fiber.hpp"
#include "simt/lane.hpp"
#include "simt/run_queue.hpp"
#include "simt/sanitizers.hpp"
#include "simt/shared_memory.hpp"
#include "simt/warp.hpp"

namespace furrow::simt {

/// One CUDA thread of the running block.
struct Lane : LaneBuiltins {
  Fiber fiber;
  std::uint32_t index = 0;  // in the block
  bool has_ended = false;
};

/// What ThreadSanitizer knows the rendezvous of one block by; fresh for each block, because a tag
/// keeps what was ever released to it. Who arrives releases one tag, who goes on acquires another;
/// these alternate, so that a lane which is one rendezvous ahead does not order those behind it.
struct BlockTags {
  struct OfWarp {
    std::array<char, kWarpSize> arrived;
    std::array<std::array<char, 2>, kWarpSize> completed;  // by the lane that completed it
  };
  std::array<OfWarp, kMaxWarps> warps;
  std::array<char, 2> barrier;
};
/// Likewise for all blocks of one launch.
struct GridTags {
  char begun;
  char ended;
  char fence;
};

/// A host thread has one and runs all its blocks on it. Not thread-safe.
class Block {
 public:
  struct Limits {
    std::size_t static_shared = 48 * 1024;
    std::size_t shared = 48 * 1024;
  };

  Block();
  ~Block();
  Block(const Block&) = delete;
  Block& operator=(const Block&) = delete;

  /// Prepares for a launch whose blocks have this shape; `body` is what each thread does, in the
  /// order of `timeline` or, if that is nullptr, of the caller.
  void begin_grid(dim3 grid, dim3 block, std::size_t n_dynamic, const Limits& limits,
                  const std::function<void()>& body, Timeline* timeline,
                  std::source_location launch);
  /// Runs one block. Throws a SimtError, or what the kernel threw; the launch is over then.
  void run(uint3 block_index, std::uint64_t seed);
  /// After the last block, or after an error.
  void end_grid();

  [[gnu::always_inline]] std::uint64_t rendezvous(WarpOp op, std::uint32_t mask,
                                                  std::uint64_t value, std::uint32_t argument,
                                                  std::source_location where);
  [[gnu::always_inline]] int barrier(BarrierOp op, int predicate, std::source_location where);
  void* static_object(const SharedTag& tag, std::size_t n_bytes, std::size_t alignment,
                      std::source_location where);
  void* dynamic_memory() { return shared_.dynamic(); }
  void fence();
  void yield(std::source_location where);
  [[nodiscard]] std::uint32_t current_lane() const { return current_->index % kWarpSize; }
  [[nodiscard]] std::uint32_t current_warp_lanes() const {
    return warps_[current_->index / kWarpSize].existing;
  }

  [[nodiscard]] unsigned n_threads() const { return n_lanes_; }

  /// The block that this host thread runs.
  [[nodiscard]] static Block& running();
  /// The same, null while it runs none.
  [[nodiscard]] static Block* running_or_null();
  /// How many blocks were begun.
  [[nodiscard]] std::uint64_t n_blocks() const { return n_blocks_; }
  /// Writes which launch, block and thread is running, in the manner of snprintf and fit for the handler of a
  /// signal.
  int describe_running(const char* what, char* text, std::size_t n_bytes) const;
  /// Ends the launch with an error at the running lane, by throwing it there.
  template <class ErrorType>
  [[noreturn]] void fail(std::source_location where, const std::string& what) const;

 private:
  static void lane_entry(boost::context::detail::transfer_t transfer);
  void lane_main(Lane& self);
  void note_end(const Lane& self);
  void prepare_lanes();
  void drop_fibers();
  void grant_patience();
  void note_progress() { n_atomics_at_progress_ = n_atomics_; }

  [[gnu::always_inline]] void wait(Lane& self);
  [[gnu::always_inline]] void switch_lane(Lane& self, Lane& next);

  void complete(Warp& warp, BlockTags::OfWarp* tags, unsigned lane, std::uint32_t mask);
  [[noreturn]] void fail_inactive(const Warp& warp, unsigned lane) const;
  void complete_barrier(std::source_location where);
  void check_guards(std::source_location until) const;

  [[nodiscard]] std::exception_ptr diagnose() const;
  [[nodiscard]] uint3 thread_of(unsigned lane_index) const {
    return lanes_[lane_index].thread_index;
  }
  template <class ErrorType>
  [[nodiscard]] std::exception_ptr make_error(std::source_location where, unsigned lane_index,
                                              const std::string& what) const;

  std::vector<FiberStack> stacks_;
  std::unique_ptr<Lane[]> lanes_;
  std::array<Warp, kMaxWarps> warps_{};
  unsigned n_lanes_ = 0;
  unsigned n_warps_ = 0;
  unsigned n_ended_ = 0;
  RunQueue queue_;
  Lane* current_ = nullptr;
  Fiber host_;
  BlockBuiltins builtins_;
  std::exception_ptr error_;
  // Atomic operations granted, in all and at the last progress, and what was granted last.
  std::uint64_t n_atomics_ = 0;
  std::uint64_t n_atomics_at_progress_ = 0;
  unsigned granted_ = 0;

  unsigned n_at_barrier_ = 0;
  unsigned first_at_barrier_ = 0;
  BarrierOp barrier_op_ = BarrierOp::kSync;
  std::source_location barrier_place_;
  unsigned barrier_sum_ = 0;
  int barrier_result_ = 0;
  unsigned n_barriers_ = 0;

  SharedMemory shared_;
  std::source_location guards_whole_at_;
  const std::function<void()>* body_ = nullptr;
  std::size_t n_dynamic_ = 0;
  std::uint64_t n_blocks_ = 0;
  std::string launch_text_;
  std::string schedule_text_;
  Limits limits_;
  std::source_location launch_;

  Timeline* timeline_ = nullptr;
  TsanFibers tsan_;
  std::vector<void*> tsan_of_block_;
  std::unique_ptr<BlockTags> tags_;
  std::unique_ptr<GridTags> grid_tags_;
};

template <class ErrorType>
std::exception_ptr Block::make_error(std::source_location where, unsigned lane_index,
                                     const std::string& what) const {
  return std::make_exception_ptr(
      ErrorType(Place{where, builtins_.block_index, thread_of(lane_index)}, what));
}

template <class ErrorType>
void Block::fail(std::source_location where, const std::string& what) const {
  throw ErrorType(Place{where, builtins_.block_index, current_->thread_index}, what);
}

}  // namespace furrow::simt
