// SPDX-License-Identifier: Apache-2.0
// How soon an encoder of the C interface ends or pauses when it is asked to, on the CPU: from the moment that the
// abort flag is set until the call has returned, and processor time that each thread still takes after a gate was
// closed. At random instants of a record. Run with --benchmark_repetitions=1; each line is many instants, of which
// median and worst are counters.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <ctime>
#include <random>
#include <stdexcept>
#include <thread>
#include <vector>

#include <benchmark/benchmark.h>

#include "furrow/furrow.h"

namespace {

using Clock = std::chrono::steady_clock;
using Seconds = std::chrono::duration<double>;

constexpr std::size_t kRecords = 64;  // more than are done before each is over

void check(furrow_status status) {
  if (status != FURROW_OK) {
    throw std::runtime_error(furrow_last_error());
  }
}

double processor_seconds() {
  timespec time{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

/// An encoder with a gate and a call of it that lasts until it is aborted.
class Encoding {
 public:
  explicit Encoding(std::uint32_t threads) : records_(kRecords * FURROW_RECORD_SIZE) {
    check(furrow_library_create(nullptr, &library_));
    check(furrow_gate_create(&gate_));
    furrow_encoder_config config;
    furrow_encoder_config_init(&config, sizeof(config));
    config.kind = "cpu";
    config.threads = threads;
    config.gate = gate_;
    check(furrow_encoder_open(library_, &config, &encoder_));
    map_.resize(kRecords * FURROW_FOUND_PROOFS_SIZE);
  }
  Encoding(const Encoding&) = delete;
  Encoding& operator=(const Encoding&) = delete;
  ~Encoding() {
    furrow_encoder_destroy(encoder_);
    furrow_gate_destroy(gate_);
    furrow_library_destroy(library_);
  }

  void begin() {
    abort_flag_ = 0;
    caller_ = std::jthread([this] {
      furrow_encode_records(encoder_, sector_id_.data(), records_.data(), kRecords, map_.data(),
                            &abort_flag_);
    });
    std::this_thread::sleep_for(std::chrono::milliseconds(20 + random_() % 200));
  }
  void abort_and_wait() {
    __atomic_store_n(&abort_flag_, 1, __ATOMIC_RELEASE);
    caller_.join();
  }
  void close_gate() { check(furrow_gate_close(gate_)); }
  void open_gate() { check(furrow_gate_open(gate_)); }

 private:
  std::mt19937_64 random_{1};
  std::vector<std::uint8_t> sector_id_ = std::vector<std::uint8_t>(FURROW_SECTOR_ID_SIZE, 3);
  std::vector<std::uint8_t> records_;
  std::vector<std::uint8_t> map_;
  furrow_library* library_ = nullptr;
  furrow_gate* gate_ = nullptr;
  furrow_encoder* encoder_ = nullptr;
  volatile std::uint8_t abort_flag_ = 0;
  std::jthread caller_;
};

void report(benchmark::State& state, std::vector<double> seconds) {
  std::sort(seconds.begin(), seconds.end());
  state.counters["median_ms"] = 1e3 * seconds[seconds.size() / 2];
  state.counters["worst_ms"] = 1e3 * seconds.back();
}

void abort_to_return(benchmark::State& state) {
  Encoding encoding(static_cast<std::uint32_t>(state.range(0)));
  std::vector<double> latencies;
  for (auto _ : state) {
    encoding.begin();
    const Clock::time_point set = Clock::now();
    encoding.abort_and_wait();
    latencies.push_back(Seconds(Clock::now() - set).count());
    state.SetIterationTime(latencies.back());
  }
  report(state, std::move(latencies));
}

void gate_to_pause(benchmark::State& state) {
  const auto threads = static_cast<std::uint32_t>(state.range(0));
  Encoding encoding(threads);
  std::vector<double> latencies;
  for (auto _ : state) {
    encoding.begin();
    encoding.close_gate();
    const double closed = processor_seconds();
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    latencies.push_back((processor_seconds() - closed) / threads);
    state.SetIterationTime(latencies.back());
    encoding.open_gate();
    encoding.abort_and_wait();
  }
  report(state, std::move(latencies));
}

BENCHMARK(abort_to_return)
    ->Arg(1)
    ->Arg(2)
    ->Iterations(60)
    ->UseManualTime()
    ->Unit(benchmark::kMillisecond);
BENCHMARK(gate_to_pause)
    ->Arg(1)
    ->Arg(2)
    ->Iterations(60)
    ->UseManualTime()
    ->Unit(benchmark::kMillisecond);

}  // namespace

BENCHMARK_MAIN();
