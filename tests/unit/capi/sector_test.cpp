// SPDX-License-Identifier: Apache-2.0
// furrow/c/sector.h but for reading pieces: golden identifiers and piece indices, sizes, and plans
// that no sector has.
#include <array>
#include <cstdint>
#include <cstring>
#include <functional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "host/capi/sector_plan.hpp"
#include "host/plotting/plotted_sector.hpp"
#include "host/primitives/sector_id.hpp"
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

furrow_sector_plan new_plan() {
  furrow_sector_plan plan;
  furrow_sector_plan_init(&plan, sizeof(plan));
  plan.pieces_in_sector = 2;
  plan.history_size = 1;
  return plan;
}

furrow_sector_plan golden_plan(const json& entry) {
  furrow_sector_plan plan = new_plan();
  std::ranges::copy(test::from_hex(entry.at("public_key_hash")), plan.public_key_hash);
  std::ranges::copy(test::from_hex(entry.at("shard_commitments_root")),
                    plan.shard_commitments_root);
  plan.sector_index = entry.at("sector_index");
  plan.history_size = test::number(entry.at("history_size"));
  plan.pieces_in_sector = FURROW_MAX_PIECES_IN_SECTOR;
  if (entry.contains("recent_segments")) {
    plan.max_pieces_in_sector = entry.at("max_pieces_in_sector");
    plan.recent_segments = test::number(entry.at("recent_segments"));
    plan.recent_history_numerator = test::number(entry.at("recent_history_fraction").at(0));
    plan.recent_history_denominator = test::number(entry.at("recent_history_fraction").at(1));
  } else {
    plan.pieces_in_sector = entry.at("pieces_in_sector");
  }
  return plan;
}

TEST(CSector, InitGivesADevelopmentChain) {
  furrow_sector_plan plan;
  std::memset(&plan, 0xEE, sizeof(plan));
  furrow_sector_plan_init(&plan, sizeof(plan));
  const FarmerProtocolInfo chain;
  EXPECT_EQ(plan.size, sizeof(plan));
  EXPECT_EQ(plan.max_pieces_in_sector, chain.max_pieces_in_sector);
  EXPECT_EQ(plan.recent_segments, chain.recent_segments.count());
  EXPECT_EQ(plan.recent_history_numerator, chain.recent_history_numerator.count());
  EXPECT_EQ(plan.recent_history_denominator, chain.recent_history_denominator.count());
  EXPECT_EQ(plan.min_sector_lifetime, chain.min_sector_lifetime.count());
  EXPECT_EQ(plan.history_size, 0U);
  EXPECT_EQ(plan.pieces_in_sector, 0U);
}

TEST(CSector, IdAndPieceIndicesAreTheGoldenOnes) {
  const json entries = test::golden("sector_id").at("cases");
  ASSERT_GE(entries.size(), 40U);
  for (const json& entry : entries) {
    const furrow_sector_plan plan = golden_plan(entry);
    OddBuffer sector_id(FURROW_HASH_SIZE);
    ASSERT_EQ(furrow_sector_id(&plan, sector_id.data()), FURROW_OK) << furrow_last_error();
    EXPECT_EQ(to_hex(sector_id.bytes()), entry.at("sector_id"));
    std::vector<std::uint64_t> indices(plan.pieces_in_sector);
    ASSERT_EQ(furrow_sector_piece_indices(&plan, indices.data(), indices.size()), FURROW_OK)
        << furrow_last_error();
    for (const json& piece : entry.at("pieces")) {
      const std::size_t offset = piece.at("piece_offset");
      if (offset < indices.size()) {
        EXPECT_EQ(indices[offset], test::number(piece.at("piece_index"))) << offset;
      }
    }
  }
  const json sectors = test::golden("sector").at("cases");
  ASSERT_GE(sectors.size(), 4U);
  for (const json& entry : sectors) {
    const furrow_sector_plan plan = golden_plan(entry);
    std::vector<std::uint64_t> indices(plan.pieces_in_sector);
    ASSERT_EQ(furrow_sector_piece_indices(&plan, indices.data(), indices.size()), FURROW_OK);
    for (std::size_t i = 0; i < indices.size(); ++i) {
      EXPECT_EQ(indices[i], test::number(entry.at("piece_indexes").at(i)));
    }
  }
}

TEST(CSector, SizesAreThoseOfTheEngine) {
  EXPECT_EQ(furrow_sector_size(1000), 1'057'784'064U);
  const json sectors = test::golden("sector").at("cases");
  ASSERT_GE(sectors.size(), 4U);
  for (const json& entry : sectors) {
    EXPECT_EQ(furrow_sector_size(entry.at("pieces_in_sector").get<std::size_t>()),
              entry.at("sector_len").get<std::size_t>());
  }
  for (const std::size_t pieces : {1U, 2U, 63U, 64U, 1000U}) {
    PlottedSector sector;
    sector.sector_metadata.pieces_in_sector = static_cast<std::uint16_t>(pieces);
    sector.piece_indexes.resize(pieces);
    EXPECT_EQ(furrow_plotted_sector_size(pieces), sector.encode().size()) << pieces;
  }
  for (const std::size_t pieces :
       {std::size_t{0}, std::size_t{1001}, std::size_t{65'537}, SIZE_MAX}) {
    EXPECT_EQ(furrow_sector_size(pieces), 0U) << pieces;
    EXPECT_EQ(furrow_plotted_sector_size(pieces), 0U) << pieces;
  }
}

TEST(CSector, PlansThatNoSectorHasAreRefused) {
  struct Wrong {
    const char* member;
    std::function<void(furrow_sector_plan&)> make;
  };
  const std::vector<Wrong> all = {
      {"pieces_in_sector", [](auto& plan) { plan.pieces_in_sector = 0; }},
      {"pieces_in_sector", [](auto& plan) { plan.pieces_in_sector = 1001; }},
      {"max_pieces_in_sector", [](auto& plan) { plan.max_pieces_in_sector = 0; }},
      {"reserved0", [](auto& plan) { plan.reserved0 = 1; }},
      {"history_size", [](auto& plan) { plan.history_size = 0; }},
      {"recent_segments", [](auto& plan) { plan.recent_segments = 0; }},
      {"recent_history_numerator", [](auto& plan) { plan.recent_history_numerator = 0; }},
      {"recent_history_denominator", [](auto& plan) { plan.recent_history_denominator = 0; }},
      {"min_sector_lifetime", [](auto& plan) { plan.min_sector_lifetime = 0; }},
  };
  OddBuffer sector_id(FURROW_HASH_SIZE);
  std::array<std::uint64_t, 2> indices = {1, 2};
  for (const Wrong& wrong : all) {
    furrow_sector_plan plan = new_plan();
    wrong.make(plan);
    expect_refused(furrow_sector_id(&plan, sector_id.data()), wrong.member);
    expect_refused(furrow_sector_piece_indices(&plan, indices.data(), 2), wrong.member);
  }
  EXPECT_TRUE(sector_id.is_untouched());
  EXPECT_EQ(indices, (std::array<std::uint64_t, 2>{1, 2}));
}

TEST(CSector, ParametersForWhichTheRuleIsNotDefinedAreRefused) {
  furrow_sector_plan plan = new_plan();
  plan.recent_segments = UINT64_MAX;
  plan.recent_history_denominator = UINT64_MAX;
  std::array<std::uint64_t, 2> indices = {1, 2};
  expect_refused(furrow_sector_piece_indices(&plan, indices.data(), 2), "overflow");
  // Longer than its recent part only for odd offsets: the first index is no reason to write.
  plan = new_plan();
  plan.recent_segments = 3;
  plan.recent_history_numerator = 3;
  plan.recent_history_denominator = 1;
  plan.history_size = 2;
  expect_refused(furrow_sector_piece_indices(&plan, indices.data(), 2), "recent part");
  EXPECT_EQ(indices, (std::array<std::uint64_t, 2>{1, 2}));
}

TEST(CSector, StructAndPointersAreChecked) {
  const furrow_sector_plan plan = new_plan();
  OddBuffer bytes(64);
  std::array<std::uint64_t, 3> indices = {1, 2, 3};
  test::expect_struct_rules(
      plan, [&](const furrow_sector_plan* given) { return furrow_sector_id(given, bytes.data()); });
  test::expect_struct_rules(plan, [&](const furrow_sector_plan* given) {
    return furrow_sector_piece_indices(given, indices.data(), 2);
  });
  expect_null_refused(furrow_sector_id(&plan, nullptr), "sector_id");
  expect_null_refused(furrow_sector_piece_indices(&plan, nullptr, 2), "piece_indices");
  for (const std::size_t count : {std::size_t{0}, std::size_t{1}, std::size_t{3}, SIZE_MAX}) {
    expect_refused(furrow_sector_piece_indices(&plan, indices.data(), count), "count");
  }
  expect_null_refused(furrow_public_key_hash(nullptr, bytes.data()), "public_key");
  expect_null_refused(furrow_public_key_hash(bytes.data(), nullptr), "hash");
  const auto library = make_library();
  expect_null_refused(furrow_shard_commitments_root(nullptr, bytes.data(), 1, bytes.data() + 32),
                      "library");
  expect_null_refused(furrow_shard_commitments_root(library.get(), nullptr, 1, bytes.data()),
                      "shard_commitments_seed");
  expect_null_refused(furrow_shard_commitments_root(library.get(), bytes.data(), 1, nullptr),
                      "root");
  expect_refused(furrow_shard_commitments_root(library.get(), bytes.data(), 0, bytes.data() + 32),
                 "history_size");
}

TEST(CSector, BuffersThatOverlapAreRefused) {
  furrow_sector_plan plan = new_plan();
  expect_overlap_refused(furrow_sector_id(&plan, plan.public_key_hash));
  expect_overlap_refused(furrow_sector_piece_indices(&plan, plan.reserved, 2));
  OddBuffer bytes(64);
  expect_overlap_refused(furrow_public_key_hash(bytes.data(), bytes.data() + 31));
  const auto library = make_library();
  expect_overlap_refused(
      furrow_shard_commitments_root(library.get(), bytes.data(), 1, bytes.data() + 31));
  EXPECT_TRUE(bytes.is_untouched());
  const furrow_sector_plan before = new_plan();
  EXPECT_EQ(std::memcmp(&plan, &before, sizeof(plan)), 0);
}

TEST(CSector, KeyHashAndCommitmentsAreThoseOfTheEngine) {
  OddBuffer bytes(32, 9);
  OddBuffer out(32);
  ASSERT_EQ(furrow_public_key_hash(bytes.data(), out.data()), FURROW_OK);
  PublicKey key;
  key.bytes.fill(9);
  EXPECT_EQ(to_hex(out.bytes()), to_hex(public_key_hash(key).bytes));
  const auto library = make_library();
  ASSERT_EQ(furrow_shard_commitments_root(library.get(), bytes.data(), 42, out.data()), FURROW_OK);
  Hash seed;
  seed.bytes.fill(9);
  EXPECT_EQ(
      to_hex(out.bytes()),
      to_hex(shard_commitments_root(SimdMode::kScalar, seed, HistorySize::from_count(42)).bytes));
}

TEST(CSector, PlansComeBackAsTheyWere) {
  furrow_sector_plan plan = golden_plan(test::golden("sector_id").at("cases").at(5));
  plan.recent_segments = 7;
  plan.recent_history_numerator = 2;
  plan.recent_history_denominator = 11;
  plan.min_sector_lifetime = 13;
  furrow_sector_plan back = capi::plan_of(capi::sector_plan_of(plan));
  back.size = sizeof(back);
  EXPECT_EQ(std::memcmp(&plan, &back, sizeof(plan)), 0);
  const ChainParameters chain = capi::chain_parameters_of(plan);
  EXPECT_EQ(chain.at(HistorySize::from_count(plan.history_size)),
            capi::sector_plan_of(plan).protocol_info);
}

}  // namespace
}  // namespace furrow
