// SPDX-License-Identifier: Apache-2.0
// furrow/c/proofs.h: the golden proofs, whole or not at all.
#include <array>
#include <atomic>
#include <cstdint>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "host/pos/proof_table.hpp"
#include "tests/unit/capi/capi_support.hpp"
#include "tests/unit/capi/golden_vectors.hpp"

namespace furrow {
namespace {

using nlohmann::json;
using test::expect_null_refused;
using test::expect_overlap_refused;
using test::expect_refused;
using test::make_library;
using test::OddBuffer;

/// A request with all outputs, at odd addresses.
struct Proofs {
  explicit Proofs(const std::vector<std::uint8_t>& of) : seed(of) {
    furrow_proofs_request_init(&request, sizeof(request));
    request.seed = seed.data();
    request.found_proofs = found_proofs.data();
    request.hashes = hashes.data();
    request.proofs = proofs.data();
  }
  [[nodiscard]] bool is_untouched() const {
    return found_proofs.is_untouched() && hashes.is_untouched() && proofs.is_untouched() &&
           count == 12345;
  }
  furrow_status make(const test::LibraryHandle& library) {
    return furrow_proofs_make(library.get(), &request, &count);
  }

  OddBuffer seed;
  OddBuffer found_proofs{FURROW_FOUND_PROOFS_SIZE};
  OddBuffer hashes{std::size_t{FURROW_MAX_PROOFS} * FURROW_HASH_SIZE};
  OddBuffer proofs{std::size_t{FURROW_MAX_PROOFS} * FURROW_PROOF_SIZE};
  std::size_t count = 12345;
  furrow_proofs_request request{};
};

void expect_golden(Proofs& made, const json& entry) {
  EXPECT_EQ(made.count, entry.at("num_set_bits").get<std::size_t>());
  EXPECT_EQ(test::digest(made.found_proofs.bytes()), entry.at("found_proofs_blake3"));
  EXPECT_EQ(test::digest(made.hashes.bytes()), entry.at("proof_hashes_blake3"));
  EXPECT_EQ(test::digest(made.proofs.bytes()), entry.at("proofs_blake3"));
}

std::uint64_t kept_memory(const test::LibraryHandle& library) {
  std::uint64_t bytes = 0;
  EXPECT_EQ(furrow_library_kept_memory(library.get(), &bytes), FURROW_OK);
  return bytes;
}

TEST(CProofs, AreTheGoldenOnesAndTheirMemoryIsKept) {
  const json entry = test::golden("pos").at("cases").at(0);
  const auto library = make_library();
  EXPECT_EQ(kept_memory(library), 0U);
  Proofs made(test::from_hex(entry.at("seed")));
  ASSERT_EQ(made.make(library), FURROW_OK) << furrow_last_error();
  expect_golden(made, entry);
  EXPECT_EQ(kept_memory(library), proof_table_bytes(Network::kAbundance));
  ASSERT_EQ(furrow_library_release_memory(library.get()), FURROW_OK);
  EXPECT_EQ(kept_memory(library), 0U);
}

TEST(CProofs, OutputsThatAreNotWantedAreLeftOut) {
  const json entry = test::golden("pos").at("cases").at(1);
  const auto library = make_library();
  Proofs made(test::from_hex(entry.at("seed")));
  furrow_proofs_request request = made.request;
  request.found_proofs = nullptr;
  request.proofs = nullptr;
  ASSERT_EQ(furrow_proofs_make(library.get(), &request, nullptr), FURROW_OK);
  EXPECT_EQ(test::digest(made.hashes.bytes()), entry.at("proof_hashes_blake3"));
  request = made.request;
  request.hashes = nullptr;
  request.found_proofs = nullptr;
  ASSERT_EQ(furrow_proofs_make(library.get(), &request, nullptr), FURROW_OK);
  EXPECT_EQ(test::digest(made.proofs.bytes()), entry.at("proofs_blake3"));
  request.proofs = nullptr;
  ASSERT_EQ(furrow_proofs_make(library.get(), &request, &made.count), FURROW_OK);
  EXPECT_EQ(made.count, entry.at("num_set_bits").get<std::size_t>());
  EXPECT_TRUE(made.found_proofs.is_untouched());
}

TEST(CProofs, TwoThreadsOfOneLibraryGetTheirOwn) {
  const json cases = test::golden("pos").at("cases");
  const auto library = make_library();
  std::array<Proofs, 2> made = {Proofs(test::from_hex(cases.at(0).at("seed"))),
                                Proofs(test::from_hex(cases.at(1).at("seed")))};
  {
    const std::jthread other([&] { EXPECT_EQ(made[1].make(library), FURROW_OK); });
    EXPECT_EQ(made[0].make(library), FURROW_OK);
  }
  expect_golden(made[0], cases.at(0));
  expect_golden(made[1], cases.at(1));
}

TEST(CProofs, AFlagThatIsSetBeforeCancelsBeforeAnythingIsMade) {
  const auto library = make_library();
  Proofs made(std::vector<std::uint8_t>(FURROW_HASH_SIZE));
  const std::uint8_t flag = 7;
  made.request.abort_flag = &flag;
  EXPECT_EQ(made.make(library), FURROW_CANCELLED);
  EXPECT_EQ(test::last_error().status, FURROW_CANCELLED);
  EXPECT_EQ(test::last_error().kind, FURROW_ERROR_CANCELLED);
  EXPECT_NE(std::string(furrow_last_error()).find("cancelled"), std::string::npos);
  EXPECT_TRUE(made.is_untouched());
  EXPECT_EQ(kept_memory(library), 0U);
}

/// A library that sets `*flag` when the thread has started that watches it.
test::LibraryHandle library_that_sets(volatile std::uint8_t& flag) {
  furrow_library_options options;
  furrow_library_options_init(&options, sizeof(options));
  options.thread_user = const_cast<std::uint8_t*>(&flag);
  options.on_thread_start = [](void* user, const char*) {
    __atomic_store_n(static_cast<std::uint8_t*>(user), std::uint8_t{1}, __ATOMIC_RELEASE);
  };
  return make_library(&options);
}

TEST(CProofs, AFlagThatIsSetMeanwhileLeavesTheOutputsAsTheyWere) {
  const json entry = test::golden("pos").at("cases").at(0);
  Proofs made(test::from_hex(entry.at("seed")));
  volatile std::uint8_t flag = 0;
  const auto library = library_that_sets(flag);
  made.request.abort_flag = &flag;
  // Proofs may be done before a thread that has to wait for a processor has looked; not each time.
  furrow_status status = FURROW_OK;
  for (int round = 0; round < 20 && status == FURROW_OK; ++round) {
    flag = 0;
    made = Proofs(test::from_hex(entry.at("seed")));
    made.request.abort_flag = &flag;
    status = made.make(library);
  }
  EXPECT_EQ(status, FURROW_CANCELLED);
  EXPECT_EQ(test::last_error().kind, FURROW_ERROR_CANCELLED);
  EXPECT_TRUE(made.is_untouched());
  made.request.abort_flag = nullptr;
  EXPECT_EQ(made.make(library), FURROW_OK) << "the memory of what was cancelled is as good as new";
  expect_golden(made, entry);
}

TEST(CProofs, DestroyingTheLibraryEndsThem) {
  furrow_status status = FURROW_OK;
  for (int round = 0; round < 20 && status == FURROW_OK; ++round) {
    std::atomic<bool> has_begun = false;
    furrow_library_options options;
    furrow_library_options_init(&options, sizeof(options));
    options.thread_user = &has_begun;
    options.on_thread_start = [](void* user, const char*) {
      auto& begun = *static_cast<std::atomic<bool>*>(user);
      begun = true;
      begun.notify_all();
    };
    auto library = make_library(&options);
    Proofs made(std::vector<std::uint8_t>(FURROW_HASH_SIZE));
    const volatile std::uint8_t flag = 0;
    made.request.abort_flag = &flag;
    std::jthread caller([&status, &made, raw = library.get()] {
      status = furrow_proofs_make(raw, &made.request, &made.count);
    });
    has_begun.wait(false);
    library.reset();
    caller.join();
    EXPECT_EQ(made.is_untouched(), status == FURROW_CANCELLED);
  }
  EXPECT_EQ(status, FURROW_CANCELLED);
}

TEST(CProofs, StructAndPointersAreChecked) {
  const auto library = make_library();
  Proofs made(std::vector<std::uint8_t>(FURROW_HASH_SIZE));
  furrow_proofs_request valid = made.request;
  valid.found_proofs = valid.hashes = valid.proofs = nullptr;
  test::expect_struct_rules(valid, [&](const furrow_proofs_request* request) {
    return furrow_proofs_make(library.get(), request, nullptr);
  });
  expect_null_refused(furrow_proofs_make(nullptr, &made.request, nullptr), "library");
  made.request.seed = nullptr;
  expect_null_refused(made.make(library), "seed");
  EXPECT_TRUE(made.is_untouched());
}

TEST(CProofs, BuffersThatOverlapAreRefused) {
  const auto library = make_library();
  Proofs made(std::vector<std::uint8_t>(FURROW_HASH_SIZE));
  const furrow_proofs_request valid = made.request;
  made.request.hashes = made.proofs.data() + made.proofs.size() - 1;
  expect_overlap_refused(made.make(library));
  made.request = valid;
  made.request.found_proofs = made.hashes.data() + made.hashes.size() - 1;
  expect_overlap_refused(made.make(library));
  made.request = valid;
  made.request.seed = made.proofs.data() + 100;
  expect_overlap_refused(made.make(library));
  made.request = valid;
  made.request.found_proofs = reinterpret_cast<std::uint8_t*>(&made.count);
  expect_overlap_refused(made.make(library));
  EXPECT_TRUE(made.is_untouched());
}

TEST(CProof, VerificationAgreesWithTheGoldenVectors) {
  const json entries = test::golden("pos").at("cases");
  std::size_t n_valid = 0;
  std::size_t n_invalid = 0;
  for (const json& entry : entries) {
    OddBuffer seed(test::from_hex(entry.at("seed")));
    for (const json& attempt : entry.at("verification")) {
      OddBuffer proof(test::from_hex(attempt.at("proof")));
      if (proof.size() != FURROW_PROOF_SIZE) {
        continue;
      }
      int is_valid = -1;
      ASSERT_EQ(furrow_proof_verify(seed.data(), attempt.at("s_bucket").get<std::uint16_t>(),
                                    proof.data(), &is_valid),
                FURROW_OK);
      EXPECT_EQ(is_valid, attempt.at("valid").get<bool>() ? 1 : 0) << attempt.at("note");
      ++(is_valid == 1 ? n_valid : n_invalid);
    }
  }
  EXPECT_GE(n_valid, entries.size());
  EXPECT_GE(n_invalid, entries.size());
  OddBuffer bytes(FURROW_PROOF_SIZE);
  int is_valid = -1;
  expect_null_refused(furrow_proof_verify(nullptr, 0, bytes.data(), &is_valid), "seed");
  expect_null_refused(furrow_proof_verify(bytes.data(), 0, nullptr, &is_valid), "proof");
  expect_null_refused(furrow_proof_verify(bytes.data(), 0, bytes.data(), nullptr), "is_valid");
  EXPECT_EQ(is_valid, -1);
}

TEST(CProof, SeedIsTheGoldenOne) {
  const json entries = test::golden("sector_id").at("cases");
  ASSERT_GE(entries.size(), 40U);
  for (const json& entry : entries) {
    OddBuffer sector_id(test::from_hex(entry.at("sector_id")));
    for (const json& piece : entry.at("pieces")) {
      OddBuffer seed(FURROW_HASH_SIZE);
      ASSERT_EQ(furrow_proof_seed(sector_id.data(), piece.at("piece_offset").get<std::size_t>(),
                                  seed.data()),
                FURROW_OK);
      EXPECT_EQ(to_hex(seed.bytes()), piece.at("evaluation_seed"));
    }
  }
  OddBuffer bytes(64);
  expect_null_refused(furrow_proof_seed(nullptr, 0, bytes.data()), "sector_id");
  expect_null_refused(furrow_proof_seed(bytes.data(), 0, nullptr), "seed");
  expect_refused(furrow_proof_seed(bytes.data(), 65'536, bytes.data() + 32), "65536");
  expect_refused(furrow_proof_seed(bytes.data(), SIZE_MAX, bytes.data() + 32), "piece offset");
  expect_overlap_refused(furrow_proof_seed(bytes.data(), 0, bytes.data() + 31));
  EXPECT_TRUE(bytes.is_untouched());
  EXPECT_EQ(furrow_proof_seed(bytes.data(), 65'535, bytes.data() + 32), FURROW_OK);
}

}  // namespace
}  // namespace furrow
