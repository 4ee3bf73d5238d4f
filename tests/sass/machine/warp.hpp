// SPDX-License-Identifier: Apache-2.0
// The state of a warp. Its lanes stand in groups, each with a place in the code of its own: one
// group as long as all go together, more after a branch at which they part.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "tests/sass/decoder/instruction.hpp"
#include "tests/sass/machine/lanes.hpp"

namespace furrow::sass {

enum class Waiting : std::uint8_t { kNo, kAtReconvergence, kAtWarpsync, kAtBarrier };

struct Group {
  std::uint32_t next = 0;  ///< number of the instruction to come
  std::uint32_t lanes = 0;
  Waiting waiting = Waiting::kNo;
  /// Where it waits and for whom.
  std::uint32_t place = 0;
  std::uint32_t awaited = 0;
};

class Warp {
 public:
  /// Where results go that nobody wants.
  static constexpr unsigned kNowhere = kNumRegisters;

  /// A warp at the start of a kernel that uses `n_registers`.
  void start(unsigned number, std::uint32_t lanes, unsigned n_registers);

  /// Makes a group that can go on the current one; false if there is none.
  bool select();
  Group& current() { return groups_[current_]; }
  [[nodiscard]] const std::vector<Group>& groups() const { return groups_; }
  [[nodiscard]] std::uint32_t live() const { return live_; }

  /// Only `lanes` of the current group carry out its instruction; the others go on.
  void leave_others_behind(std::uint32_t lanes);
  /// Likewise, but the others will carry it out by themselves.
  void keep_others_here(std::uint32_t lanes);
  /// Some lanes of the current group go to `target`, the others on.
  void part(std::uint32_t lanes, std::uint32_t target);
  /// The current group waits for `awaited`; goes on with those that have come when all have.
  void wait(Waiting waiting, std::uint32_t place, std::uint32_t awaited);
  /// Nobody who awaits `awaited` at the reconvergence `number` awaits `lanes` any longer.
  void stay_away(std::uint32_t number, std::uint32_t awaited, std::uint32_t lanes);
  /// Lanes of the current group end.
  void end(std::uint32_t lanes);

  [[nodiscard]] bool is_at_barrier() const;
  void leave_barrier();

  unsigned number = 0;
  std::array<Lanes, kNumRegisters + 1> registers;
  /// A bit for each lane; uniform predicates have all bits alike.
  std::array<std::uint32_t, kNumPredicates> predicates{};
  /// Of each lane, those that it has to meet at a BSYNC.
  std::array<Lanes, 16> barriers;

 private:
  void merge(Waiting waiting, std::uint32_t place, std::uint32_t awaited);

  std::vector<Group> groups_;
  std::size_t current_ = 0;
  std::uint32_t live_ = 0;
};

}  // namespace furrow::sass
