// SPDX-License-Identifier: Apache-2.0
// The card that the interpreter plays. Programs that nvcc compiled, linked with cuda_runtime.cpp
// in place of NVIDIA's runtime, find it as device 0 and launch their kernels on it, as they are. One
// thread of a program at a time may use it.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tests/sass/machine/machine.hpp"

namespace furrow::sass {

struct Launched {
  std::string name;
  LaunchCount count;
  LaunchShape shape;
  std::uint32_t n_registers = 0;      ///< of a thread
  std::uint32_t shared_bytes = 0;     ///< of a block, with what the driver keeps
  std::optional<int> shared_percent;  ///< of a multiprocessor's memory that was asked for
};

/// What a multiprocessor of an architecture has; figures of NVIDIA's tables of compute capabilities.
struct Multiprocessor {
  std::uint32_t threads;
  std::uint32_t shared_bytes;
  std::uint32_t kept_bytes;  ///< of shared memory, by the driver, of each block
};
[[nodiscard]] Multiprocessor multiprocessor_of(unsigned architecture);

class Card {
 public:
  /// There is one.
  static Card& instance();

  // What a test sets and asks for.

  /// 75, 80, 86, 89 or 90: which code of the program is run.
  void set_architecture(unsigned architecture);
  [[nodiscard]] unsigned architecture() const { return architecture_; }
  void set_options(const RunOptions& options) { options_ = options; }
  [[nodiscard]] const RunOptions& options() const { return options_; }
  /// Leaves out the instruction `at` of the kernel of that readable name, until reset.
  void leave_out(const std::string& name, std::uint32_t at);
  void leave_out_nothing() { left_out_.reset(); }
  Findings& findings() { return findings_; }
  std::vector<Launched>& launches() { return launches_; }
  [[nodiscard]] const std::vector<Launched>& launches() const { return launches_; }
  DeviceMemory& memory() { return memory_; }
  /// A kernel that the program has, by the address of its host function.
  const Kernel& kernel(const void* function);
  /// Host functions of the kernels of the engine, not of tests, whose readable name begins so.
  [[nodiscard]] std::vector<const void*> functions_named(const std::string& begin) const;

  // What the runtime calls.

  void register_function(const void* function, const std::string& name, Bytes fat_binary);
  void launch(const void* function, const LaunchShape& shape, void** parameters);
  /// How much of a multiprocessor's memory its launches want for shared memory, -1 to 100; false for a
  /// kernel that the program does not have, or another number.
  bool prefer_shared(const void* function, int percent);

 private:
  struct Registered {
    std::string name;
    Bytes fat_binary;
  };
  struct LeftOut {
    std::string name;
    std::uint32_t at;
  };

  unsigned architecture_ = 90;
  RunOptions options_;
  DeviceMemory memory_;
  Findings findings_;
  std::vector<Launched> launches_;
  std::optional<LeftOut> left_out_;
  std::map<const void*, Registered> registered_;
  std::map<const void*, int> shared_percent_;
  /// By architecture and function.
  std::map<std::pair<unsigned, const void*>, std::unique_ptr<Kernel>> kernels_;
};

}  // namespace furrow::sass
