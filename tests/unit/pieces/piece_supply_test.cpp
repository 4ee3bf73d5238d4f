// SPDX-License-Identifier: Apache-2.0
// PieceSupply over a real store, directly and through a server, with its manifest and proofs.
#include "host/pieces/piece_supply.hpp"

#include <gtest/gtest.h>

#include "host/archive/store_layout.hpp"
#include "host/archive/super_segment.hpp"
#include "host/pieces/http_piece_server.hpp"
#include "host/pieces/source_errors.hpp"
#include "host/pieces/store_piece_getter.hpp"
#include "tests/support/made_up_piece.hpp"
#include "tests/support/temp_directory.hpp"
#include "tests/unit/archive/archive_fixture.hpp"
#include "tests/unit/archive/archive_tree.hpp"

namespace furrow {
namespace {

using test::example_store;

PieceAnswer get(PieceGetter& getter, std::uint64_t index) {
  PieceAnswer result;
  const PieceIndex wanted(index);
  getter.get_pieces({&wanted, 1},
                    [&](PieceIndex, PieceAnswer answer) { result = std::move(answer); }, {});
  return result;
}

/// Gives another piece of the store than the one asked for.
class Confused : public PieceGetter {
 public:
  explicit Confused(PieceGetter& store) : store_(store) {}
  void get_pieces(std::span<const PieceIndex> indices, const Sink& sink, std::stop_token) override {
    for (const PieceIndex index : indices) {
      sink(index, get(store_, (index.value() + 1) % kNumPieces));
    }
  }

 private:
  PieceGetter& store_;
};

/// Lacks one piece of the store.
class Lacking : public PieceGetter {
 public:
  Lacking(PieceGetter& store, std::uint64_t missing) : store_(store), missing_(missing) {}
  void get_pieces(std::span<const PieceIndex> indices, const Sink& sink, std::stop_token) override {
    for (const PieceIndex index : indices) {
      sink(index,
           index.value() == missing_ ? PieceAnswer::not_found() : get(store_, index.value()));
    }
  }

 private:
  PieceGetter& store_;
  const std::uint64_t missing_;
};

PieceSupplyOptions from(std::vector<std::string> sources) {
  PieceSupplyOptions options;
  options.sources = std::move(sources);
  options.http.tries = 1;
  options.recovery.retry_delays.max_attempts = 1;
  options.recovery.segment_policy.tries = 1;
  return options;
}

class PieceSupplyTest : public testing::Test {
 protected:
  HttpPieceRoutesOptions with_manifest() { return {.manifest_json = store_.manifest().to_json()}; }
  /// The example's manifest with another history, written to a file.
  std::filesystem::path other_manifest() {
    Manifest manifest = store_.manifest();
    manifest.segments.front().header.root.bytes[0] ^= 1;
    manifest.segments.front().super_segment = lone_super_segment_of(manifest);
    const std::filesystem::path file = directory_.path() / "other.json";
    manifest.save(file);
    return file;
  }
  static SuperSegmentHeader lone_super_segment_of(const Manifest& manifest);
  void expect_same(PieceGetter& getter, std::uint64_t index) {
    const PieceAnswer expected = get(store_, index);
    const PieceAnswer actual = get(getter, index);
    ASSERT_TRUE(expected.piece != nullptr && actual.piece != nullptr) << index;
    EXPECT_TRUE(test::same_piece(*expected.piece, *actual.piece)) << index;
  }

  StorePieceGetter store_{example_store().store};
  test::TempDirectory directory_;
};

SuperSegmentHeader PieceSupplyTest::lone_super_segment_of(const Manifest& manifest) {
  return lone_super_segment(manifest.shard, manifest.segments.front().header, std::nullopt);
}

TEST_F(PieceSupplyTest, DirectoryAndServerGiveTheSame) {
  const HttpPieceServer server(store_, {}, with_manifest());
  PieceSupply local(from({example_store().store.native()}));
  PieceSupply remote(from({server.url()}));
  EXPECT_FALSE(local.is_manifest_from_server());
  EXPECT_TRUE(remote.is_manifest_from_server());
  EXPECT_EQ(remote.manifest(), store_.manifest());
  for (const std::uint64_t index : {0, 100, 255}) {
    expect_same(local.getter(), index);
    expect_same(remote.getter(), index);
  }
  EXPECT_EQ(remote.cache(), nullptr);
  EXPECT_EQ(remote.sources().counters(0).found, 3U);
}

TEST_F(PieceSupplyTest, CacheTakesPiecesInAndGivesThemOut) {
  PieceSupplyOptions options = from({});
  options.cache_directory = directory_.path() / "cache";
  options.cache_bytes = 16 << 20;
  {
    const HttpPieceServer server(store_, {}, with_manifest());
    options.sources = {server.url()};
    PieceSupply supply(options);
    EXPECT_FALSE(std::filesystem::exists(*options.cache_directory)) << "not before it is opened";
    supply.open_cache();
    expect_same(supply.getter(), 17);
  }
  // The server is gone, so the manifest has to come from elsewhere, and the piece from the cache.
  EXPECT_THROW(PieceSupply{options}, HttpConnectionFailed);
  options.manifest = example_store().store / kManifestFileName;
  PieceSupply supply(options);
  supply.open_cache();
  expect_same(supply.getter(), 17);
  EXPECT_EQ(supply.cache()->counters().hits, 1U);
}

TEST_F(PieceSupplyTest, ARebuiltPieceIsCachedAndItsRebuildingEvictsNothing) {
  Lacking lacking(store_, 5);
  const HttpPieceServer server(lacking, {}, with_manifest());
  PieceSupplyOptions options = from({server.url()});
  options.cache_directory = directory_.path() / "cache";
  options.cache_bytes = 4 << 20;  // three pieces; a rebuilding takes 128
  int n_rebuilt = 0;
  options.recovery.on_rebuild = [&](PieceIndex, const auto&) { ++n_rebuilt; };
  PieceSupply supply(options);
  supply.open_cache();
  expect_same(supply.getter(), 17);
  expect_same(supply.getter(), 5);
  EXPECT_EQ(n_rebuilt, 1);
  const std::uint64_t n_served = server.piece_counters().pieces;
  EXPECT_GE(n_served, 1U + kNumRawRecords);
  // Drawn by a second sector.
  expect_same(supply.getter(), 5);
  expect_same(supply.getter(), 17);
  EXPECT_EQ(n_rebuilt, 1);
  EXPECT_EQ(server.piece_counters().pieces, n_served);
  EXPECT_EQ(supply.cache()->counters().hits, 2U);
  EXPECT_EQ(supply.cache()->counters().evicted, 0U);
}

TEST_F(PieceSupplyTest, WrongPieceOfAServerIsRefusedAndHadFromTheNext) {
  Confused confused(store_);
  const HttpPieceServer liar(confused, {}, with_manifest());
  PieceSupply alone(from({liar.url()}));
  EXPECT_NE(get(alone.getter(), 5).error, nullptr);
  PieceSupply both(from({liar.url(), example_store().store.native()}));
  expect_same(both.getter(), 5);
  EXPECT_EQ(both.sources().counters(0).failed, 1U);
}

TEST_F(PieceSupplyTest, ManifestOfTheUserDecides) {
  const HttpPieceServer server(store_, {}, with_manifest());
  PieceSupplyOptions options = from({server.url()});
  options.manifest = other_manifest();
  PieceSupply supply(options);
  EXPECT_FALSE(supply.is_manifest_from_server());
  try {
    get(supply.getter(), 5);
    FAIL() << "a piece of another history";
  } catch (const NoSourceLeft& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kMismatch);
    EXPECT_NE(std::string(error.what()).find("another history"), std::string::npos);
  }
  EXPECT_EQ(server.counters().requests, 2U) << "a piece and the manifest, and no segment";
  options.sources = {example_store().store.native()};
  EXPECT_THROW(PieceSupply{options}, HistoryMismatch);
}

TEST_F(PieceSupplyTest, WhatCannotBeOpened) {
  EXPECT_THROW(PieceSupply(from({})), InvalidArgument);
  EXPECT_THROW(PieceSupply(from({(directory_.path() / "absent").native()})), IoError);
  const HttpPieceServer server(store_, {}, {.manifest_json = "{}"});
  EXPECT_THROW(PieceSupply(from({server.url()})), InvalidManifest);
  const HttpPieceServer without(store_, {});
  EXPECT_THROW(PieceSupply(from({without.url()})), HttpStatusError);
}

}  // namespace
}  // namespace furrow
