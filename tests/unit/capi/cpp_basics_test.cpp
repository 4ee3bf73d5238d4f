// SPDX-License-Identifier: Apache-2.0
// The C++ interface but for plotting: owners, errors, hooks, gates, encoders, and functions that need
// no handle but a library.
#include <algorithm>
#include <atomic>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "tests/unit/capi/cpp_fixture.hpp"

namespace furrow_cpp_test {
namespace {

using furrow::Outcome;

template <class... Owners>
constexpr bool are_moved_and_not_copied() {
  return ((std::is_nothrow_move_constructible_v<Owners> &&
           std::is_nothrow_move_assignable_v<Owners> &&
           !std::is_copy_constructible_v<Owners>)&&...);
}
static_assert(are_moved_and_not_copied<furrow::Library, furrow::Gate, furrow::Pause,
                                       furrow::Encoder, furrow::DeviceList, furrow::Farm,
                                       furrow::PieceSource, furrow::Batch, furrow::Plotter>());
static_assert(std::is_nothrow_copy_constructible_v<furrow::Error>);
static_assert(std::is_constructible_v<furrow::Bytes, const Buffer&> &&
              std::is_constructible_v<furrow::MutableBytes, Buffer&> &&
              !std::is_constructible_v<furrow::MutableBytes, const Buffer&>);

/// Records that differ, and their entries of the contents map.
struct Records {
  explicit Records(std::size_t n)
      : bytes(n * FURROW_RECORD_SIZE), map(n * FURROW_FOUND_PROOFS_SIZE) {
    for (std::size_t i = 0; i < bytes.size(); ++i) {
      bytes[i] = static_cast<std::uint8_t>(i % 251);
    }
    request.sector_id = {1, 2, 3};
    request.records = bytes;
    request.contents_map = map;
  }
  Records(const Records&) = delete;
  Records& operator=(const Records&) = delete;

  Buffer bytes;
  Buffer map;
  furrow::EncodeRequest request;
};

TEST(Cpp, ErrorsHaveStatusKindAndFields) {
  furrow::Library library;
  const auto position = error_of([&] { return cpu_encoder(library).member(99); });
  ASSERT_TRUE(position.has_value());
  EXPECT_EQ(position->status(), FURROW_INVALID_ARGUMENT);
  EXPECT_EQ(position->kind(), FURROW_ERROR_ARGUMENT);
  EXPECT_STREQ(position->kind_name(), "FURROW_ERROR_ARGUMENT");
  EXPECT_EQ(position->fields().expected, "less than 1");
  EXPECT_EQ(position->fields().actual, "99");
  EXPECT_FALSE(position->fields().piece_index.has_value());

  const auto absent =
      error_of([&] { return furrow::PieceSource::open_store(library, "/no/such/store"); });
  ASSERT_TRUE(absent.has_value());
  EXPECT_EQ(absent->status(), FURROW_IO_ERROR);
  EXPECT_EQ(absent->fields().system_error, ENOENT);
  EXPECT_NE(absent->fields().path.find("/no/such/store"), std::string::npos);
  EXPECT_TRUE(says(*absent, "/no/such/store")) << absent->what();
}

TEST(Cpp, CallsOnWhatWasMovedFromAreRefused) {
  furrow::Library library;
  furrow::Library library2(std::move(library));
  furrow::Gate gate;
  furrow::Gate gate2(std::move(gate));
  furrow::Encoder encoder = cpu_encoder(library2);
  furrow::Encoder encoder2(std::move(encoder));
  furrow::DeviceList devices(library2);
  furrow::DeviceList devices2(std::move(devices));
  // NOLINTBEGIN(bugprone-use-after-move,clang-analyzer-cplusplus.Move)
  for (const auto& error :
       {error_of([&] { library.release_memory(); }), error_of([&] { gate.close(); }),
        error_of([&] { return gate.pause(); }), error_of([&] { return encoder.info(); }),
        error_of([&] { return devices.size(); }), error_of([&] { return cpu_encoder(library); })}) {
    // NOLINTEND(bugprone-use-after-move,clang-analyzer-cplusplus.Move)
    ASSERT_TRUE(error.has_value());
    EXPECT_EQ(error->status(), FURROW_INVALID_ARGUMENT) << error->what();
  }
  library2.release_memory();
  gate2.pause().end();
  EXPECT_EQ(encoder2.info().member_count, 1U);
}

TEST(Cpp, HooksLiveUntilTheLastThatMayCallThem) {
  const auto token = std::make_shared<int>(0);
  const auto started = std::make_shared<std::atomic<int>>(0);
  const auto ended = std::make_shared<std::atomic<int>>(0);
  const auto make_encoder = [&] {
    furrow::LibraryOptions options;
    options.on_thread_start = [token = token, started](const char* name) {
      EXPECT_NE(std::string(name), "");
      ++*started;
      throw std::runtime_error("lost");
    };
    options.on_thread_end = [token = token, ended](const char*) { ++*ended; };
    const furrow::Library library(std::move(options));
    return cpu_encoder(library, 2);
  };
  {
    furrow::Encoder encoder = make_encoder();
    EXPECT_EQ(token.use_count(), 3) << "the library is gone, its functions are not";
    // What the encoder was is destroyed before the functions that its threads call when they end.
    encoder = cpu_encoder(furrow::Library());
    EXPECT_EQ(token.use_count(), 1);
    EXPECT_GT(*started, 0);
    EXPECT_EQ(*ended, *started);
  }
  { const furrow::Encoder encoder = make_encoder(); }
  EXPECT_EQ(*ended, *started);
  EXPECT_EQ(token.use_count(), 1);
}

TEST(Cpp, PausesCloseAndOpenTheGate) {
  furrow::Gate gate;
  EXPECT_EQ(error_of([&] { gate.open(); })->status(), FURROW_INVALID_ARGUMENT) << "open at first";
  {
    furrow::Pause outer = gate.pause();
    furrow::Pause moved = std::move(outer);
    gate.pause().end();
    gate.open();  // throws unless it is closed
    gate.close();
  }
  EXPECT_TRUE(error_of([&] { gate.open(); }).has_value());
}

TEST(Cpp, EncodersEncodeAndTellOfIt) {
  furrow::Library library;
  furrow::Gate gate;
  furrow::Encoder encoder = cpu_encoder(library, 2, &gate);
  EXPECT_EQ(encoder.info().threads, 2U);

  Records whole(2);
  std::vector<std::atomic<int>> told(2);
  whole.request.on_record = [&](std::size_t offset) { ++told.at(offset); };
  furrow::Pause pause = gate.pause();
  std::thread opener([&] { pause.end(); });
  EXPECT_EQ(encoder.encode(whole.request), Outcome::kDone);
  opener.join();
  EXPECT_EQ(told[0], 1);
  EXPECT_EQ(told[1], 1);
  EXPECT_EQ(encoder.info().records_done, 2U);
  EXPECT_EQ(encoder.member(0).records_done, 2U);

  Records second(2);  // of which the second one alone
  second.request.records = {second.bytes.data() + FURROW_RECORD_SIZE, FURROW_RECORD_SIZE};
  second.request.contents_map = {second.map.data(), FURROW_FOUND_PROOFS_SIZE};
  second.request.first_offset = 1;
  EXPECT_EQ(encoder.encode(second.request), Outcome::kDone);
  EXPECT_TRUE(std::equal(second.request.records.begin(), second.request.records.end(),
                         whole.bytes.begin() + FURROW_RECORD_SIZE));
}

TEST(Cpp, BuffersOfTheWrongSizeAreRefused) {
  furrow::Library library;
  furrow::Encoder encoder = cpu_encoder(library);
  Records records(1);
  records.request.contents_map = {records.map.data(), records.map.size() - 1};
  const auto map = error_of([&] { return encoder.encode(records.request); });
  ASSERT_TRUE(map.has_value());
  EXPECT_EQ(map->status(), FURROW_INVALID_ARGUMENT);
  EXPECT_TRUE(says(*map, "contents_map")) << map->what();
  EXPECT_EQ(map->fields().expected, std::to_string(FURROW_FOUND_PROOFS_SIZE));
  records.request.contents_map = records.map;
  records.request.records = {records.bytes.data(), records.bytes.size() - 1};
  EXPECT_TRUE(says(*error_of([&] { return encoder.encode(records.request); }), "records"));
}

TEST(Cpp, BeingCancelledIsNoError) {
  furrow::Library library;
  furrow::Encoder encoder = cpu_encoder(library);
  furrow::AbortFlag abort;
  EXPECT_FALSE(abort.is_set());
  abort.set();
  EXPECT_TRUE(abort.is_set());
  Records records(1);
  records.request.abort = &abort;
  EXPECT_EQ(encoder.encode(records.request), Outcome::kCancelled);
  EXPECT_EQ(furrow::make_proofs(library, {}, {}, &abort), std::nullopt);
  abort.reset();
  EXPECT_EQ(encoder.encode(records.request), Outcome::kDone);
}

TEST(Cpp, WhatAReportThrowsComesOutOfTheCallWhenItIsOver) {
  furrow::Library library;
  furrow::Encoder encoder = cpu_encoder(library);
  Records records(2);
  std::atomic<int> n_told = 0;
  records.request.on_record = [&](std::size_t) {
    ++n_told;
    throw std::domain_error("of the user");
  };
  EXPECT_THROW(static_cast<void>(encoder.encode(records.request)), std::domain_error);
  EXPECT_EQ(n_told, 1) << "it is not called again";
  EXPECT_EQ(encoder.info().records_done, 2U);
}

TEST(Cpp, DevicesOrAReasonWhyThereAreNone) {
  const furrow::Library library;
  furrow::DeviceList devices(library);
  EXPECT_EQ(devices.size() == 0, !devices.problem().empty());
  EXPECT_TRUE(error_of([&] { return devices.at(devices.size()); }).has_value());
  EXPECT_TRUE(error_of([&] { return devices.check(devices.size()); }).has_value());
  for (std::size_t i = 0; i < devices.size(); ++i) {
    EXPECT_EQ(devices.check(i).index, devices.at(i).index);
  }
}

TEST(Cpp, MemoryOfMoreThreadsIsMore) {
  const furrow::Library library;
  furrow::MemoryRequest request;
  request.threads = 1;
  request.pieces_in_sector = 2;
  const furrow_memory_plan one = furrow::plan_memory(library, request);
  request.threads = 2;
  const furrow_memory_plan two = furrow::plan_memory(library, request);
  EXPECT_GT(one.sector_bytes, 0U);
  EXPECT_GE(one.host_bytes, one.encoder_bytes + one.sector_bytes);
  EXPECT_EQ(two.encoder_bytes, 2 * one.encoder_bytes);
  request.devices = {"no such device"};
  EXPECT_TRUE(error_of([&] { return furrow::plan_memory(library, request); }));
}

TEST(Cpp, HashesAreBlake3) {
  // Of nothing, as the reference of BLAKE3 has it.
  const furrow::Hash of_nothing = furrow::hash({});
  EXPECT_EQ(of_nothing[0], 0xAF);
  EXPECT_EQ(of_nothing[31], 0x62);
  const Buffer messages = made_up_piece(1);
  const std::vector<furrow::Hash> many = furrow::hash_many({messages.data(), 160 * 3}, 160);
  ASSERT_EQ(many.size(), 3U);
  EXPECT_EQ(many[2], furrow::hash({messages.data() + 320, 160}));
  EXPECT_TRUE(error_of([&] { return furrow::hash_many({messages.data(), 161}, 160); }).has_value());
  EXPECT_TRUE(error_of([&] { return furrow::hash_many({}, 0); }).has_value());
}

TEST(Cpp, ProofsAreThoseOfTheirSeed) {
  furrow::Library library;
  const furrow::Hash seed = furrow::proof_seed({7}, 3);
  EXPECT_NE(seed, furrow::proof_seed({7}, 4));
  Buffer found(FURROW_FOUND_PROOFS_SIZE);
  Buffer hashes(std::size_t{FURROW_MAX_PROOFS} * FURROW_HASH_SIZE);
  Buffer proofs(std::size_t{FURROW_MAX_PROOFS} * FURROW_PROOF_SIZE);
  EXPECT_EQ(furrow::make_proofs(library, seed, {found, hashes, proofs}), FURROW_MAX_PROOFS);
  std::uint16_t s_bucket = 0;  // the first that has a proof
  while ((found[s_bucket / 8] >> (s_bucket % 8) & 1) == 0) {
    ++s_bucket;
  }
  const furrow::Bytes proof(proofs.data(), FURROW_PROOF_SIZE);
  EXPECT_TRUE(furrow::is_proof_valid(seed, s_bucket, proof));
  EXPECT_TRUE(
      std::equal(hashes.begin(), hashes.begin() + FURROW_HASH_SIZE, furrow::hash(proof).begin()));
  ++proofs[9];
  EXPECT_FALSE(furrow::is_proof_valid(seed, s_bucket, proof));
  EXPECT_TRUE(error_of([&] {
                return furrow::make_proofs(library, seed, {found, found, {}});
              }).has_value());
  EXPECT_GT(library.kept_memory(), 0U);
  library.release_memory();
  EXPECT_EQ(library.kept_memory(), 0U);
}

TEST(Cpp, ShardsAreExtendedAndRecovered) {
  const Buffer bytes = made_up_piece(2);
  const furrow::Bytes source0(bytes.data(), 64);
  const furrow::Bytes source1(bytes.data() + 64, 64);
  Buffer parity0(64);
  Buffer parity1(64);
  furrow::erasure_extend({source0, source1}, {parity0, parity1});
  Buffer recovered(64);
  Buffer second(source1.begin(), source1.end());
  std::vector<furrow::Shard> shards = {{FURROW_SHARD_WANTED, recovered},
                                       {FURROW_SHARD_PRESENT, second},
                                       {FURROW_SHARD_IGNORED, {}},
                                       {FURROW_SHARD_PRESENT, parity1}};
  furrow::erasure_recover(shards, 2);
  EXPECT_TRUE(std::equal(source0.begin(), source0.end(), recovered.begin()));
  shards[3] = {};
  const auto too_few = error_of([&] { furrow::erasure_recover(shards, 2); });
  ASSERT_TRUE(too_few.has_value());
  EXPECT_EQ(too_few->kind(), FURROW_ERROR_SHARDS) << too_few->what();
  EXPECT_TRUE(error_of([&] { furrow::erasure_recover(shards, 5); }).has_value());

  const furrow::Bytes record(bytes.data(), FURROW_RECORD_SIZE);
  Buffer parity(FURROW_RECORD_SIZE);
  furrow::erasure_extend_record(record, parity);
  EXPECT_TRUE(std::any_of(parity.begin(), parity.end(), [](std::uint8_t byte) { return byte; }));
  EXPECT_TRUE(error_of([&] { furrow::erasure_extend_record(record, second); }).has_value());
}

TEST(Cpp, TheLibraryIsAsNewAsTheHeaders) {
  EXPECT_GE(furrow::abi_version(), FURROW_ABI_VERSION);
  EXPECT_EQ(furrow::version().substr(0, 2), "0.");
}

}  // namespace
}  // namespace furrow_cpp_test
