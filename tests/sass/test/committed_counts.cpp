// SPDX-License-Identifier: Apache-2.0
#include "tests/sass/test/committed_counts.hpp"

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <map>
#include <random>
#include <stdexcept>
#include <string>

#include <gtest/gtest.h>

#include "nlohmann/json.hpp"

namespace furrow::sass {
namespace {

using Json = nlohmann::json;

Json read_counts(unsigned architecture) {
  std::ifstream file(FURROW_SASS_COUNTS);
  for (const Json& counted : Json::parse(file)) {
    if (counted.at("architecture") == architecture) {
      return counted;
    }
  }
  throw std::runtime_error(FURROW_SASS_COUNTS ": nothing for compute capability " +
                           std::to_string(architecture));
}

/// Launches of one kernel, added up.
std::map<std::string, Launched> by_kernel(const std::vector<Launched>& launches) {
  std::map<std::string, Launched> kernels;
  for (const Launched& launched : launches) {
    const auto [at, is_new] = kernels.try_emplace(launched.name, launched);
    if (!is_new) {
      at->second.count += launched.count;
    }
  }
  return kernels;
}

void expect_near(const Json& wanted, std::uint64_t actual, const std::string& what) {
  const double counted = wanted.get<double>();
  // In another order of blocks other lanes wait for one another: half a percent of the branches. The
  // smallest kernels execute some hundred instructions of a pipe.
  EXPECT_NEAR(counted, static_cast<double>(actual), 0.01 * counted + 20) << what;
}

void expect_same(const Json& wanted, const Launched& actual) {
  EXPECT_EQ(wanted.at("registers"), actual.n_registers);
  EXPECT_EQ(wanted.at("shared_bytes"), actual.shared_bytes);
  expect_near(wanted.at("executed"), actual.count.executed, "executed");
  for (std::size_t i = 0; i < kNumPipes; ++i) {
    const std::string pipe(kPipeNames[i]);
    expect_near(wanted.at("pipes").at(pipe), actual.count.by_pipe[i], pipe);
  }
}

}  // namespace

CountedRecord counted_record() {
  std::mt19937_64 random(1);
  CountedRecord counted{.seed = {}, .record = std::make_unique<Record>()};
  for (std::uint8_t& byte : counted.seed.bytes) {
    byte = static_cast<std::uint8_t>(random());
  }
  for (std::uint8_t& byte : mutable_bytes_of(*counted.record)) {
    byte = static_cast<std::uint8_t>(random());
  }
  return counted;
}

void expect_committed_counts(unsigned architecture, const std::vector<Launched>& launches) {
  SCOPED_TRACE(
      "the model is out of date unless this is right: count_instructions --out FILE, "
      "bench/model.py (bench/model.md), and the path in tests/sass/CMakeLists.txt");
  const Json counted = read_counts(architecture);
  if (counted.at("nvcc") != FURROW_SASS_NVCC) {
    std::printf("counts by nvcc %s, not compared with what nvcc %s made\n",
                counted.at("nvcc").get<std::string>().c_str(), FURROW_SASS_NVCC);
    return;
  }
  const std::map<std::string, Launched> kernels = by_kernel(launches);
  EXPECT_EQ(counted.at("record").size(), kernels.size());
  for (const Json& wanted : counted.at("record")) {
    const auto name = wanted.at("kernel").get<std::string>();
    SCOPED_TRACE(name);
    const auto actual = kernels.find(name);
    if (actual == kernels.end()) {
      ADD_FAILURE() << "counted, and not launched";
      continue;
    }
    expect_same(wanted, actual->second);
  }
}

}  // namespace furrow::sass
