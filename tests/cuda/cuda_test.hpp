// SPDX-License-Identifier: Apache-2.0
// What the suites of the CUDA engine share: bytes to and from a device, and every schedule of the
// harness. On a device the hardware schedules, so there a test runs once.
#pragma once

#include <cstdint>
#include <functional>
#include <random>
#include <span>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "cuda/runtime/check.hpp"
#include "cuda/runtime/device_buffer.hpp"
#include "cuda/simt.cuh"

#if !defined(__CUDACC__)
#include "simt/fake_cuda.hpp"
#include "simt/test/kernel_test.hpp"
#endif

namespace furrow::cuda {

inline void for_each_schedule(const std::function<void()>& test, unsigned n_shuffles = 2) {
#if defined(__CUDACC__)
  static_cast<void>(n_shuffles);
  test();
#else
  simt::for_each_schedule(test, n_shuffles);
#endif
}

/// A seed that is new in each run and printed when the test fails.
class RandomSeed {
 public:
  RandomSeed() : seed_(std::random_device{}()), trace_(__FILE__, __LINE__, text()) {}
  [[nodiscard]] std::uint64_t value() const { return seed_; }

 private:
  [[nodiscard]] std::string text() const { return "seed " + std::to_string(seed_); }
  std::uint64_t seed_;
  testing::ScopedTrace trace_;
};

inline std::vector<std::uint8_t> random_bytes(std::size_t n_bytes, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::vector<std::uint8_t> bytes(n_bytes);
  for (std::uint8_t& byte : bytes) {
    byte = static_cast<std::uint8_t>(random());
  }
  return bytes;
}

template <class T>
DeviceBuffer<T> to_device(StreamView stream, std::span<const T> values) {
  DeviceBuffer<T> buffer(stream, values.size());
  check(cudaMemcpyAsync(buffer.data(), values.data(), values.size_bytes(), cudaMemcpyHostToDevice,
                        stream.get()));
  stream.synchronize();
  return buffer;
}

inline DeviceBuffer<std::uint8_t> bytes_to_device(StreamView stream,
                                                  std::span<const std::uint8_t> bytes) {
  return to_device(stream, bytes);
}

/// Waits for the stream.
template <class T>
std::vector<T> to_host(StreamView stream, const T* d_values, std::size_t size) {
  std::vector<T> values(size);
  check(cudaMemcpyAsync(values.data(), d_values, size * sizeof(T), cudaMemcpyDeviceToHost,
                        stream.get()));
  stream.synchronize();
  return values;
}

}  // namespace furrow::cuda
