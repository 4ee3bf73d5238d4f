// SPDX-License-Identifier: Apache-2.0
#include "simt/grid.hpp"

#include <cstdint>
#include <memory>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "simt/block.hpp"
#include "simt/errors.hpp"
#include "simt/fatal_signals.hpp"
#include "simt/schedule.hpp"

namespace furrow::simt {
namespace {

// Limits of every compute capability from 7.5 on.
constexpr std::uint64_t kMaxGridX = 0x7FFFFFFF;
constexpr std::uint64_t kMaxGridYZ = 65535;
constexpr std::uint64_t kMaxBlockXY = 1024;
constexpr std::uint64_t kMaxBlockZ = 64;

thread_local std::unique_ptr<Block> t_engine;
constinit thread_local const BlockRange* t_blocks = nullptr;
// Of the launches of this thread, so that under a shuffled schedule no two have the same order.
thread_local std::uint64_t t_n_launches = 0;

void require(bool good, const std::string& what, std::source_location where) {
  if (!good) {
    throw BadLaunch(Place{where, {}, {}}, what);
  }
}

/// The order of the blocks that the schedule asks for; empty for ascending.
std::vector<std::uint64_t> order_of(const Schedule& schedule, std::uint64_t n_blocks,
                                    ScheduleRandom& random) {
  std::vector<std::uint64_t> order;
  if (schedule.kind == Schedule::Kind::kShuffle || schedule.kind == Schedule::Kind::kDescending) {
    order.resize(n_blocks);
    std::iota(order.rbegin(), order.rend(), 0);
  }
  if (schedule.kind == Schedule::Kind::kShuffle) {
    for (std::uint64_t i = n_blocks; i > 1; --i) {
      std::swap(order[i - 1], order[random.next() % i]);
    }
  }
  return order;
}

/// The numbers from `first` up to `end` that lie below `extent`.
struct Span {
  Span(unsigned first_number, unsigned end, unsigned extent)
      : first(first_number),
        size(std::min(end, extent) - std::min(first_number, std::min(end, extent))) {}
  unsigned first;
  std::uint64_t size;
};

}  // namespace

ScopedBlocks::ScopedBlocks(const BlockRange& range) : outer_(t_blocks), range_(range) {
  t_blocks = &range_;
}

ScopedBlocks::~ScopedBlocks() {
  t_blocks = outer_;
}

BlockRange current_blocks() {
  return t_blocks == nullptr ? BlockRange{} : *t_blocks;
}

void check_shape(const GridShape& shape, std::source_location where) {
  const auto within = [&](const char* what, std::uint64_t actual, std::uint64_t limit) {
    require(actual >= 1 && actual <= limit,
            std::string(what) + " is " + std::to_string(actual) + ", allowed are 1 to " +
                std::to_string(limit),
            where);
  };
  within("gridDim.x", shape.grid.x, kMaxGridX);
  within("gridDim.y", shape.grid.y, kMaxGridYZ);
  within("gridDim.z", shape.grid.z, kMaxGridYZ);
  within("blockDim.x", shape.block.x, kMaxBlockXY);
  within("blockDim.y", shape.block.y, kMaxBlockXY);
  within("blockDim.z", shape.block.z, kMaxBlockZ);
  within("the number of threads of a block",
         std::uint64_t{shape.block.x} * shape.block.y * shape.block.z, kMaxThreadsPerBlock);
  require(shape.dynamic_shared <= shape.max_dynamic_shared,
          "asked for " + std::to_string(shape.dynamic_shared) +
              " bytes of dynamic shared memory, allowed are " +
              std::to_string(shape.max_dynamic_shared),
          where);
}

void run_grid(const GridShape& shape, const std::function<void()>& body,
              std::source_location where) {
  run_grid(shape, body, nullptr, where);
}

void run_grid(const GridShape& shape, const std::function<void()>& body, Timeline* timeline,
              std::source_location where) {
  check_shape(shape, where);
  if (t_engine == nullptr) {
    t_engine = std::make_unique<Block>();
  }
  watch_this_thread();
  Block& engine = *t_engine;
  const Schedule schedule = current_schedule();
  ScheduleRandom random(schedule.seed + 0x632BE59BD9B4E019U * t_n_launches++);
  const Span x(shape.blocks.first.x, shape.blocks.end.x, shape.grid.x);
  const Span y(shape.blocks.first.y, shape.blocks.end.y, shape.grid.y);
  const Span z(shape.blocks.first.z, shape.blocks.end.z, shape.grid.z);
  const std::uint64_t n_blocks = x.size * y.size * z.size;
  const std::vector<std::uint64_t> order = order_of(schedule, n_blocks, random);

  Block::Limits limits;
  limits.shared = shape.max_shared;
  engine.begin_grid(shape.grid, shape.block, shape.dynamic_shared, limits, body, timeline, where);
  try {
    for (std::uint64_t i = 0; i < n_blocks; ++i) {
      const std::uint64_t at = order.empty() ? i : order[i];
      const uint3 block_index{x.first + static_cast<unsigned>(at % x.size),
                              y.first + static_cast<unsigned>(at / x.size % y.size),
                              z.first + static_cast<unsigned>(at / x.size / y.size)};
      engine.run(block_index, random.next());
    }
  } catch (...) {
    engine.end_grid();
    throw;
  }
  engine.end_grid();
}

}  // namespace furrow::simt
