// SPDX-License-Identifier: Apache-2.0
// What a thread that encodes takes of memory, against the constant that plans and manual have.
#include <fstream>

#include <gtest/gtest.h>
#include <unistd.h>

#include "host/plotting/record_encoding.hpp"

namespace furrow {
namespace {

/// Pages of this process that are in memory, in bytes.
std::uint64_t resident_bytes() {
  std::uint64_t all = 0;
  std::uint64_t resident = 0;
  std::ifstream("/proc/self/statm") >> all >> resident;
  return resident * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
}

class ProofTableBytes : public testing::TestWithParam<Network> {};

TEST_P(ProofTableBytes, AreWhatAThreadTakes) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "a sanitizer has memory of its own for each byte";
#endif
  const Network network = GetParam();
  auto record = std::make_unique<Record>();
  auto found_proofs = std::make_unique<FoundProofs>();
  const auto encode = [&](RecordEncoding& encoding) {
    record->fill({});  // what was encoded are no numbers of the field
    return encoding.encode(network, PosSeed(), PieceOffset(0), *record, *found_proofs);
  };
  // What is there once, code and tables that all share, is not of a thread.
  RecordEncoding other(kPosK, SimdMode::kBest);
  static_cast<void>(encode(other));
  const std::uint64_t before = resident_bytes();
  RecordEncoding encoding(kPosK, SimdMode::kBest);
  EXPECT_EQ(encode(encoding), EncodeOutcome::kComplete);
  const std::uint64_t taken = resident_bytes() - before;
  RecordProperty("bytes", std::to_string(taken));
  EXPECT_LE(taken, proof_table_bytes(network));
  EXPECT_GE(taken, proof_table_bytes(network) * 3 / 4);
}

INSTANTIATE_TEST_SUITE_P(EveryNetwork, ProofTableBytes, testing::ValuesIn(kNetworks),
                         [](const auto& of) { return traits_of(of.param).name; });

}  // namespace
}  // namespace furrow
