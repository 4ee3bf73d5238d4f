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

#include "simt/fiber.hpp"
#include "simt/lane.hpp"
#include "simt/run_queue.hpp"
#include "simt/sanitizers.hpp"
#include "simt/shared_memory.hpp"

namespace furrow::simt {

/// One CUDA thread of the running block.
struct Lane : LaneBuiltins {
  Fiber fiber;
  std::uint32_t index = 0;  // in the block
  bool has_ended = false;
};

/// Lanes of one warp and what those that wait have brought. Arrays by lane.
struct Warp {
  std::uint32_t existing = 0;
  std::uint32_t waiting = 0;     // in a warp collective
  std::uint32_t at_barrier = 0;  // of the block
  std::uint32_t ended = 0;
  std::array<std::uint64_t, kWarpSize> keys{};  // operation and mask
  std::array<std::source_location, kWarpSize> places{};
  std::array<std::uint64_t, kWarpSize> values{};
  std::array<std::uint32_t, kWarpSize> arguments{};
  std::array<std::uint64_t, kWarpSize> results{};
  // Of BlockTags: how many rendezvous each lane has completed, and what it acquires when it goes
  // on.
  std::array<std::uint8_t, kWarpSize> n_completed{};
  std::array<void*, kWarpSize> acquired{};
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

  /// Prepares for a launch whose blocks have this shape; `body` is what each thread does.
  void begin_grid(dim3 grid, dim3 block, std::size_t n_dynamic, const Limits& limits,
                  const std::function<void()>& body, std::source_location launch);
  /// Runs one block. Throws a SimtError, or what the kernel threw; the launch is over then.
  void run(uint3 block_index, std::uint64_t seed);
  /// After the last block, or after an error.
  void end_grid();

  [[gnu::always_inline]] std::uint64_t rendezvous(WarpOp op, std::uint32_t mask,
                                                  std::uint64_t value, std::uint32_t argument,
                                                  std::source_location where);
  [[gnu::always_inline]] int barrier(BarrierOp op, int predicate, std::source_location where);
  void* static_object(const SharedTag& tag, std::size_t n_bytes, std::size_t alignment);
  void* dynamic_memory() { return shared_.dynamic(); }
  void fence();
  [[nodiscard]] std::uint32_t current_lane() const { return current_->index % kWarpSize; }
  [[nodiscard]] std::uint32_t current_warp_lanes() const {
    return warps_[current_->index / kWarpSize].existing;
  }

  /// Ends the launch with an error at the running lane.
  template <class ErrorType>
  [[noreturn]] void fail(std::source_location where, const std::string& what);

 private:
  static void lane_entry(boost::context::detail::transfer_t transfer);
  void lane_main(Lane& self);
  void end_lane(Lane& self);
  void prepare_lanes();
  void drop_fibers();

  [[gnu::always_inline]] void wait(Lane& self);
  [[noreturn]] void abort(std::exception_ptr error);

  [[nodiscard]] bool all_arrived(const Warp& warp, unsigned lane, std::uint32_t mask) const;
  void complete(Warp& warp, unsigned warp_index, unsigned lane, WarpOp op, std::uint32_t mask);
  void complete_shuffle(Warp& warp, std::uint32_t mask, std::source_location where);
  void complete_barrier(std::source_location where);
  void check_guards(std::source_location until);

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
  Limits limits_;
  std::source_location launch_;

  TsanFibers tsan_;
  std::vector<void*> tsan_of_block_;
  std::unique_ptr<BlockTags> tags_;
  std::unique_ptr<GridTags> grid_tags_;
};

}  // namespace furrow::simt
