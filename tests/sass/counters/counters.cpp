// SPDX-License-Identifier: Apache-2.0
#include "tests/sass/counters/counters.hpp"

#include <algorithm>
#include <cstdio>

namespace furrow::sass {
namespace {

constexpr unsigned kBanks = 32;

void add_memory(InstructionCount& to, const InstructionCount& from) {
  to.executed += from.executed;
  to.lanes += from.lanes;
  to.requests += from.requests;
  to.wavefronts += from.wavefronts;
  to.least_wavefronts += from.least_wavefronts;
  to.sectors += from.sectors;
  to.lines += from.lines;
}

/// Passes that some lanes need: of the words of one bank that differ, one a pass. Atomics on one
/// word follow one another.
unsigned passes(std::uint32_t lanes, const Lanes& addresses, unsigned bytes, bool is_atomic) {
  std::array<std::vector<std::uint32_t>, kBanks> words;
  visit_lanes(lanes, [&](unsigned i) {
    for (unsigned k = 0; k < std::max(1U, bytes / 4); ++k) {
      const std::uint32_t word = addresses.at[i] / 4 + k;
      auto& of_bank = words[word % kBanks];
      if (is_atomic || std::ranges::find(of_bank, word) == of_bank.end()) {
        of_bank.push_back(word);
      }
    }
  });
  std::size_t most = 0;
  for (const auto& of_bank : words) {
    most = std::max(most, of_bank.size());
  }
  return static_cast<unsigned>(most);
}

}  // namespace

LaunchCount& LaunchCount::operator+=(const LaunchCount& other) {
  executed += other.executed;
  lanes += other.lanes;
  for (std::size_t i = 0; i < kNumPipes; ++i) {
    by_pipe[i] += other.by_pipe[i];
  }
  add_memory(shared, other.shared);
  add_memory(global, other.global);
  shuffles += other.shuffles;
  barriers += other.barriers;
  cycles_alone += other.cycles_alone;
  return *this;
}

// 8 bytes a lane are served half a warp at a time, 16 bytes a quarter.
void Counters::shared_access(std::uint32_t at, std::uint32_t active, const Lanes& addresses,
                             unsigned bytes, bool is_atomic) {
  InstructionCount& count = counts_[at];
  ++count.requests;
  const unsigned lanes_at_once = bytes <= 4 ? kLanes : kLanes * 4 / bytes;
  for (unsigned first = 0; first < kLanes; first += lanes_at_once) {
    const std::uint32_t part = active & (kAllLanes >> (kLanes - lanes_at_once)) << first;
    if (part != 0) {
      count.wavefronts += passes(part, addresses, bytes, is_atomic);
      ++count.least_wavefronts;
    }
  }
}

void Counters::global_access(std::uint32_t at, std::uint32_t active,
                             const std::array<std::uint64_t, kLanes>& addresses) {
  InstructionCount& count = counts_[at];
  ++count.requests;
  std::vector<std::uint64_t> sectors;
  visit_lanes(active, [&](unsigned i) { sectors.push_back(addresses[i] / 32); });
  const auto distinct = [](std::vector<std::uint64_t>& numbers) {
    std::ranges::sort(numbers);
    numbers.erase(std::unique(numbers.begin(), numbers.end()), numbers.end());
    return numbers.size();
  };
  count.sectors += distinct(sectors);
  for (std::uint64_t& number : sectors) {
    number /= 4;
  }
  count.lines += distinct(sectors);
}

LaunchCount Counters::sum() const {
  LaunchCount sum;
  for (std::size_t i = 0; i < counts_.size(); ++i) {
    const InstructionCount& count = counts_[i];
    const Instruction& instruction = program_.code[i].instruction;
    sum.executed += count.executed;
    sum.lanes += count.lanes;
    sum.by_pipe[static_cast<std::size_t>(instruction.pipe)] += count.executed;
    switch (instruction.operation) {
      case Operation::kLds:
      case Operation::kSts:
      case Operation::kAtoms:
        add_memory(sum.shared, count);
        break;
      case Operation::kLdg:
      case Operation::kStg:
      case Operation::kAtomg:
        add_memory(sum.global, count);
        break;
      case Operation::kShfl:
        sum.shuffles += count.executed;
        break;
      case Operation::kBar:
        sum.barriers += count.executed;
        break;
      default:
        break;
    }
  }
  return sum;
}

std::string text(const LaunchCount& count) {
  const auto millions = [](std::uint64_t number) { return static_cast<double>(number) / 1e6; };
  char line[256];
  std::snprintf(line, sizeof line, "%.3f M instructions, %.2f lanes", millions(count.executed),
                count.executed == 0
                    ? 0.0
                    : static_cast<double>(count.lanes) / static_cast<double>(count.executed));
  std::string result = line;
  for (std::size_t i = 0; i < kNumPipes; ++i) {
    std::snprintf(line, sizeof line, ", %s %.3f", std::string(kPipeNames[i]).c_str(),
                  millions(count.by_pipe[i]));
    result += line;
  }
  std::snprintf(line, sizeof line, ", shuffles %.3f, barriers %.3f", millions(count.shuffles),
                millions(count.barriers));
  result += line;
  if (count.shared.requests + count.global.requests != 0) {
    std::snprintf(line, sizeof line,
                  "; shared: %.3f M requests, %.3f M wavefronts, %.3f M at least; global: %.3f M "
                  "requests, %.3f M sectors, %.3f M lines",
                  millions(count.shared.requests), millions(count.shared.wavefronts),
                  millions(count.shared.least_wavefronts), millions(count.global.requests),
                  millions(count.global.sectors), millions(count.global.lines));
    result += line;
  }
  return result;
}

}  // namespace furrow::sass
