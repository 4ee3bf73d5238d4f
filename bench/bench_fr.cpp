// SPDX-License-Identifier: Apache-2.0
// The erasure code over Fr for one record on one thread, with each instruction set for which it has a
// form of its own: scalar (plain), avx2 (BMI2 and ADX), avx3 (AVX-512 IFMA, where there is one). Run with
// --benchmark_repetitions=5 and quote medians; compare figures of one run only.
#include <algorithm>
#include <memory>
#include <random>
#include <string>

#include <benchmark/benchmark.h>

#include "host/base/simd_mode.hpp"
#include "host/erasure/fr_erasure_coding.hpp"

namespace furrow {
namespace {

/// Chunks of 31 random bytes, as sources of history have.
std::unique_ptr<Record> random_record() {
  auto record = std::make_unique<Record>();
  std::mt19937_64 random(1);
  for (RecordChunk& chunk : *record) {
    std::ranges::generate(chunk.bytes, [&] { return static_cast<std::uint8_t>(random()); });
    chunk.bytes[0] = 0;
  }
  return record;
}

void extend(benchmark::State& state, const std::string& target) {
  choose_simd_target(target);
  const auto source = random_record();
  const auto parity = std::make_unique<Record>();
  const FrErasureCoding erasure;
  for (auto _ : state) {
    erasure.extend_record(*source, *parity);
    benchmark::DoNotOptimize(parity->data());
  }
}

/// Half of the chunks missing, as when a piece is read back.
void recover(benchmark::State& state, const std::string& target) {
  choose_simd_target(target);
  const auto source = random_record();
  const auto parity = std::make_unique<Record>();
  const FrErasureCoding erasure;
  erasure.extend_record(*source, *parity);
  const auto extended = std::make_unique<ExtendedRecord>();
  for (std::size_t i = 0; i < kNumChunks; ++i) {
    (*extended)[2 * i] = (*source)[i];
    (*extended)[2 * i + 1] = (*parity)[i];
  }
  FoundProofs present;
  present.bytes.fill(0x5A);
  for (auto _ : state) {
    erasure.recover_record(*extended, present, *source);
    benchmark::DoNotOptimize(source->data());
  }
}

void find_invalid(benchmark::State& state) {
  const auto source = random_record();
  for (auto _ : state) {
    benchmark::DoNotOptimize(first_invalid_fr(*source));
  }
}
BENCHMARK(find_invalid)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace furrow

int main(int argc, char** argv) {
  for (const std::string& target : furrow::simd_targets()) {
    if (target == "scalar" || target == "avx2" || target == "avx3") {
      benchmark::RegisterBenchmark(("extend/" + target).c_str(), furrow::extend, target)
          ->Unit(benchmark::kMillisecond);
      benchmark::RegisterBenchmark(("recover/" + target).c_str(), furrow::recover, target)
          ->Unit(benchmark::kMillisecond);
    }
  }
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) {
    return 1;
  }
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
}
