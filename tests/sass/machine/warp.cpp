// SPDX-License-Identifier: Apache-2.0
#include "tests/sass/machine/warp.hpp"

#include <algorithm>

namespace furrow::sass {

void Warp::start(unsigned new_number, std::uint32_t lanes, unsigned n_registers) {
  constexpr std::uint32_t kGarbage = 0xDEAD0000;
  number = new_number;
  live_ = lanes;
  groups_.assign(1, {.lanes = lanes});
  current_ = 0;
  for (unsigned i = 0; i < n_registers; ++i) {
    registers[i] = same_in_all_lanes(kGarbage + i);
  }
  for (unsigned i = kFirstUniform; i < kUniformZero; ++i) {
    registers[i] = same_in_all_lanes(kGarbage + i);
  }
  registers[kZeroRegister] = same_in_all_lanes(0);
  registers[kUniformZero] = same_in_all_lanes(0);
  predicates.fill(0);
  predicates[kTrue] = kAllLanes;
  predicates[kUniformTrue] = kAllLanes;
  barriers.fill(same_in_all_lanes(0));
}

bool Warp::select() {
  if (current_ < groups_.size() && groups_[current_].waiting == Waiting::kNo) {
    return true;
  }
  for (std::size_t i = 0; i < groups_.size(); ++i) {
    if (groups_[i].waiting == Waiting::kNo) {
      current_ = i;
      return true;
    }
  }
  return false;
}

void Warp::leave_others_behind(std::uint32_t lanes) {
  const Group whole = current();
  if (whole.lanes != lanes) {
    current().lanes = lanes;
    groups_.push_back({.next = whole.next + 1, .lanes = whole.lanes & ~lanes});
  }
}

void Warp::keep_others_here(std::uint32_t lanes) {
  const Group whole = current();
  if (whole.lanes != lanes) {
    current().lanes = lanes;
    groups_.push_back({.next = whole.next, .lanes = whole.lanes & ~lanes});
  }
}

void Warp::part(std::uint32_t lanes, std::uint32_t target) {
  Group& group = current();
  if (lanes == group.lanes) {
    group.next = target;
    return;
  }
  group.lanes &= ~lanes;
  ++group.next;
  groups_.push_back({.next = target, .lanes = lanes});
}

void Warp::wait(Waiting waiting, std::uint32_t place, std::uint32_t awaited) {
  Group& group = current();
  group.waiting = waiting;
  group.place = place;
  group.awaited = awaited;
  if (waiting == Waiting::kAtBarrier) {
    ++group.next;
  } else {
    merge(waiting, place, awaited);
  }
}

void Warp::merge(Waiting waiting, std::uint32_t place, std::uint32_t awaited) {
  // A WARPSYNC is passed by all of its lanes together, wherever in the code each of them is.
  const auto belongs = [&](const Group& group) {
    return group.waiting == waiting && group.awaited == awaited &&
           (waiting == Waiting::kAtWarpsync || group.place == place);
  };
  std::uint32_t here = 0;
  std::vector<Group> merged;
  for (const Group& group : groups_) {
    if (!belongs(group)) {
      continue;
    }
    here |= group.lanes;
    const auto same = std::ranges::find(merged, group.next + 1, &Group::next);
    if (same == merged.end()) {
      merged.push_back({.next = group.next + 1, .lanes = group.lanes});
    } else {
      same->lanes |= group.lanes;
    }
  }
  if (here == 0 || (awaited & live_ & ~here) != 0) {
    return;
  }
  std::erase_if(groups_, belongs);
  groups_.insert(groups_.end(), merged.begin(), merged.end());
  current_ = groups_.size() - 1;
}

void Warp::stay_away(std::uint32_t at, std::uint32_t awaited, std::uint32_t lanes) {
  const std::uint32_t left = awaited & ~lanes;
  barriers[at] = for_lanes(
      [&](unsigned i) { return barriers[at].at[i] == awaited ? left : barriers[at].at[i]; });
  const std::size_t mine = current_;
  for (Group& group : groups_) {
    if (group.waiting == Waiting::kAtReconvergence && group.place == at &&
        group.awaited == awaited) {
      group.awaited = left;
    }
  }
  // Those who waited may go on now; this group goes on as it is.
  const std::uint32_t my_lanes = groups_[mine].lanes;
  merge(Waiting::kAtReconvergence, at, left);
  for (std::size_t i = 0; i < groups_.size(); ++i) {
    if (groups_[i].lanes == my_lanes) {
      current_ = i;
    }
  }
}

void Warp::end(std::uint32_t lanes) {
  live_ &= ~lanes;
  Group& group = current();
  group.lanes &= ~lanes;
  ++group.next;
  std::erase_if(groups_, [](const Group& one) { return one.lanes == 0; });
  current_ = 0;
  // Nobody waits any longer for those that have ended.
  for (const Group& one : std::vector<Group>(groups_)) {
    if (one.waiting == Waiting::kAtReconvergence || one.waiting == Waiting::kAtWarpsync) {
      merge(one.waiting, one.place, one.awaited);
    }
  }
}

bool Warp::is_at_barrier() const {
  return live_ != 0 && std::ranges::all_of(groups_, [](const Group& group) {
           return group.waiting == Waiting::kAtBarrier;
         });
}

void Warp::leave_barrier() {
  for (Group& group : groups_) {
    group.waiting = Waiting::kNo;
  }
}

}  // namespace furrow::sass
