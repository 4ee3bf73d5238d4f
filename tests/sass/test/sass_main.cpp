// SPDX-License-Identifier: Apache-2.0
// Runs a suite on the interpreted card. A test fails when the card has findings at its end.
//
//   FURROW_SASS_ARCHITECTURE=75   which of the compiled architectures; the newest otherwise
//   FURROW_SASS_SEED=1            the order of blocks and warps; 0 for ascending, random otherwise
//   FURROW_SASS_MEMORY=1          also counts what memory accesses break up into
#include <cstdio>
#include <cstdlib>
#include <random>

#include <gtest/gtest.h>

#include "tests/sass/card/card.hpp"
#include "tests/sass/test/architectures.hpp"

namespace {

using furrow::sass::Card;

std::uint64_t number_from(const char* variable, std::uint64_t otherwise) {
  const char* const text = std::getenv(variable);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 0);
}

class NoFindings : public testing::EmptyTestEventListener {
  void OnTestStart(const testing::TestInfo&) override {
    Card::instance().findings().clear();
    Card::instance().launches().clear();
  }
  void OnTestEnd(const testing::TestInfo&) override {
    EXPECT_TRUE(Card::instance().findings().empty()) << Card::instance().findings().report();
  }
};

}  // namespace

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  const std::uint64_t seed = number_from("FURROW_SASS_SEED", std::random_device{}());
  const auto architecture = static_cast<unsigned>(
      number_from("FURROW_SASS_ARCHITECTURE", furrow::sass::compiled_architectures().back()));
  std::printf("Compute capability %u, FURROW_SASS_SEED=%llu\n", architecture,
              static_cast<unsigned long long>(seed));
  Card::instance().set_architecture(architecture);
  Card::instance().set_options(
      {.seed = seed, .counts_memory = number_from("FURROW_SASS_MEMORY", 0) != 0});
  testing::UnitTest::GetInstance()->listeners().Append(new NoFindings);
  return RUN_ALL_TESTS();
}
