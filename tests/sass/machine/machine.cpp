// SPDX-License-Identifier: Apache-2.0
#include "tests/sass/machine/machine.hpp"

#include <algorithm>
#include <cstdio>
#include <memory>
#include <numeric>
#include <random>

#include "tests/sass/counters/warp_clock.hpp"
#include "tests/sass/machine/context.hpp"

namespace furrow::sass {
namespace {

/// Dynamic shared memory begins at a multiple of this, behind the static one.
constexpr std::uint32_t kDynamicAlignment = 16;

class Machine {
 public:
  Machine(const Program& program, const LaunchShape& shape, DeviceMemory& memory,
          Findings& findings, const RunOptions& options)
      : kernel_(*program.kernel),
        shape_(shape),
        counters_(program, options.counts_memory),
        context_{.program = program,
                 .memory = memory,
                 .findings = findings,
                 .counters = options.counts_memory ? &counters_ : nullptr,
                 .shared = {},
                 .block_shape = shape.block},
        is_random_(options.seed != 0),
        instructions_left_(options.max_instructions),
        random_(options.seed) {
    n_threads_ = shape.block[0] * shape.block[1] * shape.block[2];
    for (unsigned i = 0; i < (n_threads_ + kLanes - 1) / kLanes; ++i) {
      warps_.push_back(std::make_unique<Warp>());
    }
    clocks_.resize(warps_.size());
  }

  LaunchCount run() {
    const std::uint64_t n_blocks = std::uint64_t{shape_.grid[0]} * shape_.grid[1] * shape_.grid[2];
    std::vector<std::uint64_t> order(n_blocks);
    std::iota(order.begin(), order.end(), std::uint64_t{0});
    if (is_random_) {
      std::ranges::shuffle(order, random_);
    }
    for (const std::uint64_t number : order) {
      start_block(number);
      run_block();
    }
    LaunchCount count = counters_.sum();
    count.cycles_alone = cycles_alone_;
    return count;
  }

 private:
  void start_block(std::uint64_t number) {
    context_.block = {static_cast<std::uint32_t>(number % shape_.grid[0]),
                      static_cast<std::uint32_t>(number / shape_.grid[0] % shape_.grid[1]),
                      static_cast<std::uint32_t>(number / shape_.grid[0] / shape_.grid[1])};
    const CompiledKernel& compiled = kernel_.compiled;
    const std::uint32_t end_of_static = compiled.shared_bytes;
    const std::uint32_t dynamic_at =
        (end_of_static + kDynamicAlignment - 1) / kDynamicAlignment * kDynamicAlignment;
    context_.shared.start_block(
        compiled.reserved_shared_bytes,
        shape_.dynamic_shared == 0 ? end_of_static : dynamic_at + shape_.dynamic_shared);
    for (unsigned i = 0; i < warps_.size(); ++i) {
      const std::uint32_t left = n_threads_ - i * kLanes;
      warps_[i]->start(i, left >= kLanes ? kAllLanes : (1U << left) - 1, compiled.n_registers);
      clocks_[i].start();
    }
  }

  void run_block() {
    std::vector<unsigned> order(warps_.size());
    std::iota(order.begin(), order.end(), 0U);
    while (true) {
      if (is_random_) {
        std::ranges::shuffle(order, random_);
      }
      for (const unsigned i : order) {
        run_warp(*warps_[i]);
      }
      if (std::ranges::all_of(warps_, [](const auto& warp) { return warp->live() == 0; })) {
        cycles_alone_ += latest();
        return;
      }
      pass_barrier();
    }
  }

  /// All warps wait at the barrier or have ended: lets them go on.
  void pass_barrier() {
    for (const auto& warp : warps_) {
      if (warp->live() != 0 && !warp->is_at_barrier()) {
        context_.warp = warp.get();
        context_.at = warp->groups().front().next;
        context_.fail("a deadlock: lanes wait for others that will never come");
      }
    }
    const std::uint64_t passed = latest() + WarpClock::kBarrierCycles;
    for (const auto& warp : warps_) {
      warp->leave_barrier();
      clocks_[warp->number].wait_until(passed);
    }
    context_.shared.pass_barrier();
  }

  /// The time of the warp that is furthest.
  [[nodiscard]] std::uint64_t latest() const {
    return std::ranges::max(clocks_, {}, &WarpClock::now).now();
  }

  /// Until it waits for other warps or has ended.
  void run_warp(Warp& warp) {
    context_.warp = &warp;
    const std::vector<Linked>& code = context_.program.code;
    while (warp.select()) {
      context_.at = warp.current().next;
      if (context_.at >= code.size()) {
        context_.fail("expected code, found the end of it");
      }
      if (instructions_left_ == 0) {
        context_.fail("the launch does not end");
      }
      --instructions_left_;
      const Linked& linked = code[context_.at];
      const std::uint32_t active = warp.current().lanes & read(context_, linked.instruction.guard);
      counters_.executed(context_.at, active);
      clocks_[warp.number].issue(linked.instruction);
      if (active == 0) {
        ++warp.current().next;
        continue;
      }
      context_.active = active;
      context_.written = linked.instruction.is_uniform ? kAllLanes : active;
      context_.has_moved = false;
      linked.execute(context_, linked);
      if (!context_.has_moved) {
        ++warp.current().next;
      }
    }
  }

  const Kernel& kernel_;
  const LaunchShape shape_;
  Counters counters_;
  Context context_;
  bool is_random_;
  std::uint64_t instructions_left_;
  std::mt19937_64 random_;
  std::uint32_t n_threads_ = 0;
  std::vector<std::unique_ptr<Warp>> warps_;
  std::vector<WarpClock> clocks_;  ///< of each warp
  std::uint64_t cycles_alone_ = 0;
};

void check_shape(const Kernel& kernel, const LaunchShape& shape, Bytes parameters) {
  const std::uint64_t n_threads = std::uint64_t{shape.block[0]} * shape.block[1] * shape.block[2];
  const std::uint32_t most = kernel.compiled.max_threads == 0 ? 1024 : kernel.compiled.max_threads;
  if (n_threads == 0 || n_threads > most) {
    throw BadLaunch(kernel.name + ": expected 1 to " + std::to_string(most) +
                    " threads a block, actual " + std::to_string(n_threads));
  }
  if (parameters.size() != kernel.compiled.parameters_bytes) {
    throw BadLaunch(kernel.name + ": expected " + std::to_string(kernel.compiled.parameters_bytes) +
                    " bytes of parameters, actual " + std::to_string(parameters.size()));
  }
}

}  // namespace

void Context::fail(const std::string& what) const {
  char place[160];
  std::snprintf(place, sizeof place,
                " for compute capability %u at 0x%x, block (%u, %u, %u), warp %u: ",
                program.kernel->compiled.architecture, 16 * at, block[0], block[1], block[2],
                warp == nullptr ? 0 : warp->number);
  const std::string_view name =
      at < program.code.size() ? program.code[at].instruction.name : "no instruction";
  throw KernelFault(program.kernel->name + place + std::string(name) + ": " + what);
}

LaunchCount run(const Kernel& kernel, const LaunchShape& shape, Bytes parameters,
                DeviceMemory& memory, Findings& findings, const RunOptions& options) {
  check_shape(kernel, shape, parameters);
  const ConstantBanks constants(kernel.compiled, shape, parameters);
  const Program program = link(kernel, constants);
  return Machine(program, shape, memory, findings, options).run();
}

}  // namespace furrow::sass
