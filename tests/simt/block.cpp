// SPDX-License-Identifier: Apache-2.0
#include "simt/block.hpp"

#include <algorithm>
#include <utility>

namespace furrow::simt {

constinit thread_local const LaneBuiltins* t_lane = nullptr;
constinit thread_local const BlockBuiltins* t_block = nullptr;
constinit thread_local unsigned t_patience = 0;

namespace {

constinit thread_local Block* t_running = nullptr;

// A second or so of nothing but atomic operations.
constexpr std::uint64_t kMaxAtomicsWithoutProgress = std::uint64_t{1} << 26U;

}  // namespace

Block::Block() : lanes_(std::make_unique<Lane[]>(kMaxThreadsPerBlock)) {
  stacks_.reserve(kMaxThreadsPerBlock);
  for (unsigned i = 0; i < kMaxThreadsPerBlock; ++i) {
    lanes_[i].index = i;
  }
}

Block::~Block() = default;

Block& Block::running() {
  return *t_running;
}

Block* Block::running_or_null() {
  return t_running;
}

// --- Launches and blocks ---

void Block::begin_grid(dim3 grid, dim3 block, std::size_t n_dynamic, const Limits& limits,
                       const std::function<void()>& body, Timeline* timeline,
                       std::source_location launch) {
  n_lanes_ = block.x * block.y * block.z;
  n_warps_ = (n_lanes_ + kWarpSize - 1) / kWarpSize;
  builtins_ = {.block_index = {}, .block_dim = block, .grid_dim = grid};
  n_dynamic_ = n_dynamic;
  limits_ = limits;
  body_ = &body;
  timeline_ = timeline;
  launch_ = launch;
  launch_text_ = text(launch);
  schedule_text_ = current_schedule().text();
  while (stacks_.size() < n_lanes_) {
    stacks_.emplace_back(stacks_.size());
  }
  for (unsigned i = 0; i < n_lanes_; ++i) {
    lanes_[i].thread_index = {i % block.x, i / block.x % block.y, i / block.x / block.y};
  }
  if constexpr (kThreadSanitizer) {
    grid_tags_ = std::make_unique<GridTags>();
    const Timeline::Inside inside(timeline_);
    release(&grid_tags_->begun);
  }
}

void Block::run(uint3 block_index, std::uint64_t seed) {
  ++n_blocks_;
  builtins_.block_index = block_index;
  shared_.begin_block(n_dynamic_);
  guards_whole_at_ = launch_;
  queue_.reset(current_schedule(), n_warps_, seed);
  prepare_lanes();
  n_ended_ = 0;
  n_at_barrier_ = 0;
  barrier_sum_ = 0;
  n_barriers_ = 0;

  n_atomics_ = 0;
  n_atomics_at_progress_ = 0;
  grant_patience();

  t_running = this;
  t_block = &builtins_;
  current_ = &lanes_[static_cast<unsigned>(queue_.next())];
  t_lane = current_;
  switch_fiber(host_, current_->fiber);
  t_running = nullptr;
  t_block = nullptr;
  t_lane = nullptr;

  if (kThreadSanitizer || error_ != nullptr) {
    drop_fibers();
  }
  if (error_ != nullptr) {
    if constexpr (kThreadSanitizer) {
      // Abandoned lanes do nothing any more; whoever gets the error goes on after them.
      TsanFibers::release_all(tsan_of_block_, &grid_tags_->ended);
      acquire(&grid_tags_->ended);
      tsan_.clear();
    }
    std::rethrow_exception(std::exchange(error_, nullptr));
  }
  check_guards(launch_);
}

void Block::end_grid() {
  if constexpr (kThreadSanitizer) {
    const Timeline::Inside inside(timeline_);
    acquire(&grid_tags_->ended);
  }
  body_ = nullptr;
}

void Block::prepare_lanes() {
  for (unsigned w = 0; w < n_warps_; ++w) {
    Warp& warp = warps_[w];
    const unsigned n_in_warp = std::min(kWarpSize, n_lanes_ - w * kWarpSize);
    warp.existing = n_in_warp == kWarpSize ? ~0U : (1U << n_in_warp) - 1;
    warp.waiting = 0;
    warp.ended = 0;
    queue_.add(w, warp.existing);
  }
  if constexpr (kThreadSanitizer) {
    tags_ = std::make_unique<BlockTags>();
    tsan_.take(tsan_of_block_, n_lanes_);
  }
  for (unsigned i = 0; i < n_lanes_; ++i) {
    Lane& lane = lanes_[i];
    if (lane.fiber.context == nullptr) {
      make_fiber(lane.fiber, stacks_[i], &Block::lane_entry);
    }
#if defined(FURROW_SIMT_TSAN)
    lane.fiber.tsan = tsan_of_block_[i];
#endif
  }
#if defined(FURROW_SIMT_TSAN)
  host_.tsan = TsanFibers::current();
#endif
}

void Block::drop_fibers() {
  for (unsigned i = 0; i < kMaxThreadsPerBlock; ++i) {
    lanes_[i].fiber.context = nullptr;
  }
}

// --- Lanes ---

void Block::lane_entry(boost::context::detail::transfer_t transfer) {
  Block& block = *t_running;
  Lane& self = *block.current_;
  arrive_on_fiber(self.fiber, transfer);
  if constexpr (kThreadSanitizer) {
    acquire(&block.grid_tags_->begun);
  }
  for (;;) {
    block.lane_main(self);  // returns when a later block starts this lane again
  }
}

void Block::lane_main(Lane& self) {
  std::exception_ptr error;
  try {
    (*body_)();
    note_end(self);
  } catch (...) {
    error = std::current_exception();
  }
  // Outside the handler: the fiber may be abandoned, so it must not hold an exception.
  if (error == nullptr && n_ended_ < n_lanes_) {
    const int next = queue_.next();
    if (next != RunQueue::kNone) {
      switch_lane(self, lanes_[static_cast<unsigned>(next)]);
      return;
    }
    error = diagnose();
  }
  error_ = std::move(error);
  switch_fiber(self.fiber, host_);
}

void Block::note_end(const Lane& self) {
  if constexpr (kThreadSanitizer) {
    release(&grid_tags_->ended);
  }
  const unsigned lane = self.index % kWarpSize;
  Warp& warp = warps_[self.index / kWarpSize];
  warp.ended |= 1U << lane;
  ++n_ended_;
  note_progress();
  if (n_at_barrier_ != 0) {
    fail<ExitBeforeBarrier>(barrier_place_, "this thread ended while thread " +
                                                text(thread_of(first_at_barrier_)) +
                                                " waits at this barrier");
  }
  for_each_lane(warp.waiting, [&](unsigned other) {
    if ((warp.mask_of(other) >> lane & 1U) != 0) {
      fail<InactiveLane>(warp.places[other], warp.text(other) + " of lane " +
                                                 std::to_string(other) + " names lane " +
                                                 std::to_string(lane) + ", which has ended");
    }
  });
}

// Inlined into everything that waits, as these are into the face of kernels: where a processor
// predicts returns by the calls it saw, each return after a switch is mispredicted, so there is to
// be one only.
inline void Block::wait(Lane& self) {
  const int next = queue_.next();
  if (next == RunQueue::kNone) {
    std::rethrow_exception(diagnose());
  }
  Lane& lane = lanes_[static_cast<unsigned>(next)];
  if (&lane != &self) {
    switch_lane(self, lane);
  }
}

inline void Block::switch_lane(Lane& self, Lane& next) {
  current_ = &next;
  t_lane = &next;
  switch_fiber(self.fiber, next.fiber);
}

void Block::grant_patience() {
  granted_ = queue_.next_patience();
  t_patience = granted_;
}

void Block::yield(std::source_location where) {
  n_atomics_ += granted_ - t_patience + 1;
  if (n_atomics_ - n_atomics_at_progress_ > kMaxAtomicsWithoutProgress) {
    fail<Stuck>(where, "the threads of this block have done " +
                           std::to_string(n_atomics_ - n_atomics_at_progress_) +
                           " atomic operations without any of them ending or meeting others");
  }
  grant_patience();
  Lane& self = *current_;
  queue_.add(self.index / kWarpSize, 1U << (self.index % kWarpSize));
  wait(self);
}

// --- Warp collectives ---

inline std::uint64_t Block::rendezvous(WarpOp op, std::uint32_t mask, std::uint64_t value,
                                       std::uint32_t argument, std::source_location where) {
  Lane& self = *current_;
  const unsigned warp_index = self.index / kWarpSize;
  const unsigned lane = self.index % kWarpSize;
  Warp& warp = warps_[warp_index];
  warp.arrive(lane, op, mask, value, argument, where);
  // Lanes that a last, narrow warp does not have are no concern of the hardware either.
  const std::uint32_t named = mask & warp.existing;
  if ((mask >> lane & 1U) == 0 || (named & warp.ended) != 0) {
    fail_inactive(warp, lane);
  }
  const bool orders = kThreadSanitizer && op == WarpOp::kSync;
  BlockTags::OfWarp* tags = orders ? &tags_->warps[warp_index] : nullptr;
  if (orders) {
    release(&tags->arrived[lane]);
  }
  if (warp.all_arrived(lane, named)) {
    complete(warp, tags, lane, named);
    note_progress();
    queue_.add(warp_index, named);
  }
  wait(self);
  if (orders) {
    acquire(warp.acquired[lane]);
  }
  return warp.results[lane];
}

void Block::complete(Warp& warp, BlockTags::OfWarp* tags, unsigned lane, std::uint32_t mask) {
  if (kThreadSanitizer && warp.op_of(lane) == WarpOp::kSync) {
    for_each_lane(mask, [&](unsigned other) { acquire(&tags->arrived[other]); });
    void* tag = &tags->completed[lane][warp.n_completed[lane]++ % 2];
    release(tag);
    for_each_lane(mask, [&](unsigned other) { warp.acquired[other] = tag; });
  }
  const int astray = warp.complete(lane, mask);
  if (astray >= 0) {
    const auto reader = static_cast<unsigned>(astray);
    fail<InactiveLane>(warp.places[lane], warp.text(reader) + ": lane " + std::to_string(reader) +
                                              " reads from lane " +
                                              std::to_string(warp.arguments[reader]) +
                                              ", which is not in the mask");
  }
  warp.waiting &= ~mask;
}

// --- Barriers of the block ---

inline int Block::barrier(BarrierOp op, int predicate, std::source_location where) {
  Lane& self = *current_;
  if (n_ended_ != 0) {
    unsigned ended = 0;
    while ((warps_[ended / kWarpSize].ended >> (ended % kWarpSize) & 1U) == 0) {
      ++ended;
    }
    fail<ExitBeforeBarrier>(
        where, "this thread reaches a barrier, thread " + text(thread_of(ended)) + " has ended");
  }
  if (n_at_barrier_ == 0) {
    first_at_barrier_ = self.index;
    barrier_op_ = op;
    barrier_place_ = where;
  } else if (op != barrier_op_ || !same_line(where, barrier_place_)) {
    fail<DivergentBarrier>(where, "this thread reaches this barrier while thread " +
                                      text(thread_of(first_at_barrier_)) + " waits at another, " +
                                      text(barrier_place_));
  }
  barrier_sum_ += predicate != 0 ? 1 : 0;
  void* tag = nullptr;
  if constexpr (kThreadSanitizer) {
    tag = &tags_->barrier[n_barriers_ % 2];
    release(tag);
  }
  if (++n_at_barrier_ == n_lanes_) {
    complete_barrier(where);
  }
  wait(self);
  if constexpr (kThreadSanitizer) {
    acquire(tag);
  }
  return barrier_result_;
}

void Block::complete_barrier(std::source_location where) {
  check_guards(where);
  guards_whole_at_ = where;
  switch (barrier_op_) {
    case BarrierOp::kSync:
    case BarrierOp::kCount:
      barrier_result_ = static_cast<int>(barrier_sum_);
      break;
    case BarrierOp::kAnd:
      barrier_result_ = barrier_sum_ == n_lanes_ ? 1 : 0;
      break;
    case BarrierOp::kOr:
      barrier_result_ = barrier_sum_ != 0 ? 1 : 0;
      break;
  }
  barrier_sum_ = 0;
  n_at_barrier_ = 0;
  ++n_barriers_;
  note_progress();
  for (unsigned w = 0; w < n_warps_; ++w) {
    queue_.add(w, warps_[w].existing);
  }
}

// --- Shared memory ---

void* Block::static_object(const SharedTag& tag, std::size_t n_bytes, std::size_t alignment,
                           std::source_location where) {
  if (void* object = shared_.find(tag); object != nullptr) {
    return object;
  }
  void* object = shared_.add(tag, n_bytes, alignment, where);
  const std::size_t total = shared_.static_bytes() + n_dynamic_;
  if (object == nullptr || shared_.static_bytes() > limits_.static_shared ||
      total > limits_.shared) {
    fail<BadLaunch>(where, "shared object \"" + std::string(tag.name) + "\" of " +
                               std::to_string(n_bytes) + " bytes makes " +
                               std::to_string(shared_.static_bytes()) + " bytes static and " +
                               std::to_string(n_dynamic_) + " dynamic; allowed are " +
                               std::to_string(limits_.static_shared) + " static and " +
                               std::to_string(limits_.shared) + " in all");
  }
  return object;
}

void Block::fence() {
  if constexpr (kThreadSanitizer) {
    acquire(&grid_tags_->fence);
    release(&grid_tags_->fence);
  }
}

// --- The face of kernels ---

std::uint64_t warp_rendezvous(WarpOp op, std::uint32_t mask, std::uint64_t value,
                              std::uint32_t argument, std::source_location where) {
  return t_running->rendezvous(op, mask, value, argument, where);
}

int block_barrier(BarrierOp op, int predicate, std::source_location where) {
  return t_running->barrier(op, predicate, where);
}

std::uint32_t lane_in_warp() {
  return t_running->current_lane();
}
std::uint32_t lanes_of_warp() {
  return t_running->current_warp_lanes();
}

void* static_shared(const SharedTag& tag, std::size_t n_bytes, std::size_t alignment,
                    std::source_location where) {
  return t_running->static_object(tag, n_bytes, alignment, where);
}

void* dynamic_shared() {
  return t_running->dynamic_memory();
}

void device_fence() {
  t_running->fence();
}

void yield_lane(std::source_location where) {
  t_running->yield(where);
}

}  // namespace furrow::simt
