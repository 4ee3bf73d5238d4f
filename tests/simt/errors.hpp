// SPDX-License-Identifier: Apache-2.0
// What the SIMT harness finds wrong with a kernel or its launch. Every error names the source line
// of the offending call, the block and the thread, and the schedule that shows it again.
#pragma once

#include <source_location>
#include <string>

#include "furrow/errors.hpp"

#include "simt/vector_types.hpp"

namespace furrow::simt {

/// Where a harness error happened. In errors of a launch, block and thread are zero.
struct Place {
  std::source_location where;
  uint3 block{};
  uint3 thread{};
};

/// `cuda/kernels/f1.cuh:31`, the path shortened to what follows the project's root.
[[nodiscard]] std::string text(const std::source_location& where);
/// `(1,0,0)`.
[[nodiscard]] std::string text(uint3 index);

/// Base of all harness errors. The message is "FILE:LINE: what [block, thread, schedule]".
class SimtError : public Error {
 public:
  SimtError(const Place& place, const std::string& what);
  [[nodiscard]] const Place& place() const noexcept { return place_; }
  [[nodiscard]] unsigned line() const noexcept { return place_.where.line(); }

 private:
  Place place_;
};

/// Threads of a block wait at different barriers, or some at a barrier and some in a warp
/// collective that waits for them.
class DivergentBarrier : public SimtError {
  using SimtError::SimtError;
};

/// A thread ended before others of its block reached a barrier.
class ExitBeforeBarrier : public SimtError {
  using SimtError::SimtError;
};

/// The mask of a warp collective leaves out its caller or names a thread that has ended, or a
/// shuffle reads from a lane outside the mask.
class InactiveLane : public SimtError {
  using SimtError::SimtError;
};

/// Lanes that name each other in their masks wait in different warp collectives: of other kinds,
/// with other masks or on other lines.
class MismatchedCollective : public SimtError {
  using SimtError::SimtError;
};

/// Threads run on and on, as in a loop that waits for another thread, and nothing gets done.
class Stuck : public SimtError {
  using SimtError::SimtError;
};

/// The kernel called `__trap`.
class Trapped : public SimtError {
  using SimtError::SimtError;
};

/// Bytes around an object in shared memory were written.
class SharedOverrun : public SimtError {
  using SimtError::SimtError;
};

/// A launch that no device could carry out: its shape, or more shared memory than allowed.
class BadLaunch : public SimtError {
  using SimtError::SimtError;
};

/// An address that CUDA would fault on: null or not aligned to its type.
class BadAddress : public SimtError {
  using SimtError::SimtError;
};

/// A call that CUDA leaves undefined, such as a shuffle width that is no power of two.
class BadArgument : public SimtError {
  using SimtError::SimtError;
};

/// Work of a stream uses memory that was freed before the stream got there.
class FreedTooEarly : public Error {
 public:
  explicit FreedTooEarly(const std::string& what) : Error(ErrorKind::kInternal, what) {}
};

}  // namespace furrow::simt
