// SPDX-License-Identifier: Apache-2.0
// The CUDA engine on device 0: each kernel, records and sectors, transfers. Times are the device's
// own (events) where one stream is measured, and the host's clock where several work together.
// Quote medians of --benchmark_repetitions=5; compare figures of one run only.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <string_view>

#include "bench/cuda_bench.hpp"
#include "cuda/runtime/check.hpp"
#include "cuda/runtime/cuda_api.hpp"

namespace furrow::cuda {
namespace {

int attribute(cudaDeviceAttr which) {
  int value = 0;
  check(cudaDeviceGetAttribute(&value, which, 0), "cudaDeviceGetAttribute");
  return value;
}

CardLimits find_limits() {
  cudaDeviceProp properties{};
  check(cudaGetDeviceProperties(&properties, 0), "cudaGetDeviceProperties");
  std::size_t free_bytes = 0;
  std::size_t total_bytes = 0;
  check(cudaMemGetInfo(&free_bytes, &total_bytes), "cudaMemGetInfo");
  CardLimits limits;
  limits.name = properties.name;
  limits.free_bytes = free_bytes;
  // Two transfers in each clock.
  limits.bytes_per_second = 2e3 * attribute(cudaDevAttrMemoryClockRate) *
                            (attribute(cudaDevAttrGlobalMemoryBusWidth) / 8.0);
  return limits;
}

void add_context() {
  int driver = 0;
  int runtime = 0;
  check(cudaDriverGetVersion(&driver), "cudaDriverGetVersion");
  check(cudaRuntimeGetVersion(&runtime), "cudaRuntimeGetVersion");
  benchmark::AddCustomContext("card", card_limits().name);
  benchmark::AddCustomContext("cuda_driver", std::to_string(driver));
  benchmark::AddCustomContext("cuda_runtime", std::to_string(runtime));
  benchmark::AddCustomContext("multiprocessors",
                              std::to_string(attribute(cudaDevAttrMultiProcessorCount)));
  benchmark::AddCustomContext("clock_khz", std::to_string(attribute(cudaDevAttrClockRate)));
  benchmark::AddCustomContext("memory_clock_khz",
                              std::to_string(attribute(cudaDevAttrMemoryClockRate)));
}

}  // namespace

const CardLimits& card_limits() {
  static const CardLimits limits = find_limits();
  return limits;
}

void PartTimer::around(StreamView stream, const std::function<void()>& enqueue) {
  start_.record(stream);
  enqueue();
  end_.record(stream);
}

double PartTimer::seconds() const {
  end_.synchronize();
  return 1e-3 * static_cast<double>(milliseconds_between(start_, end_));
}

double seconds_on_device(StreamView stream, const std::function<void()>& enqueue) {
  PartTimer timer;
  timer.around(stream, enqueue);
  return timer.seconds();
}

void report(benchmark::State& state, const Work& work, double total_seconds) {
  const double seconds = total_seconds / static_cast<double>(state.iterations());
  const CardLimits& limits = card_limits();
  constexpr double kGiB = 1024.0 * 1024 * 1024;
  if (work.records > 0) {
    state.counters["ms_per_record"] = 1e3 * seconds / work.records;
  }
  if (work.bytes > 0) {
    state.counters["GiB_per_s"] = work.bytes / kGiB / seconds;
    state.counters["share_of_memory"] = work.bytes / seconds / limits.bytes_per_second;
  }
  if (work.transferred > 0) {
    state.counters["bus_GiB_per_s"] = work.transferred / kGiB / seconds;
  }
}

std::vector<std::uint8_t> made_up_bytes(std::size_t n_bytes, std::uint64_t seed) {
  std::vector<std::uint8_t> bytes(n_bytes);
  for (std::uint8_t& byte : bytes) {
    seed = seed * 6364136223846793005U + 1442695040888963407U;
    byte = static_cast<std::uint8_t>(seed >> 56);
  }
  return bytes;
}

std::int64_t fitting(std::int64_t most, std::uint64_t n_bytes) {
  std::int64_t n = 1;
  while (2 * n <= most &&
         static_cast<std::uint64_t>(2 * n) * n_bytes <= card_limits().free_bytes / 5 * 4) {
    n *= 2;
  }
  return n;
}

}  // namespace furrow::cuda

namespace {

/// As the device suites say it.
constexpr int kSkipped = 77;

bool only_lists(int argc, char** argv) {
  return std::any_of(argv, argv + argc, [](std::string_view argument) {
    return argument.starts_with("--benchmark_list_tests");
  });
}

}  // namespace

int main(int argc, char** argv) {
  int n_devices = 0;
  if (cudaGetDeviceCount(&n_devices) != cudaSuccess || n_devices == 0) {
    std::fprintf(stderr, "bench_cuda: no CUDA device\n");
    return kSkipped;
  }
  const bool runs = !only_lists(argc, argv);
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) {
    return 2;
  }
#if defined(FURROW_PTX_ALONE)
  std::fprintf(stderr,
               "bench_cuda: built for several architectures: what is timed is what the driver "
               "makes of PTX, not the code that the program has for this card\n");
#endif
  furrow::cuda::add_context();
  furrow::cuda::register_kernel_benchmarks();
  furrow::cuda::register_pipeline_benchmarks();
  if (runs) {
    furrow::cuda::warm_up(std::chrono::seconds(1));
  }
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
