// SPDX-License-Identifier: Apache-2.0
// What a block says when its kernel is wrong.
#include <cstdio>
#include <cstring>

#include "simt/block.hpp"

namespace furrow::simt {

void Block::fail_inactive(const Warp& warp, unsigned lane) const {
  const std::uint32_t mask = warp.mask_of(lane);
  if ((mask >> lane & 1U) == 0) {
    fail<InactiveLane>(warp.places[lane],
                       warp.text(lane) + " leaves out its caller, lane " + std::to_string(lane));
  }
  fail<InactiveLane>(warp.places[lane], warp.text(lane) + " names lane " +
                                            std::to_string(lowest_lane(mask & warp.ended)) +
                                            ", which has ended");
}

/// Nobody can run, and somebody waits: says what is wrong with what they wait for.
std::exception_ptr Block::diagnose() const {
  for (unsigned w = 0; w < n_warps_; ++w) {
    const Warp& warp = warps_[w];
    for (std::uint32_t left = warp.waiting; left != 0; left &= left - 1) {
      const unsigned lane = lowest_lane(left);
      const unsigned index = w * kWarpSize + lane;
      if (n_at_barrier_ != 0) {
        return make_error<DivergentBarrier>(barrier_place_, first_at_barrier_,
                                            "this thread waits at this barrier while thread " +
                                                text(thread_of(index)) + " waits in " +
                                                warp.text(lane) + " at " + text(warp.places[lane]));
      }
      if (const int other = warp.mismatch(lane); other >= 0) {
        const auto mate = static_cast<unsigned>(other);
        return make_error<MismatchedCollective>(
            warp.places[lane], index,
            "lane " + std::to_string(lane) + " waits in " + warp.text(lane) + ", lane " +
                std::to_string(mate) + " in " + warp.text(mate) + " at " + text(warp.places[mate]));
      }
    }
  }
  return make_error<Stuck>(launch_, current_->index, "the threads of a block wait for ever");
}

void Block::check_guards(std::source_location until) const {
  const std::string broken = shared_.broken_guard();
  if (broken.empty()) {
    return;
  }
  const auto point = [&](std::source_location where) {
    return same_line(where, launch_) ? std::string("the begin or end of the block")
                                     : "the barrier at " + text(where);
  };
  throw SharedOverrun(
      Place{until, builtins_.block_index, {}},
      broken + " was written between " + point(guards_whole_at_) + " and " + point(until));
}

int Block::describe_running(const char* what, char* text, std::size_t n_bytes) const {
  const uint3 block = builtins_.block_index;
  const uint3 thread = current_->thread_index;
  char behind[96] = "before its first barrier";
  if (!same_line(guards_whole_at_, launch_)) {
    const char* const slash = std::strrchr(guards_whole_at_.file_name(), '/');
    std::snprintf(behind, sizeof(behind), "behind the barrier at %s:%u",
                  slash == nullptr ? guards_whole_at_.file_name() : slash + 1,
                  static_cast<unsigned>(guards_whole_at_.line()));
  }
  return std::snprintf(
      text, n_bytes,
      "\nSIMT harness: %s, in the kernel that %s launches, %s [block (%u,%u,%u), thread "
      "(%u,%u,%u), FURROW_SIMT_SCHEDULE=%s]\n",
      what, launch_text_.c_str(), behind, block.x, block.y, block.z, thread.x, thread.y, thread.z,
      schedule_text_.c_str());
}

// --- The face of kernels ---

void fail_too_many_threads(unsigned most, std::source_location where) {
  const Block& block = Block::running();
  block.fail<BadLaunch>(where, "the kernel is bound to " + std::to_string(most) +
                                   " threads in a block, the launch has " +
                                   std::to_string(block.n_threads()));
}

void fail_trapped(std::source_location where) {
  Block::running().fail<Trapped>(where, "__trap");
}

void fail_bad_argument(const char* what, std::source_location where) {
  Block::running().fail<BadArgument>(where, what);
}

void fail_bad_address(const void* address, std::size_t alignment, std::source_location where) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string digits;
  for (auto left = reinterpret_cast<std::uintptr_t>(address); left != 0; left >>= 4U) {
    digits.insert(digits.begin(), kDigits[left & 15U]);
  }
  Block::running().fail<BadAddress>(where, "address 0x" + (digits.empty() ? "0" : digits) +
                                               " is null or not a multiple of " +
                                               std::to_string(alignment));
}

}  // namespace furrow::simt
