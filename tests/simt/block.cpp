#include "simt/block.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>

#include "simt/errors.hpp"

namespace furrow::simt {

constinit thread_local const LaneBuiltins* t_lane = nullptr;
constinit thread_local const BlockBuiltins* t_block = nullptr;

namespace {

constinit thread_local Block* t_running = nullptr;

std::string hex(std::uint32_t mask) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string digits = "0x";
  for (int shift = 28; shift >= 0; shift -= 4) {
    digits += kDigits[(mask >> shift) & 15U];
  }
  return digits;
}

const char* name(WarpOp op) {
  switch (op) {
    case WarpOp::kSync:
      return "__syncwarp";
    case WarpOp::kShuffle:
      return "a shuffle";
    case WarpOp::kBallot:
      return "__ballot_sync";
    case WarpOp::kAny:
      return "__any_sync";
    case WarpOp::kAll:
      return "__all_sync";
    case WarpOp::kMatchAny:
      return "__match_any_sync";
    case WarpOp::kMatchAll:
      return "__match_all_sync";
    default:
      return "a reduction";
  }
}

std::uint64_t key_of(WarpOp op, std::uint32_t mask) {
  return (static_cast<std::uint64_t>(op) << 32U) | mask;
}
std::uint32_t mask_of(std::uint64_t key) {
  return static_cast<std::uint32_t>(key);
}
WarpOp op_of(std::uint64_t key) {
  return static_cast<WarpOp>(key >> 32U);
}

unsigned lowest(std::uint32_t mask) {
  return static_cast<unsigned>(std::countr_zero(mask));
}

bool same_line(std::source_location a, std::source_location b) {
  // The same object most of the time; a template has one for each instantiation.
  if (std::memcmp(&a, &b, sizeof(a)) == 0) {
    return true;
  }
  return a.line() == b.line() &&
         (a.file_name() == b.file_name() || std::strcmp(a.file_name(), b.file_name()) == 0);
}

}  // namespace

Block::Block() : lanes_(std::make_unique<Lane[]>(kMaxThreadsPerBlock)) {
  stacks_.reserve(kMaxThreadsPerBlock);
  for (unsigned i = 0; i < kMaxThreadsPerBlock; ++i) {
    lanes_[i].index = i;
  }
}

Block::~Block() = default;

template <class ErrorType>
std::exception_ptr Block::make_error(std::source_location where, unsigned lane_index,
                                     const std::string& what) const {
  return std::make_exception_ptr(
      ErrorType(Place{where, builtins_.block_index, thread_of(lane_index)}, what));
}

template <class ErrorType>
void Block::fail(std::source_location where, const std::string& what) {
  abort(make_error<ErrorType>(where, current_->index, what));
}

// --- Launches and blocks ---

void Block::begin_grid(dim3 grid, dim3 block, std::size_t n_dynamic, const Limits& limits,
                       const std::function<void()>& body, std::source_location launch) {
  n_lanes_ = block.x * block.y * block.z;
  n_warps_ = (n_lanes_ + kWarpSize - 1) / kWarpSize;
  builtins_ = {.block_index = {}, .block_dim = block, .grid_dim = grid};
  n_dynamic_ = n_dynamic;
  limits_ = limits;
  body_ = &body;
  launch_ = launch;
  while (stacks_.size() < n_lanes_) {
    stacks_.emplace_back(stacks_.size());
  }
  for (unsigned i = 0; i < n_lanes_; ++i) {
    lanes_[i].thread_index = {i % block.x, i / block.x % block.y, i / block.x / block.y};
  }
  if constexpr (kThreadSanitizer) {
    grid_tags_ = std::make_unique<GridTags>();
  }
}

void Block::run(uint3 block_index, std::uint64_t seed) {
  builtins_.block_index = block_index;
  shared_.begin_block(n_dynamic_);
  guards_whole_at_ = launch_;
  queue_.reset(current_schedule(), n_warps_, seed);
  prepare_lanes();
  n_ended_ = 0;
  n_at_barrier_ = 0;
  barrier_sum_ = 0;
  n_barriers_ = 0;

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
    std::rethrow_exception(std::exchange(error_, nullptr));
  }
  check_guards(launch_);
}

void Block::end_grid() {
  if constexpr (kThreadSanitizer) {
    acquire(&grid_tags_->ended);
    grid_tags_.reset();
  }
  body_ = nullptr;
}

void Block::prepare_lanes() {
  for (unsigned w = 0; w < n_warps_; ++w) {
    Warp& warp = warps_[w];
    const unsigned n_in_warp = std::min(kWarpSize, n_lanes_ - w * kWarpSize);
    warp.existing = n_in_warp == kWarpSize ? ~0U : (1U << n_in_warp) - 1;
    warp.waiting = 0;
    warp.at_barrier = 0;
    warp.ended = 0;
    queue_.add(w, warp.existing);
  }
  if constexpr (kThreadSanitizer) {
    tags_ = std::make_unique<BlockTags>();
  }
  for (unsigned i = 0; i < n_lanes_; ++i) {
    Lane& lane = lanes_[i];
    if (lane.fiber.context == nullptr) {
      make_fiber(lane.fiber, stacks_[i], &Block::lane_entry);
    }
#if defined(FURROW_SIMT_TSAN)
    lane.fiber.tsan = tsan_.make();
    tsan_of_block_.push_back(lane.fiber.tsan);
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
  tsan_.retire(tsan_of_block_);
  tsan_of_block_.clear();
}

// --- Lanes ---

void Block::lane_entry(boost::context::detail::transfer_t transfer) {
  Block& block = *t_running;
  Lane& self = *block.current_;
  arrive_on_fiber(self.fiber, transfer);
  for (;;) {
    block.lane_main(self);
    block.end_lane(self);  // returns when a later block starts this lane again
  }
}

void Block::lane_main(Lane& /*self*/) {
  std::exception_ptr error;
  try {
    (*body_)();
  } catch (...) {
    error = std::current_exception();
  }
  // Outside the handler: the fiber is never gone on with, so it must not hold an exception.
  if (error != nullptr) {
    abort(std::move(error));
  }
}

// Inlined into everything that waits, as these are into the face of kernels: where a processor
// predicts returns by the calls it saw, each return after a switch is mispredicted, so there is to
// be one only.
inline void Block::wait(Lane& self) {
  const int next = queue_.next();
  if (next == RunQueue::kNone) {
    abort(diagnose());
  }
  Lane& lane = lanes_[static_cast<unsigned>(next)];
  if (&lane != &self) {
    current_ = &lane;
    t_lane = &lane;
    switch_fiber(self.fiber, lane.fiber);
  }
}

void Block::end_lane(Lane& self) {
  if constexpr (kThreadSanitizer) {
    release(&grid_tags_->ended);
  }
  const unsigned lane = self.index % kWarpSize;
  Warp& warp = warps_[self.index / kWarpSize];
  warp.ended |= 1U << lane;
  ++n_ended_;
  if (n_at_barrier_ != 0) {
    fail<ExitBeforeBarrier>(barrier_place_, "this thread ended while thread " +
                                                text(thread_of(first_at_barrier_)) +
                                                " waits at this barrier");
  }
  for (std::uint32_t left = warp.waiting; left != 0; left &= left - 1) {
    const unsigned other = lowest(left);
    if ((mask_of(warp.keys[other]) >> lane & 1U) != 0) {
      fail<InactiveLane>(warp.places[other],
                         std::string(name(op_of(warp.keys[other]))) + ": mask " +
                             hex(mask_of(warp.keys[other])) + " of lane " + std::to_string(other) +
                             " names lane " + std::to_string(lane) + ", which has ended");
    }
  }
  if (n_ended_ == n_lanes_) {
    switch_fiber(self.fiber, host_);
  } else {
    wait(self);
  }
}

void Block::abort(std::exception_ptr error) {
  error_ = std::move(error);
  Fiber& self = current_->fiber;
  for (;;) {
    switch_fiber(self, host_);
  }
}

// --- Warp collectives ---

inline std::uint64_t Block::rendezvous(WarpOp op, std::uint32_t mask, std::uint64_t value,
                                       std::uint32_t argument, std::source_location where) {
  Lane& self = *current_;
  const unsigned warp_index = self.index / kWarpSize;
  const unsigned lane = self.index % kWarpSize;
  const std::uint32_t bit = 1U << lane;
  Warp& warp = warps_[warp_index];
  if ((mask & bit) == 0) {
    fail<InactiveLane>(where, std::string(name(op)) + ": mask " + hex(mask) +
                                  " leaves out its caller, lane " + std::to_string(lane));
  }
  // Lanes that a last, narrow warp does not have are no concern of the hardware either.
  const std::uint32_t named = mask & warp.existing;
  if ((named & warp.ended) != 0) {
    fail<InactiveLane>(where, std::string(name(op)) + ": mask " + hex(mask) + " names lane " +
                                  std::to_string(lowest(named & warp.ended)) + ", which has ended");
  }
  warp.keys[lane] = key_of(op, mask);
  warp.places[lane] = where;
  warp.values[lane] = value;
  warp.arguments[lane] = argument;
  warp.waiting |= bit;
  const bool orders = kThreadSanitizer && op == WarpOp::kSync;
  if (orders) {
    release(&tags_->warps[warp_index].arrived[lane]);
  }
  if ((warp.waiting & named) == named && all_arrived(warp, lane, named)) {
    complete(warp, warp_index, lane, op, named);
    warp.waiting &= ~named;
    queue_.add(warp_index, named);
  }
  wait(self);
  if (orders) {
    acquire(warp.acquired[lane]);
  }
  return warp.results[lane];
}

/// Lanes may wait for the caller in this collective, and for others in an earlier one.
bool Block::all_arrived(const Warp& warp, unsigned lane, std::uint32_t mask) const {
  for (std::uint32_t left = mask; left != 0; left &= left - 1) {
    const unsigned other = lowest(left);
    if (warp.keys[other] != warp.keys[lane] || !same_line(warp.places[other], warp.places[lane])) {
      return false;
    }
  }
  return true;
}

namespace {

template <class F>
void for_each_lane(std::uint32_t mask, F&& f) {
  for (; mask != 0; mask &= mask - 1) {
    f(lowest(mask));
  }
}

/// Gives all lanes the fold of their values, of which T is the type.
template <class T, class F>
void fold(Warp& warp, std::uint32_t mask, F&& f) {
  T result = static_cast<T>(warp.values[lowest(mask)]);
  for_each_lane(mask & (mask - 1), [&](unsigned lane) {
    result = static_cast<T>(f(result, static_cast<T>(warp.values[lane])));
  });
  for_each_lane(mask,
                [&](unsigned lane) { warp.results[lane] = static_cast<std::uint32_t>(result); });
}

std::uint32_t lanes_with(const Warp& warp, std::uint32_t mask, std::uint64_t value) {
  std::uint32_t lanes = 0;
  for_each_lane(mask, [&](unsigned lane) {
    lanes |= static_cast<std::uint32_t>(warp.values[lane] == value) << lane;
  });
  return lanes;
}

}  // namespace

void Block::complete(Warp& warp, unsigned warp_index, unsigned lane, WarpOp op,
                     std::uint32_t mask) {
  const auto give_all = [&](std::uint64_t result) {
    for_each_lane(mask, [&](unsigned other) { warp.results[other] = result; });
  };
  switch (op) {
    case WarpOp::kSync:
      if constexpr (kThreadSanitizer) {
        BlockTags::OfWarp& tags = tags_->warps[warp_index];
        for_each_lane(mask, [&](unsigned other) { acquire(&tags.arrived[other]); });
        void* tag = &tags.completed[lane][warp.n_completed[lane]++ % 2];
        release(tag);
        for_each_lane(mask, [&](unsigned other) { warp.acquired[other] = tag; });
      }
      return;
    case WarpOp::kShuffle:
      return complete_shuffle(warp, mask, warp.places[lane]);
    case WarpOp::kBallot:
      return give_all(mask & ~lanes_with(warp, mask, 0));
    case WarpOp::kAny:
      return give_all(lanes_with(warp, mask, 0) != mask ? 1 : 0);
    case WarpOp::kAll:
      return give_all(lanes_with(warp, mask, 0) == 0 ? 1 : 0);
    case WarpOp::kMatchAny:
      return for_each_lane(mask, [&](unsigned other) {
        warp.results[other] = lanes_with(warp, mask, warp.values[other]);
      });
    case WarpOp::kMatchAll:
      return give_all(lanes_with(warp, mask, warp.values[lane]) == mask ? mask : 0);
    case WarpOp::kAddReduce:
      return fold<std::uint32_t>(warp, mask, [](auto a, auto b) { return a + b; });
    case WarpOp::kMinSigned:
      return fold<std::int32_t>(warp, mask, [](auto a, auto b) { return std::min(a, b); });
    case WarpOp::kMinUnsigned:
      return fold<std::uint32_t>(warp, mask, [](auto a, auto b) { return std::min(a, b); });
    case WarpOp::kMaxSigned:
      return fold<std::int32_t>(warp, mask, [](auto a, auto b) { return std::max(a, b); });
    case WarpOp::kMaxUnsigned:
      return fold<std::uint32_t>(warp, mask, [](auto a, auto b) { return std::max(a, b); });
    case WarpOp::kAndReduce:
      return fold<std::uint32_t>(warp, mask, [](auto a, auto b) { return a & b; });
    case WarpOp::kOrReduce:
      return fold<std::uint32_t>(warp, mask, [](auto a, auto b) { return a | b; });
    case WarpOp::kXorReduce:
      return fold<std::uint32_t>(warp, mask, [](auto a, auto b) { return a ^ b; });
  }
}

void Block::complete_shuffle(Warp& warp, std::uint32_t mask, std::source_location where) {
  for_each_lane(mask, [&](unsigned lane) {
    const std::uint32_t source = warp.arguments[lane];
    if ((mask >> source & 1U) == 0) {
      fail<InactiveLane>(where, "a shuffle: lane " + std::to_string(lane) + " reads from lane " +
                                    std::to_string(source) + ", which is not in the mask " +
                                    hex(mask));
    }
    warp.results[lane] = warp.values[source];
  });
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
  warps_[self.index / kWarpSize].at_barrier |= 1U << (self.index % kWarpSize);
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
  for (unsigned w = 0; w < n_warps_; ++w) {
    warps_[w].at_barrier = 0;
    queue_.add(w, warps_[w].existing);
  }
}

/// Nobody can run, and somebody waits: says what is wrong with what they wait for.
std::exception_ptr Block::diagnose() const {
  for (unsigned w = 0; w < n_warps_; ++w) {
    const Warp& warp = warps_[w];
    for (std::uint32_t left = warp.waiting; left != 0; left &= left - 1) {
      const unsigned lane = lowest(left);
      const unsigned index = w * kWarpSize + lane;
      const std::string waits =
          std::string(name(op_of(warp.keys[lane]))) + " with mask " + hex(mask_of(warp.keys[lane]));
      if (n_at_barrier_ != 0) {
        return make_error<DivergentBarrier>(barrier_place_, first_at_barrier_,
                                            "this thread waits at this barrier while thread " +
                                                text(thread_of(index)) + " waits in " + waits +
                                                " at " + text(warp.places[lane]));
      }
      const std::uint32_t mates = mask_of(warp.keys[lane]) & warp.waiting;
      for (std::uint32_t others = mates; others != 0; others &= others - 1) {
        const unsigned other = lowest(others);
        if (warp.keys[other] != warp.keys[lane] ||
            !same_line(warp.places[other], warp.places[lane])) {
          return make_error<MismatchedCollective>(
              warp.places[lane], index,
              "lane " + std::to_string(lane) + " waits in " + waits + ", lane " +
                  std::to_string(other) + " in " + name(op_of(warp.keys[other])) + " with mask " +
                  hex(mask_of(warp.keys[other])) + " at " + text(warp.places[other]));
        }
      }
    }
  }
  return make_error<DivergentBarrier>(launch_, current_->index, "the threads of a block are stuck");
}

// --- Shared memory ---

void* Block::static_object(const SharedTag& tag, std::size_t n_bytes, std::size_t alignment) {
  if (void* object = shared_.find(tag); object != nullptr) {
    return object;
  }
  void* object = shared_.add(tag, n_bytes, alignment);
  const std::size_t total = shared_.static_bytes() + n_dynamic_;
  if (object == nullptr || shared_.static_bytes() > limits_.static_shared ||
      total > limits_.shared) {
    fail<BadLaunch>(tag.where, "shared object \"" + std::string(tag.name) + "\" of " +
                                   std::to_string(n_bytes) + " bytes makes " +
                                   std::to_string(shared_.static_bytes()) + " bytes static and " +
                                   std::to_string(n_dynamic_) + " dynamic; allowed are " +
                                   std::to_string(limits_.static_shared) + " static and " +
                                   std::to_string(limits_.shared) + " in all");
  }
  return object;
}

void Block::check_guards(std::source_location until) {
  const std::string broken = shared_.broken_guard();
  if (broken.empty()) {
    return;
  }
  const auto point = [&](std::source_location where) {
    return same_line(where, launch_) ? std::string("the begin or end of the block")
                                     : "the barrier at " + text(where);
  };
  const SharedOverrun error(
      Place{until, builtins_.block_index, {}},
      broken + " was written between " + point(guards_whole_at_) + " and " + point(until));
  if (t_running == nullptr) {
    throw error;
  }
  abort(std::make_exception_ptr(error));
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

void* static_shared(const SharedTag& tag, std::size_t n_bytes, std::size_t alignment) {
  return t_running->static_object(tag, n_bytes, alignment);
}

void* dynamic_shared() {
  return t_running->dynamic_memory();
}

void device_fence() {
  t_running->fence();
}

void fail_bad_argument(const char* what, std::source_location where) {
  t_running->fail<BadArgument>(where, what);
}

void fail_bad_address(const void* address, std::size_t alignment, std::source_location where) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string digits;
  for (auto left = reinterpret_cast<std::uintptr_t>(address); left != 0; left >>= 4U) {
    digits.insert(digits.begin(), kDigits[left & 15U]);
  }
  t_running->fail<BadAddress>(where, "address 0x" + (digits.empty() ? "0" : digits) +
                                         " is null or not a multiple of " +
                                         std::to_string(alignment));
}

}  // namespace furrow::simt
