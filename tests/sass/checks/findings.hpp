// SPDX-License-Identifier: Apache-2.0
// What is wrong with a kernel though it could go on.
#pragma once

#include <cstdint>
#include <map>
#include <string>

namespace furrow::sass {

enum class Finding : std::uint8_t {
  kUnwrittenGlobal,   ///< read or changed global memory that nobody had written
  kUnwrittenShared,   ///< likewise shared memory
  kSharedRace,        ///< two warps, one of them writing, with no barrier between them
  kTwoValues,         ///< lanes that store different values to one place at once
  kInactiveLane,      ///< shuffle from a lane that does not take part
  kDivergentBarrier,  ///< some lanes of a warp at a barrier of the block, others not
};

std::string text(Finding finding);

class Findings {
 public:
  /// `instruction` is the number of it in its kernel.
  void add(Finding finding, const std::string& kernel, std::size_t instruction) {
    ++found_[{finding, kernel, instruction}];
  }
  [[nodiscard]] bool empty() const { return found_.empty(); }
  [[nodiscard]] bool has(Finding finding) const;
  void clear() { found_.clear(); }
  /// One line for each place.
  [[nodiscard]] std::string report() const;

 private:
  struct Place {
    Finding finding;
    std::string kernel;
    std::size_t instruction;
    auto operator<=>(const Place&) const = default;
  };
  std::map<Place, std::uint64_t> found_;
};

}  // namespace furrow::sass
